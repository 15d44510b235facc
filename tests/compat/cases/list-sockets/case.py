"""list-sockets and the Listen property"""
def run(c):
    c.start("a.socket", "b.socket", "c.socket", "d.socket", "e.socket", "f.socket")
    out = c.ctl("list-sockets", "--no-legend", "--plain").stdout.splitlines()
    c.obs("rows", sorted(l.split() for l in out))
    out = c.ctl("list-sockets", "--no-legend", "--plain", "--show-types").stdout.splitlines()
    c.obs("types", sorted(l.split() for l in out))
    c.obs("listen", [c.prop(u + ".socket", "Listen") for u in "abcdef"])
    c.obs("pattern", sorted(l.split() for l in c.ctl("list-sockets", "--no-legend", "--plain", "b*").stdout.splitlines()))
    c.stop("c.socket")
    c.obs("stopped", sorted(l.split()[:2] for l in c.ctl("list-sockets", "--no-legend", "--plain").stdout.splitlines()))
    c.obs("all", sorted(l.split()[:2] for l in c.ctl("list-sockets", "--no-legend", "--plain", "--all", "c*").stdout.splitlines()))
