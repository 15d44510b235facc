"""AF_UNIX: credentials, modes of node and folders, datagrams, sequential packets"""
def run(c):
    c.start("a.socket", "b.socket", "e.socket", "f.socket")
    c.obs("a", [c.mode("/run/a.sock"), fd(c.unix("/run/a.sock").json(), 3).get("opts")])
    c.obs("b", [c.mode("/run/b/c/d.sock"), c.mode("/run/b"), c.mode("/run/b/c")])
    c.obs("b says", c.unixgram("/run/b/c/d.sock", "echo hi"))
    k = c.unix("/run/e.sock", socket.SOCK_SEQPACKET)
    c.obs("e", k.ask("echo hi"))
    c.obs("f", c.unix("@f.seq", socket.SOCK_SEQPACKET).ask("echo hi"))
    c.obs("stop", [c.stop("e.service"), c.stop("a.service"), c.stop("e.socket", "a.socket", "b.socket"), c.exists("/run/e.sock"), c.exists("/run/a.sock"), c.exists("/run/b/c/d.sock")])
