"""FIFO, message queue, special file, netlink"""
def run(c):
    c.obs("start", [c.start(u + ".socket") for u in "amnsw"])
    c.obs("states", {u: c.full(u + ".socket").split("/")[0] + "/" + c.full(u + ".socket").split("/")[1] for u in "amn"})
    c.obs("listen", {u: c.prop(u + ".socket", "Listen") for u in "amnsw"})
    c.obs("modes", c.mode("/run/a.fifo"))
    c.obs("props", [c.show("m.socket", "MessageQueueMaxMessages", "MessageQueueMessageSize"), c.prop("a.socket", "PipeSize"), c.prop("s.socket", "Writable")])
    f = os.open("/run/a.fifo", os.O_WRONLY | os.O_NONBLOCK)
    os.write(f, b"echo hi\n")
    c.obs("a", c.wait("a.service", "active"))
    c.obs("stop", [c.stop("a.service"), c.stop("a.socket"), c.exists("/run/a.fifo")])
