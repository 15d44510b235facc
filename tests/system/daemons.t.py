#!/usr/bin/env python3
"""Daemons of Debian under their own units, unmodified: started, queried, reloaded, killed, stopped."""

import os
import signal
import socket

from daemon import WRAPPER, case, connect, eventually, main, need, own_folder, package_units, run


def ask(address, request, expected):
    """What a daemon answers to one request, as long as it is what was expected; else nothing."""
    try:
        with connect(address, timeout=5) as sock:
            sock.sendall(request)
            return expected in sock.recv(65536)
    except OSError:
        return False


def begin(d, *units):
    if WRAPPER:  # valgrind lets no limit of descriptors be raised above its own
        for unit in units:
            d.unit(f"{unit}.d/limit.conf", "[Service]\nLimitNOFILE=\n")
    d.start("--units", d.units, "--target", "basic.target")
    d.ctl("start", *units, check=True, timeout=90)


def main_pid(d, unit):
    return int(d.show(unit, "MainPID"))


def check_life(d, unit, works, reloads=False, restarts=True):
    """It works; after a reload, too; killed, it comes back; stopped, it is gone."""
    eventually(works, f"{unit} to work")
    pid = main_pid(d, unit)
    assert d.show(unit, "ActiveState") == "active"
    if reloads:
        d.ctl("reload", unit, check=True)
        eventually(works, f"{unit} to work after a reload")
        assert d.show(unit, "ActiveState") == "active"
    d.ctl("restart", unit, check=True, timeout=90)
    eventually(works, f"{unit} to work after a restart")
    assert main_pid(d, unit) != pid
    pid = main_pid(d, unit)
    os.kill(pid, signal.SIGKILL)
    if restarts:
        eventually(lambda: d.show(unit, "ActiveState") == "active" and main_pid(d, unit) not in (0, pid),
                   f"{unit} to come back")
        assert int(d.show(unit, "NRestarts")) >= 1
        eventually(works, f"{unit} to work after SIGKILL")
    else:
        eventually(lambda: d.show(unit, "ActiveState") == "failed")
        assert d.show(unit, "Result") == "signal"
        d.ctl("start", unit, check=True, timeout=90)
        eventually(works)
    d.ctl("stop", unit, check=True, timeout=90)
    assert d.show(unit, "SubState") == "dead", d.show(unit, "SubState")
    assert d.show(unit, "Result") == "success"
    assert main_pid(d, unit) == 0


@case
def nginx(d):
    """Type=forking with a PIDFile=; stopped by start-stop-daemon."""
    package_units(d, "nginx.service")
    own_folder("/run")
    own_folder("/var/log/nginx")
    begin(d, "nginx.service")
    check_life(d, "nginx.service", lambda: ask(("127.0.0.1", 80), b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.1 "),
               reloads=True, restarts=False)


@case
def cron(d):
    package_units(d, "cron.service")
    own_folder("/run")
    begin(d, "cron.service")
    check_life(d, "cron.service", lambda: os.path.exists("/run/crond.pid")
               and open("/run/crond.pid", encoding="ascii").read().strip() == str(main_pid(d, "cron.service")))


@case
def rsyslog(d):
    """Type=notify, with a datagram socket that systemd's package brings."""
    package_units(d, "rsyslog.service", "syslog.socket")
    own_folder("/run")
    # Its package enables it: that makes the alias which its socket starts.
    d.ctl("--units", d.units, "enable", "rsyslog.service", check=True)
    own_folder("/var/log")
    os.makedirs("/run/systemd/system")  # sd_booted(3): else it looks for no socket of this name
    n = 0

    def works():
        nonlocal n
        n += 1
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.connect("/run/systemd/journal/syslog")
            sock.send(f"<13>usher-test: line {n}".encode())
        try:
            eventually(lambda: f"line {n}\n" in open("/var/log/syslog", encoding="utf-8").read(), patience=2)
            return True
        except (AssertionError, FileNotFoundError):
            return False
    try:
        begin(d, "rsyslog.service")
        check_life(d, "rsyslog.service", works)
    finally:
        run("umount", "-l", "/var/log")  # other daemons have folders there


@case
def redis(d):
    """Type=notify under a user of its own, with folders of the supervisor."""
    package_units(d, "redis-server.service")
    own_folder("/run")
    begin(d, "redis-server.service")
    assert os.stat("/run/redis").st_mode & 0o7777 == 0o2755
    check_life(d, "redis-server.service", lambda: ask(("127.0.0.1", 6379), b"PING\r\n", b"+PONG"))
    assert not os.path.exists("/run/redis")


@case
def memcached(d):
    package_units(d, "memcached.service")
    own_folder("/run")
    begin(d, "memcached.service")
    check_life(d, "memcached.service", lambda: ask(("127.0.0.1", 11211), b"version\r\n", b"VERSION "))


@case
def mosquitto(d):
    """Type=notify; its CONNECT packet is answered."""
    package_units(d, "mosquitto.service")
    own_folder("/run")
    own_folder("/var/log/mosquitto")
    begin(d, "mosquitto.service")
    hello = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02us"
    check_life(d, "mosquitto.service", lambda: ask(("127.0.0.1", 1883), hello, b"\x20\x02"), reloads=True)


@case
def dbus(d):
    """A socket and Type=notify; the stock clients reach the bus through it."""
    package_units(d, "dbus.service", "dbus.socket")
    client = need("dbus-send")
    own_folder("/run")
    begin(d, "dbus.socket")

    def works():
        return "org.freedesktop.DBus" in run(
            client, "--system", "--print-reply", "--dest=org.freedesktop.DBus", "/",
            "org.freedesktop.DBus.ListNames").stdout
    eventually(works)  # it was started by this
    check_life(d, "dbus.service", works, reloads=True, restarts=False)


@case
def cups(d):
    """A local socket starts it, and takes it over when it is back."""
    package_units(d, "cups.service", "cups.socket")
    own_folder("/run")
    own_folder("/var/spool/cups")
    own_folder("/var/cache/cups")
    own_folder("/var/log/cups")
    begin(d, "cups.socket")

    def works():
        return ask("/run/cups/cups.sock", b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.")
    eventually(works)
    check_life(d, "cups.service", works)
    assert d.show("cups.socket", "SubState") in ("dead", "listening")


if __name__ == "__main__":
    main()
