"""a oneshot behind a socket: one that remains, one that serves and ends"""
def run(c):
    c.start("a.socket", "b.socket")
    k = c.unix("/run/a.sock")
    c.obs("a", [c.wait("a.service", "active"), c.state("a.socket"), c.try_unix("/run/a.sock")])
    c.obs("stop a", [c.stop("a.service"), c.sleep(0.3), c.state("a.socket") in ("active/listening", "active/running", "failed/failed")])
    k = c.unix("/run/b.sock")
    c.obs("b", [k.ask("echo 1"), c.state("b.service"), c.state("b.socket")])
    k.close()
    c.obs("b after", [c.wait("b.service", "inactive"), c.wait("b.socket", "active/listening")])
    c.obs("b again", c.unix("/run/b.sock").ask("echo 2"))
