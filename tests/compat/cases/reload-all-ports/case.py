"""a reload in which no port stays"""
def run(c):
    c.start("a.socket")
    c.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7002\n")
    c.obs("reload", c.daemon_reload())
    c.obs("listening", [c.listening(), c.full("a.socket")])
    c.obs("start", [c.start("a.socket"), c.full("a.socket"), c.listening()])
