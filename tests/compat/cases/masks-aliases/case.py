"""aliases, masks, links into templates"""
def run(c):
    c.obs("alias", [c.start("b.service"), c.state("a.service"), c.prop("b.service", "Id"), sorted(c.prop("a.service", "Names").split())])
    c.obs("stop by alias", [c.stop("b.service"), c.state("a.service")])
    c.obs("masked", [c.start("m.service"), c.full("m.service")])
    c.obs("template link", [c.start("u@x.service"), c.prop("u@x.service", "Id"), sorted(c.prop("u@x.service", "Names").split())])
    c.obs("instance", [c.start("t@one.service"), c.prop("t@one.service", "Description"), c.prop("t@one.service", "Environment"), [os.path.basename(p) for p in c.prop("t@one.service", "DropInPaths").split()]])
    c.obs("template", [c.start("t@.service"), c.stop("t@one.service")])
    os.unlink("/etc/systemd/system/a.service"); os.symlink("/dev/null", "/etc/systemd/system/a.service")
    c.obs("mask while up", [c.start("a.service"), c.daemon_reload(), c.full("a.service"), c.start("a.service")])
    c.obs("socket of masked", [[os.unlink("/etc/systemd/system/s.service"), c.ctl("mask", "s.service").returncode], c.daemon_reload(), c.start("s.socket"), c.full("s.socket")])
