"""start limit of a socket that cannot be bound"""
def run(c):
    k = socket.create_server(("127.0.0.1", 7001))
    c.obs("a", [[c.start("a.socket"), c.full("a.socket")] for i in range(7)])
    k.close()
    c.obs("still", [c.start("a.socket"), c.full("a.socket")])
    c.obs("reset", [c.reset_failed("a.socket"), c.start("a.socket"), c.full("a.socket")])
