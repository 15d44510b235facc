"""a conflict whose stop would take the unit along that is to be started"""
def run(c):
    S = lambda *u: [c.state(x + ".service") for x in u]
    c.obs("start u1", [c.start("u1.service"), S("u1", "u3")])
    c.obs("start u3", [c.start("u3.service"), S("u1", "u3")])
    c.obs("u1 while u3", [c.start("u1.service"), S("u1", "u3")])
    c.obs("r", [c.start("r1.service"), S("r1", "r3")])
    c.obs("r3", [c.start("r3.service"), S("r1", "r3"), c.start("r1.service"), S("r1", "r3")])
    c.obs("w", [c.start("w1.service"), S("w1", "w2"), c.start("w2.service"), S("w1", "w2"), c.start("w1.service"), S("w1", "w2")])
    c.obs("b", [c.start("b1.service"), S("b1", "b2"), c.start("b3.service"), S("b1", "b2", "b3")])
