"""time limits of every state"""
def run(c):
    c.obs("a", [c.start("a.service"), c.full("a.service")])
    c.obs("b", [c.start("b.service"), c.full("b.service")])
    c.obs("c", [c.start("c.service"), c.wait("c.service", "failed"), c.full("c.service")])
    c.obs("d", [c.start("d.service"), c.stop("d.service"), c.full("d.service")])
    c.obs("e", [c.start("e.service"), c.full("e.service")])
    c.obs("f", [c.start("f.service"), c.reload("f.service"), c.full("f.service"), c.prop("f.service", "ReloadResult")])
    c.obs("g", [c.start("g.service"), c.stop("g.service"), c.full("g.service")])
    c.obs("h", [c.start("h.service"), c.state("h.service"), c.stop("h.service")])
    c.obs("i", [c.start("i.service"), c.state("i.service"), c.stop("i.service")])
    c.obs("j", [c.start("j.service"), c.full("j.service")])
    c.obs("k", [c.start("k.service"), c.wait("k.service", "activating/auto-restart"), c.full("k.service")])
