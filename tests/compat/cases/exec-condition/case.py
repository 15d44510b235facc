"""ExecCondition=: go on, skip, fail"""
def run(c):
    for u in "abcdefgh":
        c.obs(u, [c.start(u + ".service"), c.full(u + ".service"), c.prop(u + ".service", "ConditionResult")])
    c.obs("i", [c.start("i.service"), c.full("i.service"), c.full("b.service")])
    c.obs("log", c.log())
