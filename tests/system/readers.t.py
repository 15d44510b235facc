#!/usr/bin/env python3
"""What clients with read access see at the control socket: units and states, but no secrets."""

import contextlib
import os
import shutil
import socket
import subprocess
import time

from daemon import PATIENCE, case, eventually, main, need_root
from raw_bus import (MANAGER, NAME, NOBODY, PROPERTIES, ROOT, Client, others, pad, pair, string, strings)

SECRETIVE = """[Service]
Environment=PASS=hunter2
UnsetEnvironment=OTHER=hunter2
StandardInput=data
StandardInputText=hunter2
ExecStart=/bin/sh -c 'cat; exec sleep 600'
"""
UNIT = ROOT + "/unit/secretive_2eservice"


def everything(client):
    """All properties of the unit and of the manager, as the client gets them."""
    told = b""
    for path in (UNIT, ROOT, ROOT + "/unit/echo_2esocket"):
        is_error, data = client.call("GetAll", "s", string(""), path=path, interface=PROPERTIES)
        assert not is_error, data
        told += data
    for path, interface, name in ((UNIT, NAME + ".Service", "Environment"), (UNIT, NAME + ".Unit", "InvocationID"),
                                  (ROOT, MANAGER, "Environment"), (UNIT, NAME + ".Service", "StandardInputData")):
        body = string(interface)
        told += client.call("Get", "ss", pad(body, 4) + string(name), path=path, interface=PROPERTIES)[1]
    return told


# Difference: strangers
@case
def secrets(d):
    """Environments, what is read and invocation ids are for those who control."""
    need_root()
    pair(d)
    d.unit("echo.socket.d/more.conf", "[Socket]\nEnvironment=PASS=hunter2\n")
    d.unit("secretive.service", SECRETIVE)
    d.start()
    d.ctl("set-environment", "PASSWORD=hunter2", check=True)
    with Client(d, NOBODY) as reader, Client(d) as root:
        for client in reader, root:
            client.authenticate()
            assert not client.call("Subscribe")[0]
        assert d.ctl("start", "secretive.service").returncode == 0
        invocation = bytes.fromhex(d.show("secretive.service", "InvocationID"))
        assert len(invocation) == 16
        told, to_root = everything(reader), everything(root)
        assert b"hunter2" not in told and invocation not in told
        assert to_root.count(b"hunter2") >= 7, to_root.count(b"hunter2")
        assert to_root.count(invocation) >= 2 and b"sleep 600" in told
        # Nor do they come with a signal.
        assert d.ctl("restart", "secretive.service").returncode == 0
        second = bytes.fromhex(d.show("secretive.service", "InvocationID"))
        for client, is_told in ((reader, False), (root, True)):
            data = b""
            client.sock.settimeout(0.5)
            with contextlib.suppress(socket.timeout):
                while True:
                    data += client.sock.recv(1 << 20)
            assert b"JobRemoved" in data and b"PropertiesChanged" in data
            assert (second in data) == is_told, (is_told, data)
    ctl = others(d)
    assert "hunter2" not in ctl("show", "secretive.service").stdout
    assert "hunter2" not in ctl("show-environment").stdout and "hunter2" in d.ctl("show-environment").stdout


@case
def signals_are_asked_for(d):
    """Readers get no signals unless they subscribe, and only a limited number may."""
    need_root()
    pair(d)
    d.unit("one.target", "[Unit]\nDescription=One\n")
    d.start()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(d, NOBODY - i % 6)) for i in range(24)]
        for client in clients:
            client.authenticate()
            assert not client.call("GetUnit", "s", string("echo.socket"))[0]
        told = [not client.call("Subscribe")[0] for client in clients[1:]]
        assert 0 < told.count(True) <= 16, told
        d.ctl("start", "one.target")
        for client, is_told in zip(clients, [False] + told):
            client.sock.settimeout(0.2 if not is_told else 1)
            got, end = b"", time.monotonic() + PATIENCE
            while not got:
                try:
                    got = client.sock.recv(1 << 20)
                except socket.timeout:
                    # Readers miss signals when their share of the time is used up.
                    if not is_told or time.monotonic() > end:
                        break
                    d.ctl("restart", "one.target")
            assert bool(got) == is_told
        # A place that is given back is there for another.
        for client in clients[1:]:
            client.sock.close()
        with Client(d, NOBODY) as client:
            client.authenticate()
            eventually(lambda: not client.call("Subscribe")[0], "a place")


# AllowLogs=, and who may then read logs: nobody; nobody as a member of group 4; user 1.
LOGS = [
    (None, False, False, False),
    ("none", False, False, False),
    ("all", True, True, True),
    ('{"@adm"}', False, True, False),
    ("daemon", False, False, True),
]


@case
def logs(d):
    need_root()
    pair(d)
    d.unit("talk.service", "[Service]\nType=oneshot\nExecStart=/bin/echo spoken\n")
    ctl = others(d)
    for allow, *expected in LOGS:
        d.unit("../usher.conf", f"AllowLogs = {allow}\n" if allow else "")
        d.start("--units", d.units, "--config", os.path.join(d.folder, "usher.conf"))
        assert d.ctl("start", "talk.service").returncode == 0
        eventually(lambda: "spoken" in d.ctl("logs").stdout, "its line")
        for who, may in zip(({"uid": NOBODY}, {"uid": NOBODY, "groups": [4]}, {"uid": 1}), expected):
            answer = ctl("logs", **who)
            assert ("spoken" in answer.stdout) == may, (allow, who, answer)
            assert answer.returncode == (0 if may else 4), (allow, who, answer)
            # The rest of a status is for all readers.
            answer = ctl("status", "echo.socket", **who)
            assert answer.returncode == 0 and "active (listening)" in answer.stdout, answer
        d.stop()


@case
def status_for_all(d):
    """Of both clients."""
    need_root()
    pair(d)
    d.unit("secretive.service", SECRETIVE)
    d.start()
    assert d.ctl("start", "secretive.service").returncode == 0
    ctl = others(d)
    answer = ctl("status", "secretive.service", "echo.socket")
    assert answer.returncode == 0 and "Main PID" in answer.stdout and "hunter2" not in answer.stdout, answer
    assert ctl("show", "-p", "ActiveState", "--value", "echo.socket").stdout == "active\n"
    assert ctl("is-active", "nothing.service").returncode == 3
    answer = ctl("status", "nothing.service")
    assert answer.returncode == 4, answer
    if shutil.which("systemctl"):
        env = dict(os.environ, XDG_RUNTIME_DIR=d.runtime, SYSTEMD_PAGER="", LC_ALL="C.UTF-8")

        def stock(*words):
            return subprocess.run(["systemctl", "--user", *words], env=env, user=NOBODY, group=NOBODY,
                                  extra_groups=[], capture_output=True, text=True, check=False, timeout=60)
        answer = stock("status", "secretive.service", "echo.socket")
        assert answer.returncode == 0 and "Main PID" in answer.stdout, answer
        for words, code, text in ((("show", "-p", "ActiveState", "echo.socket"), 0, "ActiveState=active"),
                                  (("is-active", "echo.socket"), 0, "active"),
                                  (("show", "-p", "LoadState", "nothing.service"), 0, "LoadState=not-found"),
                                  (("status", "nothing.service"), 4, ""), (("is-active", "nothing.service"), 3, "inactive"),
                                  (("list-units",), 0, "echo.socket"), (("show-environment",), 0, ""),
                                  (("list-dependencies", "echo.socket"), 0, "sysinit.target"),
                                  (("list-sockets",), 0, "127.0.0.1:7001"), (("stop", "echo.socket"), 4, "")):
            answer = stock(*words)
            assert answer.returncode == code and text in answer.stdout, (words, answer)


@case
def readers_load_nothing(d):
    need_root()
    pair(d)
    d.unit("bad.service", "[Service]\nExecStart=bin/true\n")
    d.unit("idle.service", "[Service]\nExecStart=/bin/true\n")
    d.unit("some@.service", "[Service]\nExecStart=/bin/true\n")
    d.start()
    before, log = d.ctl("list-units", "--all", "--plain").stdout, d.log()
    names = ["bad.service", "idle.service", "nothing.service", "other.timer"] + [f"some@{i}.service" for i in range(20)]
    with Client(d, NOBODY) as client:
        client.authenticate()
        for _ in range(10):
            for name in names:
                path = ROOT + "/unit/" + "".join(c if c.isalnum() else f"_{ord(c):02x}" for c in name)
                is_error, data = client.call("LoadUnit", "s", string(name))
                assert not is_error and path.encode() in data, data
                is_error, data = client.call("GetAll", "s", string(""), path=path, interface=PROPERTIES)
                assert not is_error and b"not-found" in data, (name, data)
                is_error, data = client.call("Start", "s", string("replace"), path=path, interface=NAME + ".Unit")
                assert is_error and b"Access" in data, data
                assert client.call("GetUnit", "s", string(name))[0]
            is_error, data = client.call("ListUnitsByNames", "as", strings(*names))
            assert not is_error and data.count(b"not-found") == len(names), data
        is_error, data = client.call("ListUnitsByNames", "as", strings(*(["a.service"] * 65)))
        assert is_error and b"LimitsExceeded" in data, data
    assert d.ctl("list-units", "--all", "--plain").stdout == before
    said = [line for line in d.log()[len(log):].splitlines() if not line.startswith("--")]  # as valgrind does
    assert not said, said
    # What is loaded is seen: by its aliases, too.
    assert d.ctl("start", "idle.service").returncode == 0
    assert others(d)("show", "-p", "LoadState", "echo.socket").stdout == "LoadState=loaded\n"


@case
def complaints_come_once(d):
    """Once a load of the files, whoever asks and however often."""
    d.unit("bad.service", "[Service]\nExecStart=bin/true\n")
    d.unit("bad@.service", "[Service]\nType=sometimes\nExecStart=/bin/true\n")
    d.start()
    for _ in range(10):
        d.ctl("status", "bad.service")
    assert len(d.logged("bad.service:2")) == 1, d.log()
    for i in range(10):
        d.ctl("show", f"bad@{i}.service")
    assert len(d.logged("bad@.service:2")) == 1, d.log()
    assert d.ctl("daemon-reload").returncode == 0
    for _ in range(10):
        d.ctl("status", "bad.service")
    assert len(d.logged("bad.service:2", 2)) == 2, d.log()


main()
