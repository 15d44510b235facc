"""Service=, Sockets=, names of descriptors, a service started by hand"""
def run(c):
    c.obs("start", [c.start(u + ".socket") for u in "abdef"])
    c.obs("a", pick(c.unix("/run/a.sock").json()["env"], "LISTEN_FDS", "LISTEN_FDNAMES"))
    c.obs("b triggers", [c.prop("b.socket", "Triggers"), c.prop("b.service", "TriggeredBy"), c.prop("a.socket", "Triggers"), c.prop("other.service", "TriggeredBy")])
    c.obs("d", [c.state("d.service"), c.prop("d.socket", "FileDescriptorName")])
    c.obs("ef", [c.full("e.socket"), c.full("f.socket")])
    c.obs("by hand", [c.start("b.service"), c.state("b.socket"), c.state("b.service")])
    k = c.unix("/run/b.sock")
    c.obs("b env", sorted((k.json()["env"].get("LISTEN_FDNAMES") or "").split(":")))
