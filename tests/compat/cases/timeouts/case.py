"""what each time-out does: start, stop, run time, reload, without SIGKILL, with another failure mode"""
def run(c):
    for u in "ac":
        c.start(u + ".service")
    c.obs("a", [c.stop("a.service"), c.full("a.service"), c.prop("a.service", "ExecMainCode"), c.prop("a.service", "ExecMainStatus")])
    c.obs("b", [c.start("b.service"), c.full("b.service"), c.prop("b.service", "ExecMainStatus")])
    c.obs("c", [c.wait("c.service", "failed"), c.full("c.service")])
    c.start("d.service"); c.obs("d", [c.stop("d.service"), c.full("d.service")])
    c.start("e.service"); c.sleep(0.1); c.obs("e", [c.stop("e.service"), c.full("e.service")])
    c.obs("f", [c.start("f.service"), c.full("f.service"), c.prop("f.service", "ExecMainStatus")])
    c.obs("g", [c.start("g.service"), c.full("g.service")])
    c.obs("h", [c.start("h.service"), c.full("h.service")])
    c.start("i.service")
    c.obs("i", [c.reload("i.service"), c.full("i.service"), c.prop("i.service", "ReloadResult")])
