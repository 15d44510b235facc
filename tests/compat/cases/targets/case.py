"""targets: wants and order, a requirement that fails, isolate, StopWhenUnneeded=, ordering cycles"""
def run(c):
    c.obs("t", [c.start("t.target"), c.log(), c.state("t.target"), c.state("b.service")])
    c.obs("stop t", [c.stop("t.target"), c.state("a.service"), c.state("b.service")])
    c.obs("u", [c.start("u.target"), c.full("u.target"), c.full("f.service")])
    c.start("x.service", "y.service")
    c.obs("isolate x", [c.ctl("isolate", "x.service").returncode, c.ctl("start", "--job-mode=isolate", "t.target").returncode])
    c.obs("needs", [c.start("needs.service"), c.state("n.target"), c.stop("needs.service"), c.wait("n.target", "inactive")])
    c.obs("cycle", [c.start("cyc1.service"), c.full("cyc1.service")])
    c.obs("cycle weak", [c.start("cyc3.service"), c.full("cyc3.service"), c.full("cyc4.service")])
    c.obs("modes", [c.ctl("start", "--job-mode=fail", "x.service").returncode, c.ctl("start", "--job-mode=ignore-dependencies", "u.target").returncode, c.state("u.target"), c.ctl("start", "--job-mode=nonsense", "x.service").returncode])
