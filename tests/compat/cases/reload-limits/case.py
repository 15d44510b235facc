"""limits and options changed by a reload"""
def run(c):
    c.start("a.socket")
    k = c.tcp(7001); k.send("x"); k.line()
    c.obs("full", c.tcp(7001).closed())
    c.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\nMaxConnections=2\nNoDelay=yes\nBacklog=7\n")
    c.daemon_reload()
    k2 = c.tcp(7001); k2.send("y"); c.obs("two", [k2.line(), c.listening()])
    c.obs("three", c.tcp(7001).closed())
    c.obs("counters", [c.prop("a.socket", p) for p in ("NAccepted", "NConnections", "NRefused", "MaxConnections", "NoDelay", "Backlog")])
