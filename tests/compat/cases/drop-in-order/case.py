"""which drop-ins are applied, and in which order"""
def run(c):
    for u in ("a-b.service", "t@one.service", "t@two.service", "m.service"):
        c.obs(u, [c.start(u), c.prop(u, "Description"), c.prop(u, "Environment"), [os.path.relpath(p, "/etc/systemd/system") for p in (c.prop(u, "DropInPaths") or "").split()]])
    c.unit("m.service.d/new.conf", "[Unit]\nDescription=changed\n")
    c.obs("stale", [c.prop("m.service", "NeedDaemonReload"), c.prop("m.service", "Description")])
    c.daemon_reload()
    c.obs("fresh", [c.prop("m.service", "NeedDaemonReload"), c.prop("m.service", "Description"), c.state("m.service")])
    os.unlink("/etc/systemd/system/m.service"); c.daemon_reload()
    c.obs("gone", [c.full("m.service"), c.stop("m.service"), c.full("m.service")])
