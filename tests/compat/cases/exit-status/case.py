"""what exit codes and signals mean"""
def run(c):
    for u in "abcdefghijklmno":
        rc = c.start(u + ".service"); c.until(lambda: c.prop(u + ".service", "MainPID") == "0"); c.sleep(0.1)
        c.obs(u, [rc, c.full(u + ".service"), [c.prop(u + ".service", p) for p in ("ExecMainCode", "ExecMainStatus", "NRestarts")]])
    c.obs("p", [c.start("p.service"), c.wait("p.service", "failed"), c.full("p.service"), c.prop("p.service", "NRestarts")])
