"""what stopping one side does to the other"""
def run(c):
    c.start("a.socket", "b.socket", "d.socket")
    for p in (7001, 7002, 7004): c.tcp(p).ask("pid")
    r = c.ctl("stop", "a.service"); c.obs("stop a.service", [r.returncode, "triggered" in r.stderr or "activated" in r.stderr, c.state("a.socket"), c.state("a.service")])
    c.tcp(7001).ask("pid")
    c.obs("stop both", [c.stop("a.socket", "a.service"), c.state("a.socket"), c.state("a.service")])
    c.obs("stop b.socket", [c.stop("b.socket"), c.state("b.socket"), c.wait("b.service", "inactive")])
    c.obs("start b.service", [c.start("b.service"), c.state("b.socket"), c.state("b.service")])
    k = c.tcp(7002); c.obs("b passed", passed(k.json()))
    c.obs("stop d.service", [c.stop("d.service"), c.wait("d.socket", "inactive"), c.state("d.service")])
    c.obs("start d.service", [c.start("d.service"), c.state("d.socket")])
    c.obs("restart d.service", [c.restart("d.service"), c.state("d.socket")])
