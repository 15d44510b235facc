"""FlushPending= empties what a service left, and without it the trigger limit ends the loop"""
def run(c):
    c.start("a.socket", "b.socket", "d.socket")
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(b"x", ("127.0.0.1", 7001))
    s.sendto(b"y", ("127.0.0.1", 7001))
    c.waitlog(1); c.wait("a.service", "inactive"); c.sleep(0.3)
    c.obs("a", [c.log(), c.state("a.socket")])
    c.tcp(7002)
    c.sleep(0.5)
    c.obs("b", [c.log().count("b"), c.full("b.socket")])
    s.sendto(b"x", ("127.0.0.1", 7003))
    c.obs("d", [c.wait("d.socket", "failed"), c.full("d.socket"), c.log().count("d")])
