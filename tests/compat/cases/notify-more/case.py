"""Type=notify: ready, exit before ready, status text, MAINPID, STOPPING, messages of others"""
def run(c):
    t = time.monotonic()
    c.obs("a", [c.start("a.service"), c.full("a.service"), time.monotonic() - t > 0.15])
    c.obs("b", [c.start("b.service"), c.full("b.service")])
    c.obs("d", [c.start("d.service"), c.full("d.service"), c.prop("d.service", "StatusText")])
    c.obs("e", [c.start("e.service"), c.full("e.service"), c.prop("e.service", "ExecMainStatus")])
    c.start("s.socket")
    k = c.unix("/run/s.sock")
    c.obs("s", [k.ask("notify STATUS=hello world"), c.wait_prop("s.service", "StatusText", "hello world")])
    c.obs("errno", [k.ask("notify ERRNO=2"), c.wait_prop("s.service", "StatusErrno", "2")])
    c.obs("reloading", [k.ask("notify RELOADING=1"), c.wait("s.service", "reloading"), k.ask("notify READY=1"), c.wait("s.service", "active/running")])
    c.obs("bad main pid", [k.ask("notify MAINPID=1"), c.sleep(0.2), c.prop("s.service", "MainPID") == k.ask("pid")])
    c.obs("stopping", [k.ask("notify STOPPING=1"), c.wait("s.service", "deactivating"), c.full("s.service")])
