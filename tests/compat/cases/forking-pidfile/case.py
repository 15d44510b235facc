"""Type=forking with and without PIDFile=, one that leaves nobody, one that fails"""
def run(c):
    c.obs("a", [c.start("a.service"), c.full("a.service")])
    c.obs("a pid", c.prop("a.service", "MainPID") == c.read("/run/a.pid").strip())
    c.obs("b", [c.start("b.service"), c.full("b.service")])
    c.obs("b pid", c.prop("b.service", "MainPID") == c.read("/run/b.pid").strip())
    c.obs("c", [c.start("c.service"), c.full("c.service")])
    c.obs("d", [c.start("d.service"), c.full("d.service"), c.prop("d.service", "ExecMainStatus")])
    c.obs("stop", [c.stop("a.service"), c.full("a.service"), c.exists("/run/a.pid")])
    os.kill(int(c.read("/run/b.pid")), 9)
    c.obs("killed", c.wait("b.service", "failed"))
    c.obs("killed why", [c.full("b.service"), c.prop("b.service", "ExecMainCode"), c.prop("b.service", "ExecMainStatus")])
