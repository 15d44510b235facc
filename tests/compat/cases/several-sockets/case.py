"""several socket units for one service"""
def run(c):
    c.start("a.socket", "b.socket")
    j = c.tcp(7002).json()
    c.obs("passed", [sorted(p.split()[-1] for p in passed(j)), sorted(j["env"].get("LISTEN_FDNAMES", "").split(":"))])
    c.obs("states", [c.state(u) for u in ("a.socket", "b.socket", "c.socket", "x.service")])
    c.obs("start c", [c.start("c.socket"), c.full("c.socket")])
    c.obs("deps", [sorted((c.prop("x.service", p) or "").split()) for p in ("TriggeredBy", "Sockets")])
    c.obs("stop", [c.stop("x.service"), [c.state(u) for u in ("a.socket", "b.socket")]])
    c.obs("start c again", [c.start("c.socket"), c.full("c.socket")])
    j = c.tcp(7003).json(); c.obs("three", sorted(p.split()[-1] for p in passed(j)))
    c.stop("a.socket"); c.obs("one stopped", [c.state("x.service"), c.state("b.socket"), c.try_tcp(7001)])
    c.obs("start a", [c.start("a.socket"), c.full("a.socket")])
