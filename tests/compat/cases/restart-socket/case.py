"""restart and stop of sockets while their services run"""
def run(c):
    c.start("a.socket", "b.socket")
    k = c.unix("/run/a.sock"); k.ask("echo x")
    c.obs("restart a", [c.restart("a.socket"), c.full("a.socket"), c.state("a.service")])
    k2 = c.tcp(7002); k2.ask("echo x")
    c.obs("restart b", [c.restart("b.socket"), c.full("b.socket"), k2.ask("echo alive")])
    c.obs("stop b", [c.stop("b.socket"), k2.ask("echo alive"), c.try_tcp(7002)])
    c.obs("reload", [c.reload("b.socket"), c.full("b.socket")])
    c.obs("try-restart", [c.ctl("try-restart", "b.socket").returncode, c.state("b.socket")])
    c.obs("stop both", [c.stop("a.socket", "a.service"), c.state("a.socket"), c.state("a.service")])
