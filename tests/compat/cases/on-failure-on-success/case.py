"""OnFailure= and OnSuccess= with the environment that tells about the other"""
def run(c):
    c.write("/run/a.env", "CODE=0\n")
    c.obs("ok", [c.start("a.service"), c.waitlog(1)])
    c.write("/run/a.env", "CODE=3\n")
    c.obs("bad", [c.start("a.service"), c.waitlog(2)])
