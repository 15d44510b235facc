"""a stop request while ExecStartPre= runs: the signal that ends it counts as a failure; ExecStop= is skipped"""
def run(c):
    c.ctl("start", "--no-block", "a.service")
    c.wait("a.service", "activating/start-pre")
    c.obs("stop", c.stop("a.service"))
    c.obs("state", c.full("a.service"))
    c.obs("trace", c.read("/run/case/trace"))
