"""unit files that vanish while the units are up"""
def run(c):
    c.start("a.socket", "b.socket", "c.socket", "d.service")
    k = c.tcp(7002); k.send("x"); c.obs("b", k.line())
    c.tcp(7003).ask("pid")
    for u in ("a.socket", "b.socket", "c.socket", "c.service", "d.service"):
        os.unlink("/etc/systemd/system/" + u)
    c.obs("reload", c.daemon_reload())
    c.obs("states", [c.full(u) for u in ("a.socket", "b.socket", "c.socket", "c.service", "d.service")])
    c.obs("reach", [c.try_tcp(7001), c.try_tcp(7002), c.try_tcp(7003)])
    c.obs("live connection", k.send("y").line())
    c.obs("stop", [c.stop(u) for u in ("a.socket", "b.socket", "c.socket", "c.service", "d.service")])
    c.obs("after", [c.full(u) for u in ("a.socket", "b.socket", "c.socket", "c.service", "d.service")])
    c.obs("start", [c.start(u) for u in ("a.socket", "d.service")])
