"""Type=dbus where there is no dbus.socket"""
def run(c):
    r = c.ctl("start", "a.service")
    c.obs("start", [r.returncode, c.full("a.service")])
    c.obs("two of one name", [c.prop("b.service", "LoadState")])
