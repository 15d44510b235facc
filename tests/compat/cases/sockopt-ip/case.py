"""options of IPv4 and IPv6 sockets, read back"""
def run(c):
    c.start("a.socket", "b.socket", "d.socket")
    j = c.tcp(7001).json()
    c.obs("a", opts(j, 3, "IP_TOS", "IP_TTL", "SO_PRIORITY", "SO_MARK", "SO_RCVBUF", "SO_SNDBUF", "SO_BROADCAST", "IP_FREEBIND", "IP_TRANSPARENT"))
    c.obs("all a", fd(j, 3).get("opts"))
    j = json.loads(c.udp(7002, "json"))
    c.obs("b", fd(j, 3).get("opts"))
    j = c.tcp(7003, "::1").json()
    c.obs("d", fd(j, 3).get("opts"))
    c.obs("show", c.show("a.socket", "IPTOS", "IPTTL", "Priority", "Mark", "ReceiveBuffer", "SendBuffer", "Broadcast", "FreeBind", "Transparent", "Backlog"))
    c.obs("listening", c.listening())
