"""start limits of services and sockets, and reset-failed"""
def run(c):
    c.obs("a", [[c.start("a.service") for i in range(4)], c.full("a.service")])
    c.obs("a reset", [c.reset_failed("a.service"), c.start("a.service"), c.full("a.service")])
    c.obs("b", [[c.start("b.service") for i in range(8)], c.full("b.service")])
    c.start("d.service")
    c.obs("d", [c.wait("d.service", "failed"), c.full("d.service"), c.prop("d.service", "NRestarts")])
    c.sleep(0.3); c.obs("d later", [c.wait("d.service", "failed"), c.full("d.service"), c.prop("d.service", "NRestarts")])
    c.obs("s", [[(c.start("s.socket"), c.stop("s.socket")) for i in range(3)], c.full("s.socket")])
