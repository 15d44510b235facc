"""exit codes of queries in all states"""
def run(c):
    c.start("a.service", "b.service", "e.socket"); c.wait("b.service", "failed")
    U = ("a.service", "b.service", "c.service", "d.service", "e.socket", "e.service", "none.service", "m.service")
    for v in ("status", "is-active", "is-failed", "is-enabled", "show", "cat"):
        c.obs(v, [[c.ctl(v, u).returncode for u in U], c.ctl(v, "a.service", "b.service").returncode, c.ctl(v, "a.service", "none.service").returncode])
    c.obs("words", [[c.ctl(v, u).stdout.strip() for u in U] for v in ("is-active", "is-failed")])
    c.obs("start", [c.start(u) for u in ("d.service", "none.service", "m.service", "a.socket", "bad name.service", "x.timer")])
    c.obs("stop", [c.stop(u) for u in ("d.service", "none.service", "m.service")])
    c.obs("restart", [c.restart(u) for u in ("d.service", "none.service", "m.service")])
    c.obs("reload", [c.reload(u) for u in ("a.service", "c.service", "none.service", "e.socket")])
    c.obs("quiet", [c.ctl("is-active", "-q", "a.service").stdout, c.ctl("is-active", "b.service", "a.service").stdout.split()])
    c.obs("list", [c.ctl("list-units", "--no-legend", "--plain", "none*").returncode, sorted(l.split()[0] for l in c.ctl("list-units", "--no-legend", "--plain", "--state=failed").stdout.splitlines())])
    c.obs("show none", [c.full("none.service"), c.full("m.service"), c.prop("d.service", "LoadState"), c.prop("m.service", "FragmentPath")])
