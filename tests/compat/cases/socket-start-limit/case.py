"""start limit of a socket that is started and stopped"""
def run(c):
    c.obs("a", [[c.start("a.socket"), c.stop("a.socket")] for i in range(7)])
    c.obs("a state", c.full("a.socket"))
    c.obs("b", [[c.start("b.socket"), c.stop("b.socket")] for i in range(4)])
    c.obs("b state", c.full("b.socket"))
