#!/usr/bin/env python3
"""[Socket], directive by directive and surprise by surprise, with real sockets and services."""

import os
import sys

from daemon import answer, case, connect, eventually, main, talk

# Answers every connection at descriptor 3 with one byte and goes on.
SERVER = """import socket
with socket.socket(fileno=3) as listener:
    while True:
        peer = listener.accept()[0]
        peer.sendall(b"x")
        peer.close()
"""


def server(d, more=""):
    return f"[Unit]\n{more}\n[Service]\nExecStart={sys.executable} {d.file('server.py', SERVER)}\n"


def begin(d, *units, args=()):
    """usherd with these units started, and no other."""
    d.start("--units", d.units, "--target", "basic.target", *args)
    if units:
        d.ctl("start", *units, check=True)


# ---- commands of a socket

@case
def descriptors_for_commands(d):
    show = f"/bin/sh -c 'echo $0 $LISTEN_FDS $LISTEN_FDNAMES >> {d.folder}/seen'"
    commands = "".join(f"{key}={show} {key}\n".replace("' ", "' ") for key in
                       ("ExecStartPre", "ExecStartPost", "ExecStopPre", "ExecStopPost"))
    for name, more in (("none", ""), ("all", "PassFileDescriptorsToExec=yes\n")):
        d.unit(f"{name}.socket", "[Socket]\nListenStream=@a\nListenDatagram=@b\n"
               f"FileDescriptorName=f\n{more}{commands}")
        d.unit(f"{name}.service", "[Service]\nExecStart=/bin/true\n")
    begin(d)
    seen = {}
    for name in ("none", "all"):
        d.ctl("start", f"{name}.socket", check=True)
        d.ctl("stop", f"{name}.socket", check=True)
        seen[name] = open(f"{d.folder}/seen", encoding="ascii").read().split("\n")[:-1]
        os.unlink(f"{d.folder}/seen")
    assert seen["none"] == ["ExecStartPre", "ExecStartPost", "ExecStopPre", "ExecStopPost"], seen
    assert seen["all"] == ["ExecStartPre", "ExecStartPost 2 f:f", "ExecStopPre 2 f:f",
                           "ExecStopPost"], seen


# ---- DeferTrigger=

def conflicting(d, name, more, stop=""):
    d.unit(f"{name}.socket", f"[Socket]\nListenStream=@{name}\nDeferTrigger={more}\n")
    d.unit(f"{name}.service", server(d, f"Conflicts={name}-rival.service"))
    d.unit(f"{name}-rival.service", f"[Service]\nExecStart=/bin/sleep 1000\n{stop}")


@case
def deferred_until_the_rival_stops(d):
    conflicting(d, "p", "patient")
    begin(d, "p.socket", "p-rival.service")
    peer = connect("@p")
    eventually(lambda: d.show("p.socket", "SubState") == "deferred")
    assert d.show("p-rival.service", "ActiveState") == "active"
    assert d.show("p.service", "ActiveState") == "inactive"
    d.ctl("stop", "p-rival.service", check=True)
    assert peer.recv(1) == b"x"
    assert d.show("p.socket", "SubState") == "running"


@case
def deferred_while_jobs_run(d):
    conflicting(d, "y", "yes", "ExecStop=/bin/sleep 0.5\n")
    begin(d, "y.socket", "y-rival.service")
    d.ctl("stop", "--no-block", "y-rival.service", check=True)
    assert connect("@y").recv(1) == b"x"
    d.ctl("stop", "y.service", check=True)
    d.ctl("start", "y-rival.service", check=True)
    connect("@y")  # no job is under way: nothing to wait for
    eventually(lambda: d.show("y.socket", "ActiveState") == "failed")
    assert d.show("y.socket", "Result") == "resources"
    assert d.show("y-rival.service", "ActiveState") == "active"


@case
def deferred_for_a_limited_time(d):
    conflicting(d, "t", "patient\nDeferTriggerMaxSec=100ms")
    conflicting(d, "stopped", "patient")
    begin(d, "t.socket", "t-rival.service", "stopped.socket", "stopped-rival.service")
    connect("@t")
    eventually(lambda: d.show("t.socket", "Result") == "timeout")
    connect("@stopped")
    eventually(lambda: d.show("stopped.socket", "SubState") == "deferred")
    d.ctl("stop", "stopped.socket", check=True)
    assert d.show("stopped.socket", "SubState") == "dead"


# ---- connections

@case
def name_of_a_connection(d):
    for compat, expected in ((False, b"web"), (True, b"connection")):
        d.unit("n.socket", "[Socket]\nListenStream=@n\nAccept=yes\nFileDescriptorName=web\n")
        d.unit("n@.service", "[Service]\nExecStart=/bin/sh -c 'printf %%s $LISTEN_FDNAMES >&3'\n")
        begin(d, "n.socket", args=["--compat=systemd"] if compat else [])
        assert talk("@n") == expected
        d.stop()


# ---- reloads

@case
def unit_file_vanishes(d):
    """What a file no longer says is closed; what runs goes on; both can still be stopped."""
    for name in ("no", "yes"):
        d.unit(f"{name}.socket", f"[Socket]\nListenStream=@{name}\nAccept={name}\n")
    d.unit("no.service", server(d))
    d.unit("yes@.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n")
    begin(d, "no.socket", "yes.socket")
    peer = connect("@yes")
    peer.sendall(b"1")
    assert peer.recv(1) == b"1"
    for name in ("no", "yes"):
        os.unlink(f"{d.units}/{name}.socket")
    d.ctl("daemon-reload", check=True)
    assert answer("@no") == answer("@yes") == b""
    peer.sendall(b"2")
    assert peer.recv(1) == b"2"
    assert d.show("yes.socket", "LoadState") == "not-found"
    d.ctl("stop", "no.socket", "yes.socket", check=True)


if __name__ == "__main__":
    main()
