"""job modes and isolate"""
def run(c):
    c.obs("ignore-dependencies", [c.ctl("start", "--job-mode=ignore-dependencies", "a.service").returncode, c.state("a.service"), c.state("b.service")])
    c.obs("ignore-requirements", [c.stop("a.service"), c.ctl("start", "--job-mode=ignore-requirements", "a.service").returncode, c.state("b.service")])
    c.obs("replace", [c.stop("a.service"), c.start("a.service"), c.state("b.service")])
    c.obs("fail", [c.ctl("start", "--job-mode=fail", "c.service").returncode, c.state("b.service"), c.state("c.service"), c.state("a.service")])
    c.obs("pending", [c.ctl("start", "--no-block", "d.service").returncode, c.wait("d.service", "activating"), c.ctl("start", "--job-mode=fail", "e.service").returncode, c.state("d.service"), c.start("e.service"), c.wait("d.service", "inactive"), c.full("d.service")])
    c.obs("isolate", [c.start("k.service", "e.service", "a.service"), c.ctl("isolate", "i.target").returncode, [c.wait(u, s) for u, s in (("e.service", "inactive"), ("a.service", "inactive"), ("b.service", "active"), ("k.service", "active"), ("i.target", "active"), ("basic.target", "active"))]])
    c.obs("no isolate", [c.ctl("isolate", "j.target").returncode, c.ctl("isolate", "a.service").returncode])
    c.obs("bad mode", c.ctl("start", "--job-mode=nonsense", "a.service").returncode)
