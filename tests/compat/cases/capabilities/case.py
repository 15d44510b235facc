"""capabilities that services have"""
def run(c):
    os.chmod("/run", 0o777)
    for x in "abcdefghijk":
        c.obs(x, [c.start(x + ".service"), c.full(x + ".service"), c.prop(x + ".service", "ExecMainStatus"), c.read("/run/%s.txt" % x).split()])
        c.obs(x + " show", [c.prop(x + ".service", "AmbientCapabilities"), c.prop(x + ".service", "CapabilityBoundingSet")])
