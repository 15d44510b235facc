"""environment, arguments, ids, folders, limits; and the exit status of each thing that can go wrong"""
def run(c):
    for u in "abdefghijkl":
        c.obs(u, [c.start(u + ".service"), c.full(u + ".service"), c.prop(u + ".service", "ExecMainStatus")])
    j = c.waitjson("/run/a.json")
    c.obs("a argv", j["argv"])
    c.obs("a env", {k: v for k, v in sorted(j["env"].items()) if k not in ("LANG", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID")})
    c.obs("a rest", {k: j[k] for k in sorted(j) if k in ("umask", "cwd", "nice", "oom", "sigign", "sigblk", "limits")})
    j = c.waitjson("/run/b/b.json")
    c.obs("b env", {k: v for k, v in sorted(j["env"].items()) if k not in ("LANG", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID")})
    c.obs("b who", pick(j, "uid", "gid", "groups", "cwd", "umask"))
    c.obs("b plus", pick(c.waitjson("/run/b-plus.json"), "uid", "gid", "cwd"))
    c.obs("b dirs", [c.mode(p) for p in ("/run/b", "/run/b/sub", "/run/c", "/run/c/d", "/var/lib/bstate", "/var/cache/bcache", "/var/log/blogs", "/etc/bconf")])
    c.obs("d argv", [c.waitjson("/run/d.json")["argv"], c.waitjson("/run/d2.json")["argv"]])
    c.obs("log", c.log())
