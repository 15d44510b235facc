"""MaxConnectionsPerSource= and MaxConnections= count and refuse"""
def run(c):
    c.start("a.socket")
    ks = [c.tcp(7001, src="127.0.0.2") for i in range(2)]
    c.obs("two", [k.ask("echo x") for k in ks])
    k = c.tcp(7001, src="127.0.0.2")
    c.obs("third", k.closed())
    k3 = c.tcp(7001, src="127.0.0.3")
    c.obs("other", k3.ask("echo y"))
    c.obs("full", c.tcp(7001, src="127.0.0.4").closed())
    c.obs("counts", c.show("a.socket", "NAccepted", "NConnections", "NRefused"))
    ks[0].close()
    c.obs("down", c.wait_prop("a.socket", "NConnections", "2"))
    c.obs("again", c.tcp(7001, src="127.0.0.2").ask("echo z"))
