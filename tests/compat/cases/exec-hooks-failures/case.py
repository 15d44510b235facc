"""commands of sockets that fail or hang"""
def run(c):
    for u in "abcdef":
        c.obs(u, [c.start(u + ".socket"), c.full(u + ".socket")])
    c.obs("g", [c.start("g.socket"), c.stop("g.socket"), c.full("g.socket")])
    c.obs("stop c", [c.stop("c.socket"), c.full("c.socket")])
    c.obs("log", c.log())
    c.obs("listening", c.listening())
    c.obs("reset", [c.reset_failed("a.socket"), c.full("a.socket")])
