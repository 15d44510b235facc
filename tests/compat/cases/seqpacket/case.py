"""sequential packets"""
def run(c):
    c.start("a.socket", "b.socket", "c.socket")
    k = c.unix("/run/a.seq", socket.SOCK_SEQPACKET); j = k.json(); c.obs("a", passed(j))
    k = c.unix("@b.seq", socket.SOCK_SEQPACKET); j = k.json(); c.obs("b", [passed(j), pick(j["env"], "REMOTE_ADDR", "LISTEN_FDNAMES")])
    c.obs("c", [c.full("c.socket"), c.listening(), c.prop("c.socket", "Listen")])
