"""oneshot: several commands, RemainAfterExit, time-out, ExecStart= left out, success status, ExecCondition"""
def run(c):
    for u in "abcdefghi":
        c.obs(u, [c.start(u + ".service"), c.full(u + ".service"), c.prop(u + ".service", "ExecMainStatus")])
    c.obs("log", c.log())
    c.obs("stop", [c.stop("b.service"), c.stop("e.service"), c.full("b.service"), c.full("e.service")])
    c.obs("log at the end", c.log())
    c.obs("again", [c.start("b.service"), c.start("b.service"), c.full("b.service")])
