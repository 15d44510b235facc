"""BindsTo, PartOf, Requires, Requisite, Wants, Conflicts: who starts, who stops with whom"""
def run(c):
    S = lambda: {u: c.state(u + ".service") for u in "abprqwx"}
    c.obs("requisite without", [c.start("q.service"), c.full("q.service")])
    c.obs("wants", [c.start("w.service"), S()])
    c.stop("a.service")
    c.obs("wants after stop", S())
    c.obs("b", [c.start("b.service"), S()])
    c.obs("p", [c.start("p.service"), c.start("r.service"), c.start("q.service"), S()])
    c.ctl("kill", "-s", "KILL", "a.service")
    c.wait("a.service", "failed"); c.wait("b.service", "inactive")
    c.obs("a died", S())
    c.obs("again", [c.reset_failed(), c.start("b.service", "p.service", "r.service"), S()])
    c.obs("stop a", [c.stop("a.service"), S()])
    c.obs("start r", [c.start("r.service", "p.service"), S()])
    c.obs("restart a", [c.restart("a.service"), S()])
    c.obs("conflict", [c.start("x.service"), S()])
    c.obs("conflict back", [c.start("a.service"), S()])
