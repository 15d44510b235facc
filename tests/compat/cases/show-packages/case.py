"""what show tells of Debian's daemons, but for what files/accepted names with a reason"""
def run(c):
    accepted = [l.split("\t")[0] for l in open("/run/case/files/accepted").read().splitlines() if "\t" in l]
    units = ["nginx.service", "ssh.service", "ssh.socket", "cron.service", "rsyslog.service", "redis-server.service", "memcached.service", "mosquitto.service", "dbus.service", "dbus.socket", "cups.service", "cups.socket", "uuidd.service", "uuidd.socket", "rpcbind.service", "rpcbind.socket", "tangd.socket"]
    foreign = re.compile(r"system.*\.slice|systemd-journald.*socket|.*\.mount|.*\.path|tmp\.mount|systemd-tmpfiles-setup\.service")  # the last for PrivateTmp=
    for u in units:
        kind = u.rsplit(".")[-1]
        for l in c.ctl("show", "--all", u).stdout.splitlines():
            k, _, v = l.partition("=")
            if k in ("Requires", "After"):
                c.obs(u + " " + k, sorted(x for x in set(v.split()) if not foreign.fullmatch(x)))
            if any(re.fullmatch(a, kind + " " + k) for a in accepted): continue
            if k == "CapabilityBoundingSet" and u == "uuidd.service": continue  # less by ProtectKernelModules= and the like
            if u + " " + k not in c.seen:
                c.obs(u + " " + k, sorted(x for x in v.split() if not foreign.fullmatch(x)) if k in ("Before", "Wants", "Conflicts", "Documentation", "Names") else v)
