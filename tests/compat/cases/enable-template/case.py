"""what is-enabled says of a template and its instances; masked drop-ins"""
def run(c):
    E = lambda *u: [c.ctl("is-enabled", x).stdout.strip() for x in u]
    U = ("t@.service", "t@x.service", "t@def.service", "u@.service", "u@x.service")
    c.obs("none", E(*U))
    c.obs("x", [c.ctl("enable", "t@x.service", "u@x.service").returncode, E(*U)])
    c.obs("default", [c.ctl("disable", "t@x.service").returncode, c.ctl("enable", "t@.service").returncode, E(*U)])
    c.obs("without default", [c.ctl("enable", "u@.service").returncode, E(*U)])
    os.symlink("/dev/null", "/etc/systemd/system/m.service.d/n.conf")
    c.daemon_reload()
    c.obs("masked", [os.path.relpath(p, "/etc/systemd/system") for p in (c.prop("m.service", "DropInPaths") or "").split()])
