"""Accept= changed by a reload"""
def run(c):
    c.start("a.socket")
    c.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    c.obs("reload", c.daemon_reload())
    k = c.tcp(7001); k.send("x"); c.obs("yes", [k.line(), c.state("a.socket"), c.state("a.service")])
    c.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\n")
    c.daemon_reload()
    k2 = c.tcp(7001); c.obs("no", [k2.ask("echo y"), c.state("a.socket"), c.state("a.service")])
    k.send("z"); c.obs("old", k.line())
