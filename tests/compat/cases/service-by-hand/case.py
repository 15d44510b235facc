"""a socket-activated service that is started by hand"""
def run(c):
    c.obs("start without socket", [c.start("a.service"), c.state("a.service"), c.state("a.socket")])
    c.obs("socket later", [c.start("a.socket"), c.full("a.socket")])
    c.obs("after stop", [c.stop("a.service"), c.start("a.socket"), c.state("a.socket")])
    c.obs("service", [c.start("a.service"), c.state("a.socket")])
    k = c.tcp(7001); c.obs("passed", passed(k.json()))
    c.obs("b", [c.start("b.service"), c.state("b.socket"), c.state("b.service")])
    c.obs("restart service", [c.restart("a.service"), c.state("a.socket"), c.state("a.service"), passed(c.tcp(7001).json())])
