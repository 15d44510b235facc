"""all that show tells of a unit, but for what files/accepted names with a reason"""
def run(c):
    c.start("a.service", "b.service", "c.socket", "d.target")
    accepted = [l.split("\t")[0] for l in open("/run/case/files/accepted").read().splitlines() if "\t" in l]
    foreign = {"system.slice", "systemd-journald.socket", "-.mount", "tmp.mount"}
    for u in ("a.service", "b.service", "c.socket", "c.service", "d.target", "none.service"):
        kind = "none" if u == "none.service" else u.split(".")[1]
        for l in c.ctl("show", "--all", u).stdout.splitlines():
            k, _, v = l.partition("=")
            if k in ("Requires", "After"):
                c.obs(u + " " + k, sorted(set(v.split()) - foreign))
            if any(re.fullmatch(a, kind + " " + k) for a in accepted): continue
            if u + " " + k not in c.seen:
                c.obs(u + " " + k, sorted(v.split()) if k in ("Before", "Wants", "Conflicts") else v)
    c.obs("none", c.full("none.service"))
