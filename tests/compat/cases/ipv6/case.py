"""IPv6, both families, instance names and peer addresses"""
def run(c):
    c.start("a.socket", "b.socket", "c.socket", "d.socket")
    c.obs("e", [c.start("e.socket"), c.full("e.socket")])
    c.obs("listening", c.listening())
    c.obs("a", [c.tcp(7001).ask("echo 4"), c.tcp(7001, "::1").ask("echo 6")])
    c.obs("b", [c.tcp(7002).ask("echo 4"), c.tcp(7002, "::1").ask("echo 6")])
    k4 = c.tcp(7003); j = k4.json(); c.obs("c4", [j["env"].get("REMOTE_ADDR"), fd(j, 3).get("sockname")])
    k6 = c.tcp(7003, "::1"); j = k6.json(); c.obs("c6", [j["env"].get("REMOTE_ADDR"), fd(j, 3).get("sockname")])
    k = c.tcp(7004, "::1"); j = k.json(); c.obs("d", [j["env"].get("REMOTE_ADDR")])
    c.obs("names", [re.sub(r"(?<=-)\d+(?=-)|:\d+(?=\.service)|:\d+(?=-)", "N", i) for i in c.instances("c@*") + c.instances("d@*")])
