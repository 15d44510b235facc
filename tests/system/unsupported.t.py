#!/usr/bin/env python3
"""Directives that usher does not act on: which are refused, which cause a notice, and what decides."""

import re
import sys

from daemon import case, connect, main, talk

DENY = "IPAddressDeny=any\nIPAddressAllow=10.0.0.0/8\n"
# One connection, which with Accept=no is yet to be accepted.
SERVER = """import socket, sys
peer = socket.socket(fileno=3)
if sys.argv[1] == "False":
    peer = peer.accept()[0]
peer.sendall(b"hi\\n")
"""
ADDRESS = ("127.0.0.1", 7001)


def put(d, listen="127.0.0.1:7001", socket="", service="", accept=True):
    d.unit("a.socket", f"[Socket]\nListenStream={listen}\nAccept={'yes' if accept else 'no'}\n{socket}")
    d.unit("a@.service" if accept else "a.service", "[Unit]\nStartLimitBurst=100\n[Service]\n"
           f"ExecStart={sys.executable} {d.file('server.py', SERVER)} {accept}\n{service}")


def refused(address):
    try:
        connect(address).close()
    except OSError:
        return True
    return False


def begin(d, *args, config=""):
    d.start("--units", d.units, "--target", "basic.target",
            "--config", d.file("usher.conf", config, 0o644), *args)


def lint(d, *args):
    result = d.ctl("lint", "--units", d.units, *args, "a.socket")
    return result.returncode, result.stderr


# Listen, lines of the socket, of the service; the directive for which it is refused, None: a notice
ROWS = (
    ("127.0.0.1:7001", DENY, "", "IPAddressDeny"),
    ("127.0.0.1:7001", "", DENY, "IPAddressDeny"),
    ("127.0.0.1:7001", "NetworkNamespacePath=/run/netns/x\n", "", "NetworkNamespacePath"),
    ("127.0.0.1:7001", "", "NetworkNamespacePath=/run/netns/x\n", "NetworkNamespacePath"),
    ("127.0.0.1:7001", "PrivateNetwork=yes\n", "", "PrivateNetwork"),
    ("127.0.0.1:7001", "RestrictNetworkInterfaces=lo\n", "", "RestrictNetworkInterfaces"),
    # A service is given its sockets from outside: they are reached as they are with systemd.
    ("127.0.0.1:7001", "", "PrivateNetwork=yes\nProtectSystem=strict\n", None),
    # No address of the network.
    ("@a", DENY, DENY, None),
    # They exclude nobody.
    ("127.0.0.1:7001", f"{DENY}IPAddressAllow=any\n", "", None),
    ("127.0.0.1:7001", "IPAddressAllow=0.0.0.0/0 ::/0\nIPAddressDeny=any\n", "", None),
    ("127.0.0.1:7001", "IPAddressAllow=10.0.0.0/8\n", "", None),
    ("127.0.0.1:7001", "IPAddressDeny=any\nIPAddressDeny=\nPrivateNetwork=yes\nPrivateNetwork=no\n",
     "", None),
)


# Difference: unsupported-refuse
@case
def who_is_refused(d):
    for accept in (True, False):
        for i, (listen, socket, service, name) in enumerate(ROWS):
            put(d, listen, socket, service, accept)
            address = "@a" if listen == "@a" else ADDRESS
            row = (accept, i)
            code, text = lint(d)
            assert code == (1 if name else 0), (row, text)
            explained = d.ctl("explain", "--units", d.units, "a.socket")
            begin(d)
            result = d.ctl("start", "a.socket")
            assert result.returncode == (1 if name else 0), (row, result)
            if name:
                status = d.ctl("status", "a.socket").stdout
                for what in (text, status, explained.stdout + explained.stderr):
                    assert f"{name}=" in what and "Unsupported=notice" in what, (row, what)
                assert refused(address), row
            else:
                assert talk(address) == b"hi\n", row
            d.stop()
            for compat in (True, False):
                if name:
                    begin(d, *(["--compat=systemd"] if compat else []),
                          config="" if compat else "Unsupported = notice")
                    d.ctl("start", "a.socket", check=True)
                    assert talk(address) == b"hi\n", row
                    d.stop()
            assert lint(d, "--compat=systemd")[0] == 0, row
            assert not name or lint(d, "--config", d.file("c", "Unsupported = notice", 0o644))[0] == 0


@case
def all_that_lowers_security(d):
    """Unsupported=refuse: by the flags of the table; not what is there for convenience."""
    for line, is_refused in (("ProtectSystem=strict", True), ("ProtectSystem=no", False),
                             ("ProtectProc=default", False), ("ProtectHome=yes", True),
                             ("PrivateNetwork=yes", True), ("IPAddressDeny=any", True),
                             ("MemoryMax=1G", False), ("LogRateLimitBurst=3", False)):
        d.unit("s.service", f"[Service]\nExecStart=/bin/sleep 100\n{line}\n")
        begin(d, config="Unsupported = refuse")
        result = d.ctl("start", "s.service")
        assert result.returncode == is_refused, (line, result)
        config = d.file("usher.conf", "Unsupported = refuse", 0o644)
        checked = d.ctl("lint", "--units", d.units, "--config", config, "s.service")
        assert checked.returncode == is_refused, (line, checked)
        if is_refused:
            assert re.search(r"s\.service:3: .*Unsupported=refuse.*drop-in", checked.stderr)
        d.stop()


@case
def shown_in_status(d):
    d.unit("s.service", "[Service]\nExecStart=/bin/sleep 100\nProtectSystem=full\nMemoryMax=1G\n")
    begin(d)
    d.ctl("start", "s.service", check=True)
    assert "Ignored: ProtectSystem=, MemoryMax=\n" in d.ctl("status", "s.service").stdout
    assert d.show("s.service", "XUnacted") == "ProtectSystem MemoryMax"
    assert len(re.findall("Not acted on", d.log())) == 1
    # Also where nothing else has changed.
    d.unit("s.service", "[Service]\nExecStart=/bin/sleep 100\nMemoryMax=1G\n")
    d.ctl("daemon-reload", check=True)
    assert d.show("s.service", "XUnacted") == "MemoryMax"


@case
def reload_keeps_what_works(d):
    """A socket that is up keeps its settings, and says so, whichever file has got the directive."""
    for accept in (True, False):
        name = "a@.service" if accept else "a.service"
        put(d, accept=accept)
        begin(d)
        d.ctl("start", "a.socket", check=True)
        for changed in ("socket", "service"):
            put(d, accept=accept, **{changed: DENY})
            result = d.ctl("daemon-reload")
            assert result.returncode == 1 and "IPAddressDeny" in result.stderr, (changed, result)
            assert talk(ADDRESS) == b"hi\n"
            unit = "a.socket" if changed == "socket" or accept else name
            assert "keeps its settings" in d.ctl("status", "-n0", unit).stdout, changed
            put(d, accept=accept)
            d.ctl("daemon-reload", check=True)
            assert "keeps its settings" not in d.ctl("status", "-n0", unit).stdout
        d.ctl("stop", "a.socket", check=True)
        put(d, accept=accept, service=DENY)
        d.ctl("daemon-reload", check=True)
        assert d.ctl("start", "a.socket").returncode == 1
        # A local socket that gets an address of the network.
        put(d, "@a", service=DENY, accept=accept)
        d.ctl("daemon-reload", check=True)
        d.ctl("start", "a.socket", check=True)
        put(d, service=DENY, accept=accept)
        result = d.ctl("daemon-reload")
        assert result.returncode == 1 and refused(ADDRESS), result
        d.stop()


@case
def drop_in_takes_it_back(d):
    put(d, socket=DENY, service=DENY)
    for unit in ("a.socket", "a@.service"):
        section = "Socket" if unit == "a.socket" else "Service"
        d.unit(f"{unit}.d/open.conf", f"[{section}]\nIPAddressDeny=\n")
    assert lint(d)[0] == 0
    begin(d)
    d.ctl("start", "a.socket", check=True)
    assert talk(ADDRESS) == b"hi\n"


if __name__ == "__main__":
    main()
