"""addresses that cannot be bound"""
def run(c):
    os.mkdir("/run/dir"); c.write("/run/file", "x"); c.write("/run/file2", "x")
    for u in "abcdefhi":
        c.obs(u, [c.start(u + ".socket"), c.full(u + ".socket")])
    c.obs("files", [c.mode("/run/dir"), c.mode("/run/file"), c.mode("/run/file2")])
    c.obs("listening", c.listening())
