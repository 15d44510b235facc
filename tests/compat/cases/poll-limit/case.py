"""trigger limits of Accept=yes and Accept=no, and the way back"""
def run(c):
    c.start("a.socket", "b.socket")
    ks = [c.tcp(7001) for i in range(3)]
    c.obs("three", [k.ask("echo x") for k in ks])
    k = c.tcp(7001)
    c.obs("fourth", k.closed())
    c.obs("a", [c.wait("a.socket", "failed"), c.full("a.socket"), ks[0].ask("echo still")])
    c.obs("a back", [c.start("a.socket"), c.full("a.socket"), c.tcp(7001).closed()])
    c.tcp(7002)
    c.obs("b", [c.wait("b.socket", "failed"), c.full("b.socket")])
    c.obs("reset", [c.reset_failed("b.socket"), c.full("b.socket")])
