"""how words with dollars and lines of an environment file are read"""
def run(c):
    c.obs("start", [c.start("a.service"), c.full("a.service")])
    j = c.waitjson("/run/a.json")
    c.obs("argv", j.get("argv", [])[3:])
    c.obs("env", {k: v for k, v in sorted(j["env"].items()) if k.startswith("E_")})
