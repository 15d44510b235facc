"""datagrams over IPv4, IPv6 and AF_UNIX for one service"""
def run(c):
    c.start("a.socket")
    c.obs("first", c.udp(7001, "echo one"))
    c.obs("second", c.udp(7002, "echo two", host="::1"))
    c.obs("third", c.unixgram("/run/a.dgram", "echo three"))
    c.obs("states", [c.state("a.socket"), c.state("a.service"), c.mode("/run/a.dgram"), c.prop("a.socket", "Listen")])
    c.stop("a.service")
    c.obs("again", [c.state("a.socket"), c.unixgram("/run/a.dgram", "echo four"), c.state("a.socket")])
    c.obs("counters", [c.prop("a.socket", p) for p in ("NAccepted", "NConnections", "NRefused")])
