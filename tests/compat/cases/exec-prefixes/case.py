"""prefixes of command lines, and lines that are wrong"""
def run(c):
    os.chmod("/run", 0o777)
    c.obs("a", [c.start("a.service"), c.full("a.service")])
    for n in (1, 2, 3, 4, 5):
        j = c.waitjson("/run/a%d.json" % n, timeout=1)
        c.obs("a%d" % n, [j.get("argv"), j.get("uid"), j.get("gid"), pick(j["env"], "USER", "HOME", "LOGNAME", "SHELL")])
    c.obs("a6", c.read("/run/a6.txt"))
    c.obs("b", [c.start("b.service"), c.full("b.service")])
    j = c.waitjson("/run/b1.json", timeout=1); c.obs("b1", [j.get("uid"), j.get("cwd"), j.get("umask")])
    for u in "cdefghijklm":
        c.obs(u, [c.start(u + ".service"), c.full(u + ".service")])
