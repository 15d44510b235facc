#!/usr/bin/env python3
"""The output of usherctl: messages, exit codes, JSON, and units that are refused or have failed."""

import json
import os
import socket

from daemon import SRC, USHERCTL, USHERD, case, eventually, main, need, run
from raw_bus import Client, string

TRUE = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n"


def troubled(d):
    """A socket that listens, one that is refused, one whose port is taken; the one who has it."""
    d.unit("good.socket", "[Socket]\nListenStream=127.0.0.1:7001\n")
    d.unit("bad.socket", "[Socket]\nListenStream=127.0.0.1:70002\n")
    d.unit("used.socket", "[Socket]\nListenStream=127.0.0.1:7003\nListenStream=127.0.0.1:7004\n")
    for name in ("good", "bad", "used"):
        d.unit(f"{name}.service", "[Service]\nExecStart=/bin/sleep 600\n")
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 7003))
    holder.listen()
    d.start()
    return holder


@case
def refused_and_failed(d):
    """They are in every list, and do not look as if somebody listened."""
    with troubled(d):
        for words in (("--all",), ("--failed",)):
            lines = d.ctl("list-units", *words).stdout.splitlines()
            assert any("bad.socket" in l and "bad-setting" in l for l in lines), lines
            assert any("used.socket" in l and "failed" in l for l in lines), lines
        assert "good.socket" not in d.ctl("list-units", "--failed").stdout
        text = d.ctl("list-sockets").stdout
        marked = {line.split()[2] for line in text.split("\n\n")[0].splitlines() if line.startswith("×")}
        assert marked == {"bad.socket", "used.socket"}, text
        assert "× bad.socket: bad-setting: Nothing to listen on" in text, text
        assert f"held by process {os.getpid()}" in text, text
        rows = {row["listen"]: row for row in json.loads(d.ctl("list-sockets", "-o", "json").stdout)}
        assert rows["127.0.0.1:7001"]["state"] == "active (listening)", rows
        assert rows["127.0.0.1:7001"]["reason"] == "", rows
        assert rows["127.0.0.1:7003"]["state"] == "failed", rows
        assert rows["-"]["unit"] == "bad.socket" and "Nothing to listen on" in rows["-"]["reason"], rows
        assert "(Reason: Nothing to listen on" in d.ctl("status", "bad.socket").stdout
        assert d.ctl("is-system-running").stdout == "degraded\n"
    d.ctl("start", "used.socket", check=True)
    assert "used" not in d.ctl("list-units", "--failed").stdout
    assert d.show("used.socket", "StatusText") == ""


# What is nowhere, and the sentence that says so.
NAMES = [
    ("a.service", "[Service]\nUser=nosuchuser\nExecStart=/bin/true\n", "there is no user named nosuchuser"),
    ("b.service", "[Service]\nGroup=nosuchgrp\nExecStart=/bin/true\n", "there is no group named nosuchgrp"),
    ("c.service", "[Service]\nSupplementaryGroups=daemon nosuchgrp\nExecStart=/bin/true\n",
     "there is no group named nosuchgrp"),
    ("d.socket", "[Socket]\nListenFIFO=/run/d.fifo\nSocketUser=nosuchuser\nX-BindRetry=no\n", "There is no user named nosuchuser"),
    ("e.socket", "[Socket]\nListenStream=/run/e.sock\nSocketGroup=nosuchgrp\n", "Waiting for group nosuchgrp"),
]


@case
def missing_users_and_groups(d):
    for name, text, _ in NAMES:
        d.unit(name, text)
    for name in ("d", "e"):
        d.unit(f"{name}.service", TRUE)
    conf = d.file("usher.conf", 'AllowControl = {"@nosuchgrp", "root"}\nAllowLogs = nosuchuser\n', 0o644)
    d.start("--config", conf, "--units", d.units)
    for name, _, words in NAMES:
        d.ctl("start", name)
        d.logged(f"{name}: .*{words}")
    assert "No such process" not in d.log()
    assert len(d.logged(r"AllowControl=@nosuchgrp: /etc/group has no such group")) == 1
    assert len(d.logged(r"AllowLogs=nosuchuser: /etc/passwd has no such user")) == 1
    assert "AllowControl=root" not in d.log()


@case
def no_noise(d):
    """Nothing that nobody asked for is in a list, and no line of the log is about it."""
    d.unit("good.socket", "[Socket]\nListenStream=127.0.0.1:7001\n")
    d.unit("good.service", TRUE)
    d.start()
    assert "emergency.service" not in d.ctl("list-units", "--all").stdout
    assert "usher-start.target" not in d.log()


@case
def without_dev_null(d):
    """A machine without it has descriptors enough all the same."""
    d.unit("echo.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    d.unit("echo@.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\nStandardError=inherit\n")
    program = d.file("private", f"#!/bin/sh\nmount --bind {d.units} /dev && exec {USHERD} \"$@\"\n")
    d.start(wrapper=["unshare", "--mount"], program=program)
    with socket.create_connection(("127.0.0.1", 7001)) as peer:
        peer.sendall(b"x")
        peer.shutdown(socket.SHUT_WR)
        peer.settimeout(20)
        assert peer.recv(10) == b"x"
    assert "Too many open files" not in d.log()


# usher.conf is refused as a whole: what is said, and that nothing of it counts.
CONFS = [
    ("LogLevel = loud\n", "1: Invalid value for LogLevel="),
    ("AllowRaed = none\n", "1: Unknown setting 'AllowRaed'. Did you mean AllowRead=?"),
    ("DefaultRestartSec = 7s\nNoSuchThing = 1\n", "2: Unknown setting 'NoSuchThing'."),
    ("socket \"a\" {\nListenStream = 7100\n", ""),
]


@case
def usher_conf_as_a_whole(d):
    d.unit("a.service", TRUE)
    conf = d.file("usher.conf", "DefaultRestartSec = 5s\n", 0o644)
    for text, words in CONFS:
        d.file("other.conf", text, 0o644)
        refused = run(USHERD, "--runtime-dir", d.runtime,
                      "--config", os.path.join(d.folder, "other.conf"), d.units)
        assert refused.returncode == 1 and f"other.conf:{words}" in refused.stderr.replace(" at", ""), refused
    d.start("--config", conf, "--units", d.units)
    for text, _ in CONFS:
        d.file("usher.conf", text, 0o644)
        assert d.ctl("daemon-reload").returncode == 1, text
        assert d.show("a.service", "RestartUSec") == "5s"
    d.file("usher.conf", "DefaultRestartSec = 6s\nX-Mine = 1\n", 0o644)
    d.ctl("daemon-reload", check=True)
    assert d.show("a.service", "RestartUSec") == "6s"


# The codes that usherctl(1) lists.
CODES = [
    (0, "start", "a.service"), (0, "status", "a.service"), (0, "is-active", "a.service"),
    (0, "stop", "a.service"), (3, "status", "a.service"), (3, "is-active", "a.service"),
    (1, "is-failed", "a.service"), (3, "reload", "b.service"), (5, "start", "none.service"),
    (5, "stop", "none.service"), (4, "status", "none.service"), (3, "is-active", "none.service"),
    (1, "start", "bad.socket"), (1, "start", "masked.service"), (1, "kill", "none.service"),
    (1, "reset-failed", "none.service"), (1, "cat", "none.service"), (1, "nonsense"),
    (0, "is-system-running"), (1, "log-level", "loud"), (0, "log-level"), (0, "help"),
    (1, "log-target", "nowhere"), (0, "log-target", "stderr"),
    (1, "service-watchdogs", "perhaps"), (0, "service-watchdogs"),
    (1, "is-enabled", "none.service"), (0, "is-enabled", "b.service"),
]


@case
def exit_codes(d):
    d.unit("a.service", TRUE)
    d.unit("b.service", "[Service]\nExecStart=/bin/sleep 600\n")
    d.unit("bad.socket", "[Socket]\nListenStream=127.0.0.1:70002\n")
    os.symlink("/dev/null", os.path.join(d.units, "masked.service"))
    d.start()
    d.ctl("start", "b.service", check=True)
    wrong = [(code, words, answer) for code, *words in CODES
             if (answer := d.ctl(*words)).returncode != code]
    assert not wrong, wrong
    with open(os.path.join(SRC, "src/man/usherctl.1.in"), encoding="utf-8") as file:
        page = file.read()
    for code in range(7):
        assert code == 2 or f".B {code}\n" in page, code


@case
def levels_of_the_log(d):
    d.unit("a.service", TRUE)
    d.start()
    assert d.ctl("log-level").stdout == "info\n"
    d.ctl("log-level", "debug", check=True)
    assert d.ctl("log-level").stdout == "debug\n"
    assert d.ctl("log-target").stdout == "stderr\n"
    d.ctl("start", "a.service", check=True)
    d.logged("Job a.service/start|conditions|a.service")
    other = run("setpriv", "--reuid=65534", "--clear-groups", USHERCTL, "--runtime-dir", d.runtime,
                "log-level", "info")
    assert other.returncode == 4, other
    assert d.ctl("log-level").stdout == "debug\n"


@case
def levels_of_the_log_with_systemctl(d):
    need("systemctl")
    d.unit("a.service", TRUE)
    d.start()
    for verb, value in (("log-level", "debug"), ("log-target", "console"), ("log-level", "notice")):
        answer = d.systemctl(verb, value)
        assert answer.returncode == 0, answer
    assert d.systemctl("log-level").stdout == "notice\n"


# Verbs that have JSON, with what is in it; all others refuse it.
JSON = {
    "list-units": ([], lambda a: {"a.service"} <= {u["unit"] for u in a}),
    "list-sockets": ([], lambda a: [s["unit"] for s in a] == ["b.socket"]),
    "connections": ([], lambda a: a == []),
    "list-unit-files": ([], lambda a: len(a) == 3),
    "list-dependencies": (["a.service"], lambda a: a[0]["unit"] == "a.service" and a[1]["depth"] == 1),
    "list-jobs": ([], lambda a: a == []),
    "is-system-running": ([], lambda a: a == {"state": "running"}),
    "logs": ([], lambda a: True),
    "show": (["a.service"], lambda a: a[0]["Id"] == "a.service"),
    "lint": (["--units", "@", "c.service"], lambda a: a[0]["line"] == 2 and a[0]["level"] == "warning"),
    "is-active": (["a.service", "b.socket"], lambda a: a[1] == {"unit": "b.socket", "state": "active"}),
    "is-failed": (["a.service"], lambda a: a[0]["state"] == "active"),
    "is-enabled": (["a.service"], lambda a: a == [{"unit": "a.service", "state": "static"}]),
    "show-environment": ([], lambda a: "PATH" in a),
}


@case
def json_or_nothing(d):
    d.unit("a.service", TRUE)
    d.unit("b.socket", "[Socket]\nListenStream=127.0.0.1:7001\nService=a.service\n")
    d.unit("c.service", "[Service]\nRestartSec=never\nExecStart=/bin/true\n")
    d.start()
    d.ctl("start", "a.service", check=True)
    verbs = [line.split()[0] for line in run(USHERCTL, "--help").stdout.split("Options:")[0].splitlines()
             if line.startswith("  ") and line.strip() and not line.startswith("   ")]
    assert set(JSON) <= set(verbs) and len(verbs) > 30, verbs
    for verb in verbs:
        words, is_right = JSON.get(verb, (["a.service"], None))
        words = [d.units if w == "@" else w for w in words]
        if verb in ("daemon-reload", "preset-all", "help", "get-default"):
            words = []
        answer = d.ctl(verb, "-o", "json", *words)
        if is_right is None:
            assert answer.returncode == 1 and f"{verb} has no JSON" in answer.stderr, answer
            continue
        lines = answer.stdout.splitlines()
        parsed = [json.loads(line) for line in lines] if verb == "logs" else json.loads(answer.stdout)
        assert is_right(parsed), (verb, answer)
    assert d.ctl("is-active", "a.service").stdout == "active\n"  # nothing was done


# ---- verbs that change files

def folders(d):
    """A supervisor whose unit path has a folder of the administrator's and one of packages."""
    vendor = "/usr/local/lib/usher"
    run("mount", "-t", "tmpfs", "tmpfs", "/usr/local/lib", check=True)
    os.makedirs(vendor)
    for name, text in {"one.target": "[Unit]\n", "two.target": "[Unit]\nDescription=of the package\n",
                       "a.service": TRUE}.items():
        with open(os.path.join(vendor, name), "w", encoding="ascii") as file:
            file.write(text)
    conf = d.file("usher.conf", f"UnitPath = {{{d.units}, {vendor}}}\n", 0o644)
    d.start("--config", conf)


def with_and_without(d, act):
    """Asked of the supervisor, done on the folders themselves, and by the stock client."""
    folders(d)
    act(d.ctl)
    run("rm", "-rf", *[os.path.join(d.units, n) for n in os.listdir(d.units)], check=True)
    d.ctl("daemon-reload", check=True)
    act(lambda *words, **o: run(USHERCTL, "--units", d.units, "--units", "/usr/local/lib/usher", *words, **o))


@case
def default_target(d):
    def act(ctl):
        assert ctl("get-default").returncode == 1
        assert ctl("set-default", "none.target").returncode == 1
        assert ctl("set-default", "a.service").returncode == 1
        for name in ("one", "two"):
            ctl("set-default", name, check=True)
            assert ctl("get-default").stdout == f"{name}.target\n"
            assert os.readlink(os.path.join(d.units, "default.target")) == f"/usr/local/lib/usher/{name}.target"
    with_and_without(d, act)


@case
def dependencies(d):
    def act(ctl):
        assert ctl("add-wants", "one", "none.service").returncode == 1
        ctl("add-wants", "one", "a", check=True)
        ctl("add-requires", "two.target", "a.service", "one.target", check=True)
        for link in ("one.target.wants/a.service", "two.target.requires/a.service", "two.target.requires/one.target"):
            assert os.path.islink(os.path.join(d.units, link)), link
    with_and_without(d, act)
    d.ctl("add-wants", "one", "a", check=True)
    assert "a.service" in d.show("one.target", "Wants")


@case
def revert(d):
    def act(ctl):
        d.unit("two.target", "[Unit]\nDescription=mine\n")
        d.unit("two.target.d/x.conf", "[Unit]\nDescription=mine, too\n")
        d.unit("own.service", TRUE)
        d.unit("own.service.d/x.conf", "[Service]\nRestartSec=9s\n")
        os.symlink("/dev/null", os.path.join(d.units, "a.service"))
        ctl("revert", "two.target", "own", "a.service", check=True)
        assert sorted(os.listdir(d.units)) == ["own.service"], os.listdir(d.units)
    with_and_without(d, act)
    assert d.show("two.target", "Description") == "of the package"


@case
def edit(d):
    def act(ctl):
        text = d.file("text", "[Service]\nRestartSec=9s\n", 0o644)
        editor = {"env": dict(os.environ, EDITOR=f"cp {text}")}
        ctl("edit", "a", check=True, **editor)
        path = os.path.join(d.units, "a.service.d/override.conf")
        with open(path, encoding="ascii") as file:
            assert file.read() == "[Service]\nRestartSec=9s\n"
        for words, code in ((("EDITOR", "false"), 1), (("EDITOR", "truncate -s 0"), 0),
                            (("EDITOR", "/nonexistent/editor"), 1)):
            answer = ctl("edit", "a.service", env=dict(os.environ, **dict([words])))
            assert answer.returncode == code and "nothing was changed" in answer.stderr, answer
        assert os.listdir(os.path.dirname(path)) == ["override.conf"]
        ctl("edit", "--full", "two.target", check=True, env=dict(os.environ, EDITOR="sed -i s/of/edited/"))
        with open(os.path.join(d.units, "two.target"), encoding="ascii") as file:
            assert file.read() == "[Unit]\nDescription=edited the package\n"
        assert ctl("edit", "none.service", **editor).returncode == 1
        ctl("edit", "--full", "--force", "none.service", check=True, **editor)
        assert os.path.exists(os.path.join(d.units, "none.service"))
    with_and_without(d, act)
    d.ctl("daemon-reload", check=True)
    assert d.show("a.service", "RestartUSec") == "9s"
    assert d.show("two.target", "Description") == "edited the package"


@case
def changes_with_systemctl(d):
    need("systemctl")
    folders(d)
    # It asks the supervisor only where the machine was booted with systemd.
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run", check=True)
    os.makedirs("/run/systemd/system")
    for words in (("set-default", "two.target"), ("add-wants", "two.target", "a.service"),
                  ("add-requires", "two.target", "one.target")):
        answer = d.systemctl(*words)
        assert answer.returncode == 0, answer
    assert d.systemctl("get-default").stdout == "two.target\n"
    assert os.path.islink(os.path.join(d.units, "two.target.wants/a.service"))
    d.unit("two.target", "[Unit]\nDescription=mine\n")
    assert d.systemctl("revert", "two.target").returncode == 0
    assert not os.path.exists(os.path.join(d.units, "two.target"))


def call(d, method, signature, *arguments):
    return run("busctl", f"--address=unix:path={d.runtime}/systemd/private", "call", "org.freedesktop.systemd1",
               "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", method, signature, *arguments)


@case
def links_of_a_unit(d):
    """GetUnitFileLinks: what disabling a unit would remove, in the administrator's folder or that of this boot."""
    need("busctl")
    folders(d)
    d.unit("w.service", TRUE + "[Install]\nWantedBy=one.target\nRequiredBy=two.target\nAlias=other.service\n")
    d.unit("x.service", TRUE + "[Install]\nWantedBy=one.target\n")
    assert call(d, "GetUnitFileLinks", "sb", "w.service", "false").stdout == "as 0\n"
    d.ctl("enable", "w.service", "x.service", check=True)
    answer = call(d, "GetUnitFileLinks", "sb", "w.service", "false").stdout.split()
    links = {f"{d.units}/{name}" for name in ("one.target.wants/w.service", "two.target.requires/w.service",
                                              "other.service")}
    assert answer[:2] == ["as", "3"] and {word.strip('"') for word in answer[2:]} == links, answer
    assert all(os.path.islink(link) for link in links)
    assert call(d, "GetUnitFileLinks", "sb", "w.service", "true").stdout == "as 0\n"
    d.ctl("disable", "w.service", check=True)
    assert call(d, "GetUnitFileLinks", "sb", "w.service", "false").stdout == "as 0\n"
    for wrong in ("", "w", "../w.service"):
        assert call(d, "GetUnitFileLinks", "sb", wrong, "false").returncode == 1, wrong
    other = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "busctl",
                f"--address=unix:path={d.runtime}/systemd/private", "call", "org.freedesktop.systemd1",
                "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "GetUnitFileLinks", "sb",
                "x.service", "false")
    assert other.returncode == 1 and "x.service" not in other.stdout, other


@case
def marked_units(d):
    """What a package's update marks is restarted or reloaded at its end."""
    need("busctl")
    d.unit("r.service", "[Service]\nExecStart=/bin/sleep 600\n")
    d.unit("l.service", "[Service]\nExecStart=/bin/sleep 600\nExecReload=/bin/true\n")
    d.unit("n.service", "[Service]\nExecStart=/bin/sleep 600\n")
    d.start()
    d.ctl("start", "r.service", "l.service", check=True)
    pids = [d.show(u, "MainPID") for u in ("r.service", "l.service")]
    for name, mark in (("r", "+needs-restart"), ("l", "needs-reload"), ("n", "+needs-restart")):
        answer = call(d, "SetUnitProperties", "sba(sv)", f"{name}.service", "true", "1", "Markers", "as", "1", mark)
        assert answer.returncode == 0 or name == "n", answer
    assert d.show("r.service", "Markers") == "needs-restart"
    answer = call(d, "SetUnitProperties", "sba(sv)", "r.service", "true", "1", "MemoryMax", "t", "1")
    assert answer.returncode == 1 and "drop-in" in answer.stderr, answer
    assert call(d, "EnqueueMarkedJobs", "").stdout.startswith("ao 2 ")
    d.logged(r"Reloaded l\.service")
    d.logged(r"Stopped r\.service")
    d.ctl("start", "r.service", check=True)
    assert d.show("r.service", "MainPID") != pids[0] and d.show("l.service", "MainPID") == pids[1]
    assert d.show("r.service", "Markers") == ""
    assert d.show("n.service", "ActiveState") == "inactive"


@case
def references_and_dump(d):
    need("busctl")
    d.unit("a.service", "[Unit]\nCollectMode=inactive-or-failed\n" + TRUE)
    d.start()
    d.ctl("start", "a.service", check=True)
    assert call(d, "RefUnit", "s", "none.service").returncode == 1
    assert call(d, "RefUnit", "s", "a.service").returncode == 0
    assert "not been referenced" in call(d, "UnrefUnit", "s", "a.service").stderr  # by this client
    text = call(d, "Dump", "").stdout
    assert "Unit a.service:" in text and "Unit Active State: active" in text, text
    some = call(d, "DumpUnitsMatchingPatterns", "as", "1", "a.*").stdout
    assert "Unit a.service:" in some and "sysinit" not in some.split("Unit a.service")[0], some
    other = run("setpriv", "--reuid=65534", "--clear-groups", "busctl",
                f"--address=unix:path={d.runtime}/systemd/private", "call", "org.freedesktop.systemd1",
                "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "Dump", "")
    assert other.returncode == 1, other
    def is_known():
        return "a.service" in d.ctl("list-units", "--all").stdout
    with Client(d) as client:
        client.authenticate()
        for _ in range(2):
            assert not client.call("RefUnit", "s", string("a.service"))[0]
        d.ctl("stop", "a.service", check=True)
        assert not client.call("UnrefUnit", "s", string("a.service"))[0]
        assert is_known(), "it stays for as long as one reference is left"
    eventually(lambda: not is_known(), "what no client keeps any longer to go")


if __name__ == "__main__":
    main()
