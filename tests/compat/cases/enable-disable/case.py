"""enable, disable, is-enabled, mask, the links that they make, --now"""
def run(c):
    E = lambda *u: [c.ctl("is-enabled", x).stdout.strip() for x in u]
    L = lambda: sorted((os.path.join(d, f).replace("/etc/systemd/system/", ""), os.readlink(os.path.join(d, f))) for d, _, fs in os.walk("/etc/systemd/system") for f in fs if os.path.islink(os.path.join(d, f)))
    before = L()
    N = lambda: [x for x in L() if x not in before]
    U = ("a.socket", "alias.socket", "b.service", "t@.service", "t@x.service", "t@def.service", "static.service", "linked.service", "indirect.service")
    c.obs("before", E(*U))
    c.obs("enable", [c.ctl("enable", "a.socket").returncode, N(), E(*U)])
    c.obs("alias state", [c.start("alias.socket"), c.state("a.socket"), c.prop("alias.socket", "Id"), sorted((c.prop("a.socket", "Names") or "").split())])
    c.obs("template", [c.ctl("enable", "t@.service").returncode, c.ctl("enable", "t@x.service").returncode, N(), E(*U)])
    c.obs("static", [c.ctl("enable", "static.service").returncode])
    c.obs("disable", [c.ctl("disable", "a.socket").returncode, N(), E(*U)])
    c.obs("disable template", [c.ctl("disable", "t@.service").returncode, N()])
    c.obs("now", [c.ctl("enable", "--now", "b.service").returncode, c.state("b.service"), c.ctl("disable", "--now", "b.service").returncode, c.state("b.service")])
    c.obs("mask", [c.ctl("mask", "static.service").returncode, c.ctl("mask", "new.service").returncode, E("static.service", "new.service"), c.start("new.service"), c.full("new.service")])
    c.obs("unmask", [c.ctl("unmask", "new.service").returncode, E("new.service"), N()])
    c.obs("linked", [c.ctl("enable", "linked.service").returncode, E("linked.service", "other.service"), c.ctl("reenable", "linked.service").returncode, c.ctl("disable", "linked.service").returncode, N()])
