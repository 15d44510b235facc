"""which signals a stop sends"""
def run(c):
    for u in "abcdefgh":
        n = len(c.log()); c.start(u + ".service"); c.waitlog(n + 1); n = len(c.log())
        rc = c.restart("e.service") if u == "e" else c.stop(u + ".service")
        c.sleep(0.1)
        c.obs(u, [rc, c.full(u + ".service"), c.log()[n:]])
    c.obs("kill", [c.start("a.service"), c.ctl("kill", "-s", "USR1", "a.service").returncode, c.until(lambda: any("USR1" in l for l in c.log())), c.ctl("kill", "--kill-whom=main", "-s", "KILL", "a.service").returncode, c.wait("a.service", "failed"), c.ctl("kill", "a.service").returncode])
