"""the trigger limit with Accept=yes, and none at all"""
def run(c):
    c.start("a.socket", "b.socket")
    ks = []
    for i in range(4):
        try: k = c.tcp(7001); k.send("x"); ks.append(k)
        except OSError as e: c.obs("late %d" % i, type(e).__name__)
    c.obs("state", [c.wait("a.socket", "failed"), c.full("a.socket")])
    c.obs("answers", [k.line() for k in ks[:3]])
    c.obs("fourth", ks[3].closed() in ("EOF", "RESET") if len(ks) > 3 else True)
    c.obs("connections go on", ks[0].send("y").line())
    c.obs("again", [c.start("a.socket"), c.state("a.socket")])
    n = 0
    for i in range(30):
        k = c.tcp(7002)
        if k.ask("echo x") == "x": n += 1
        k.send("exit 0"); k.closed(); c.wait("b.service", "inactive")
    c.obs("b", [n, c.state("b.socket")])
