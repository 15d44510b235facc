"""presets: what a vendor means to be enabled"""
def run(c):
    c.write("/etc/systemd/system-preset/50-a.preset", "# comment\n; other\n\nenable a.service\ndisable b*.service\nbogus line\nenable t@.service x y\ndisable k.*\nenable c.service extra\n")
    c.write("/etc/systemd/system-preset/40-b.preset", "disable a.service\n  enable d.service  \n")
    c.write("/etc/systemd/system-preset/99-z.preset", "disable *\n")
    E = lambda: [c.ctl("is-enabled", u).stdout.strip() for u in ("a.service", "b.service", "c.service", "d.service", "e.service", "s.service", "t@x.service", "t@y.service", "t@z.service", "d2@def.service", "k.socket")]
    P = lambda: sorted(l.split()[:2] for l in c.ctl("list-unit-files", "--no-legend", "--plain", "?.service", "?@.service", "d2@.service", "k.socket").stdout.splitlines())
    c.obs("list", P())
    c.obs("property", [c.prop(u, "UnitFilePreset") for u in ("a.service", "b.service", "d.service", "s.service", "t@x.service", "t@z.service", "none.service")])
    c.obs("enable", [c.ctl("enable", "a.service", "b.service", "e.service").returncode, E()])
    r = c.ctl("preset", "a.service", "b.service", "c.service", "d.service", "t@.service")
    c.obs("preset", [r.returncode, E()])
    c.obs("enable-only", [c.ctl("disable", "d.service").returncode, c.ctl("enable", "e.service").returncode, c.ctl("preset", "--preset-mode=enable-only", "d.service", "e.service").returncode, E()])
    c.obs("disable-only", [c.ctl("disable", "d.service").returncode, c.ctl("preset", "--preset-mode=disable-only", "d.service", "e.service").returncode, E()])
    c.obs("static", [c.ctl("preset", "s.service").returncode, c.ctl("preset", "none.service").returncode, c.ctl("preset", "--preset-mode=x", "a.service").returncode])
    c.obs("again", P())
