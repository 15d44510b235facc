"""ports that come, go and change place in a reload"""
def run(c):
    c.start("a.socket", "b.socket")
    c.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nListenStream=127.0.0.1:7002\n")
    c.unit("b.socket", "[Socket]\nListenStream=127.0.0.1:7012\n")
    c.obs("reload", c.daemon_reload())
    c.obs("listening", c.listening())
    c.obs("show", [c.prop("a.socket", "Listen"), c.prop("b.socket", "Listen"), c.state("a.socket"), c.state("b.socket")])
    j = c.tcp(7001).json(); c.obs("a", [passed(j), j["env"].get("LISTEN_FDNAMES")])
    c.obs("restart", [c.stop("a.service"), c.restart("a.socket"), c.restart("b.socket"), c.listening()])
    j = c.tcp(7002).json(); c.obs("a again", [passed(j), j["env"].get("LISTEN_FDNAMES")])
