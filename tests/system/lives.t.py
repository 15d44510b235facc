#!/usr/bin/env python3
"""How other events change a service: restarts, reloads of its file, units that uphold it or handle its failure."""

import os
import signal
import sys
import threading

from daemon import PATIENCE, answer, case, eventually, main
from raw_bus import Client


def lines(d, name):
    try:
        with open(os.path.join(d.folder, name), encoding="utf-8") as file:
            return file.read().split("\n")[:-1]
    except FileNotFoundError:
        return []


def note(d, name, text):
    return f"/bin/sh -c 'echo {text} >>{d.folder}/{name}'"


def hold(d, name):
    """A command that waits until a file is there."""
    return f"/bin/sh -c 'while [ ! -e {d.folder}/{name} ]; do sleep 0.02; done'"


@case
def direct_restart_while_it_starts(d):
    """RestartMode=direct: the start that is under way goes on with the next life, and ends with it."""
    d.unit("twice.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nRestart=on-failure\nRestartMode=direct\n"
           f"RestartSec=10ms\nExecStart=/bin/sh -c 'echo x >>{d.folder}/n; test $(wc -l <{d.folder}/n) = 2'\n")
    d.unit("never.service", "[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=60\n[Service]\nType=oneshot\n"
           "Restart=on-failure\nRestartMode=direct\nRestartSec=10ms\n"
           f"ExecStart=/bin/sh -c 'echo x >>{d.folder}/m; exit 1'\n")
    d.start()
    assert d.ctl("start", "twice.service", timeout=PATIENCE).returncode == 0
    assert len(lines(d, "n")) == 2 and d.show("twice.service", "NRestarts") == "1"
    assert d.ctl("start", "never.service", timeout=PATIENCE).returncode != 0
    assert len(lines(d, "m")) == 3


@case
def upheld_unit_is_tried_again(d):
    d.unit("holder.service", "[Unit]\nUpholds=held.service\n[Service]\nExecStart=/bin/sleep 600\n")
    d.unit("held.service", "[Unit]\nRequires=need.service\nAfter=need.service\n[Service]\nExecStart=/bin/sleep 600\n")
    d.unit("need.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\n"
           f"ExecStart=/bin/sh -c 'echo x >>{d.folder}/tries; test -e {d.folder}/good'\n")
    d.start()
    assert d.ctl("start", "holder.service").returncode == 0
    eventually(lambda: len(lines(d, "tries")) > 1, "a second try")
    d.file("good", "")
    eventually(lambda: d.show("held.service", "ActiveState") == "active", "the upheld unit")


@case
def handlers_are_told_in_each_command(d):
    for name, end, directive in (("good", "true", "OnSuccess"), ("bad", "false", "OnFailure")):
        d.unit(f"{name}.service", f"[Unit]\n{directive}={name}-h.service\nAfter=idle.service\n[Service]\nExecStart=/bin/{end}\n")
        told = f"/bin/sh -c 'echo $$MONITOR_UNIT $$MONITOR_SERVICE_RESULT $$MONITOR_EXIT_STATUS >>{d.folder}/{name}'\n"
        # Between the first and the second the service that has ended is unloaded.
        d.unit(f"{name}-h.service", f"[Unit]\nAfter=slow.service\nWants=slow.service\n[Service]\nType=oneshot\n"
               f"ExecStartPre={told}ExecStartPre=/bin/sleep 0.3\nExecStart={told}ExecStart={told}")
    d.unit("slow.service", "[Service]\nType=oneshot\nExecStart=/bin/sleep 0.3\n")
    # It would start the same ones.
    d.unit("idle.service", "[Unit]\nOnSuccess=good-h.service\nOnFailure=bad-h.service\n[Service]\n"
           "ExecStart=/bin/true\n")
    d.start()
    d.ctl("start", "good.service", "bad.service")
    for name, expected in (("good", "good.service success 0"), ("bad", "bad.service exit-code 1")):
        eventually(lambda n=name: len(lines(d, n)) == 3, f"the handler of {name}.service")
        assert lines(d, name) == [expected] * 3, lines(d, name)


@case
def list_goes_on_behind_the_same_command(d):
    """Whatever a reload puts before it; where it is gone, it was the last."""
    def unit(name, *commands):
        d.unit(f"{name}.service", "[Service]\nType=oneshot\n" + "".join(f"{c}\n" for c in commands))
    for name, key in (("moved", "ExecStart"), ("pre", "ExecStartPre")):
        first, wait, last = (f"{key}={c}" for c in (note(d, name, "first"), hold(d, "go"), note(d, name, "last")))
        unit(name, first, wait, last, "ExecStart=/bin/true")
    unit("gone", f"ExecStart={hold(d, 'go')}", f"ExecStart={note(d, 'gone', 'last')}")
    d.start()
    threads = [threading.Thread(target=d.ctl, args=("start", f"{n}.service")) for n in ("moved", "pre", "gone")]
    for thread in threads:
        thread.start()
    for name in ("moved", "pre"):
        eventually(lambda n=name: lines(d, n) == ["first"], f"the first command of {name}.service")
    eventually(lambda: d.show("gone.service", "ActiveState") == "activating", "gone.service")
    for name, key in (("moved", "ExecStart"), ("pre", "ExecStartPre")):
        added = f"{key}={note(d, name, 'added')}"
        first, wait, last = (f"{key}={c}" for c in (note(d, name, "first"), hold(d, "go"), note(d, name, "last")))
        unit(name, added, first, wait, last, "ExecStart=/bin/true")
    unit("gone", f"ExecStart={note(d, 'gone', 'other')}", f"ExecStart={note(d, 'gone', 'another')}")
    d.ctl("daemon-reload", check=True)
    d.file("go", "")
    for thread in threads:
        thread.join(PATIENCE)
    assert lines(d, "moved") == ["first", "last"], lines(d, "moved")
    assert lines(d, "pre") == ["first", "last"], lines(d, "pre")
    assert lines(d, "gone") == [], lines(d, "gone")
    assert d.show("gone.service", "Result") == "success"


@case
def runtime_limit_by_a_reload(d):
    text = "[Service]\nExecStart=/bin/sleep 600\n{}"
    d.unit("none.service", text.format(""))
    d.unit("some.service", text.format("RuntimeMaxSec=3\n"))
    d.start()
    d.ctl("start", "none.service", "some.service", check=True)
    d.unit("none.service", text.format("RuntimeMaxSec=100ms\n"))
    d.unit("some.service", text.format(""))
    d.ctl("daemon-reload", check=True)
    eventually(lambda: d.show("none.service", "Result") == "timeout", "the new limit")
    # Long enough for the old one.
    d.unit("clock.service", "[Service]\nType=oneshot\nExecStart=/bin/sleep 3.5\n")
    assert d.ctl("start", "clock.service").returncode == 0
    assert d.show("some.service", "ActiveState") == "active"


@case
def nothing_asked_for_contradicts_nothing(d):
    """try-restart of a unit that waits for another, with --job-mode=fail."""
    d.unit("slow.service", f"[Service]\nType=oneshot\nExecStart={hold(d, 'go')}\n")
    d.unit("waits.service", "[Unit]\nAfter=slow.service\nWants=slow.service\n[Service]\nExecStart=/bin/sleep 600\n")
    d.start()
    d.ctl("start", "--no-block", "waits.service", check=True)
    for verb in ("try-restart", "try-reload-or-restart"):
        result = d.ctl(verb, "--job-mode=fail", "waits.service", timeout=PATIENCE)
        assert result.returncode == 0, result
    d.file("go", "")
    eventually(lambda: d.show("waits.service", "ActiveState") == "active", "the start that waited")


ECHO = """import socket
with socket.socket(fileno=3) as listener:
    while True:
        peer = listener.accept()[0]
        peer.sendall(peer.recv(100))
        peer.close()
"""


def bound_pair(d, more=""):
    script = d.file("echo.py", ECHO)
    path = os.path.join(d.folder, "bound.sock")
    d.unit("bound.socket", f"[Unit]\nBindsTo=bound.service\n[Socket]\nListenStream={path}\nRemoveOnStop=yes\n")
    d.unit("bound.service", "[Unit]\nRequires=bound.socket\nAfter=bound.socket\nStartLimitBurst=2\n"
           f"StartLimitIntervalSec=1h\n[Service]\nExecStart={sys.executable} {script}\nRestart=always\n"
           f"RestartSec=100ms\nExecStopPost=/bin/sleep 0.1\n{more}")
    return path


def crash(d):
    os.kill(int(d.show("bound.service", "MainPID")), signal.SIGKILL)


# Difference: restart-no-stop
@case
def bound_socket_stays_over_a_restart(d):
    path = bound_pair(d)
    d.start("--units", d.units, "bound.service")
    eventually(lambda: answer(path) == b"x", "the service")
    crash(d)
    eventually(lambda: d.show("bound.service", "NRestarts") == "1" and answer(path) == b"x", "its next life")
    # The limit is reached: now it does not come back, and neither does what is bound to it.
    crash(d)
    eventually(lambda: d.show("bound.socket", "ActiveState") != "active", "the end of the socket")
    assert not os.path.exists(path)


@case
def as_systemd_the_bound_socket_ends(d):
    path = bound_pair(d)
    d.start("--compat=systemd", "--units", d.units, "bound.service")
    eventually(lambda: answer(path) == b"x", "the service")
    crash(d)
    eventually(lambda: d.show("bound.socket", "ActiveState") == "inactive", "the end of the socket")
    eventually(lambda: d.show("bound.service", "ActiveState") in ("inactive", "failed"), "the end of the service")


def sidecar_units(d):
    """A service that only writes into the FIFO which starts the reader."""
    d.unit("reader.socket", f"[Socket]\nListenFIFO={d.folder}/fifo\n")
    d.unit("reader.service", "[Service]\nStandardInput=socket\n"
           f"ExecStart=/bin/sh -c 'read l; echo got $l >>{d.folder}/got'\n")
    d.unit("writer.service", "[Unit]\nAfter=reader.socket\n[Service]\nSockets=reader.socket\n"
           f"StandardOutput=fd:reader.socket\nExecStart=/bin/sh -c '{{ while [ ! -e {d.folder}/go ]; do sleep 0.02; done; "
           "echo line; exec sleep 600; }'\n")


# Difference: sidecar
@case
def sidecar_does_not_serve_the_socket(d):
    sidecar_units(d)
    d.start("--units", d.units, "reader.socket", "writer.service")
    eventually(lambda: d.show("writer.service", "SubState") == "running", "the writer")
    assert d.show("reader.socket", "SubState") == "listening"
    d.file("go", "")
    eventually(lambda: lines(d, "got") == ["got line"], "the reader")


@case
def as_systemd_the_sidecar_does(d):
    sidecar_units(d)
    d.start("--compat=systemd", "--units", d.units, "reader.socket", "writer.service")
    eventually(lambda: d.show("reader.socket", "SubState") == "running", "the socket, which is taken for served")


@case
def listener_that_the_service_lacks(d):
    """One that a reload adds, and one of a socket that is started later, say so until the service restarts."""
    script = d.file("echo.py", ECHO)
    d.unit("first.socket", "[Socket]\nListenStream=127.0.0.1:7001\nService=one.service\n")
    d.unit("later.socket", "[Socket]\nListenStream=127.0.0.1:7003\nService=one.service\n")
    d.unit("one.service", f"[Service]\nExecStart={sys.executable} {script}\n")
    d.start("--units", d.units, "first.socket")
    assert answer(("127.0.0.1", 7001)) == b"x"
    assert "runs without" not in d.show("first.socket", "StatusText")
    d.unit("first.socket", "[Socket]\nListenStream=127.0.0.1:7001\nListenStream=127.0.0.1:7002\nService=one.service\n")
    d.ctl("daemon-reload", check=True)
    d.logged(r"first\.socket: one\.service runs already, without 127\.0\.0\.1:7002: .*usherctl restart one\.service")
    d.ctl("start", "later.socket", check=True)
    d.logged(r"later\.socket: one\.service runs already, without 127\.0\.0\.1:7003")
    for unit in ("first.socket", "later.socket"):
        assert "runs without" in d.show(unit, "StatusText"), unit
    d.ctl("restart", "one.service", check=True)
    for unit in ("first.socket", "later.socket"):
        assert "runs without" not in d.show(unit, "StatusText"), unit
    assert answer(("127.0.0.1", 7001)) == b"x"


@case
def end_is_told_before_the_unit_is_gone(d):
    """Whoever follows a unit sees its last state, though it is unloaded at once (systemctl start --wait)."""
    d.unit("short.service", "[Service]\nExecStart=/bin/true\n")
    d.start()
    with Client(d) as follower:
        follower.authenticate()
        assert not follower.call("Subscribe")[0]
        assert d.ctl("start", "short.service").returncode == 0
        told = b""
        while b"UnitRemoved" not in told:
            told += follower.sock.recv(1 << 16)
        before = told[:told.index(b"UnitRemoved")]
        assert b"\0inactive\0" in before[before.rindex(b"PropertiesChanged", 0, before.rindex(b"ActiveState")):], told


main()
