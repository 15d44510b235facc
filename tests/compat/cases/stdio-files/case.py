"""standard streams from and to files"""
def run(c):
    c.write("/run/a.out", "0123456789\n"); c.write("/run/b.out", "old\n"); c.write("/run/c.out", "0123456789\n"); c.write("/run/d.in", "input\n"); c.write("/run/k.rw", "zzzzzz\n")
    for u in "abcdefghijk":
        c.obs(u, [c.start(u + ".service"), c.full(u + ".service"), c.prop(u + ".service", "ExecMainStatus")])
    for f in ("a.out", "a.err", "b.out", "c.out", "d.out", "e.out", "f.out", "g.out", "j.out", "k.rw"):
        c.obs(f, [c.read("/run/" + f), c.mode("/run/" + f)])
