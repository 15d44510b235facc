"""folders that services ask for"""
def run(c):
    c.obs("a", [c.start("a.service"), [c.mode(p) for p in ("/run/ra", "/run/ra/sub", "/var/lib/sa", "/var/cache/ca", "/var/log/la", "/etc/fa")]])
    c.obs("a stop", [c.stop("a.service"), c.exists("/run/ra"), c.exists("/var/lib/sa")])
    c.obs("b", [c.start("b.service"), c.stop("b.service"), c.mode("/run/rb")])
    c.obs("c", [c.start("c.service"), c.exists("/run/rc/mark"), c.restart("c.service"), c.exists("/run/rc/mark"), c.stop("c.service"), c.exists("/run/rc")])
    c.obs("d", [c.start("d.service"), c.read("/run/d.env"), c.mode("/var/lib/sd"), c.mode("/var/lib/sd/x"), c.exists("/run/rd1")])
    c.obs("e", [c.start("e.service"), c.full("e.service"), c.mode("/var/cache/ce"), c.exists("/x")])
