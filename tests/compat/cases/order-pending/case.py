"""a start that would wait for a pending one which waits for it"""
def run(c):
    S = lambda *u: [c.state(x + ".service") for x in u]
    code = lambda *a: c.ctl(*a).returncode
    c.obs("queue", [code("start", "--no-block", "slow.service"), code("start", "--no-block", "u2.service")])
    c.sleep(0.3)
    c.obs("waits", S("slow", "u2"))
    c.obs("requests", [code("start", "--no-block", "v0.service"), code("start", "--no-block", "u0.service")])
    c.sleep(0.3)
    c.obs("then", S("slow", "u2", "u0", "v0"))
    c.write("/run/go", "")
    c.sleep(0.7)
    c.obs("end", S("slow", "u2", "u0", "v0"))
