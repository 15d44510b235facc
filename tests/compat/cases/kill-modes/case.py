"""KillMode= of each kind, KillSignal=, SendSIGHUP=, FinalKillSignal=, kill with --kill-whom"""
def run(c):
    for m in ("control-group", "mixed", "process", "none"):
        c.start(m + ".service")
        c.until(lambda: len(c.pids("--name=")) == 2)
        r = c.stop(m + ".service")
        c.sleep(0.1)
        c.obs(m, [r, c.full(m + ".service"), len(c.pids("--name="))])
        for p in c.pids("--name="):
            os.kill(p, 9)
        c.until(lambda: not c.pids("--name="))
    c.start("sig.service"); c.obs("sig", [c.stop("sig.service"), c.full("sig.service"), c.prop("sig.service", "ExecMainStatus")])
    c.start("hup.service"); c.sleep(0.2); c.obs("hup", [c.stop("hup.service"), c.full("hup.service"), c.log()])
    c.start("final.service"); c.sleep(0.2); c.obs("final", [c.stop("final.service"), c.full("final.service"), c.prop("final.service", "ExecMainStatus")])
    c.start("who.service")
    c.obs("control", [c.ctl("kill", "--kill-whom=control", "who.service").returncode, c.state("who.service")])
    c.obs("main", [c.ctl("kill", "--kill-whom=main", "-s", "INT", "who.service").returncode, c.wait("who.service", "inactive"), c.full("who.service")])
