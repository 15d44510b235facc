#!/usr/bin/env python3
"""usherctl, the stock systemctl and busctl at the private socket, and hostile clients."""

import json
import os
import pty
import resource
import select
import shutil
import signal
import socket
import subprocess
import time

from daemon import PATIENCE, SRC, USHERCTL, case, connect, eventually, is_sanitized, main, need, need_root, run, talk

MATRIX = os.path.join(SRC, "tests/compat/cases/ctl-matrix")
CAT = "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n"


def booted():
    """systemctl changes files by itself where the machine was not booted with systemd."""
    need("systemctl")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"], check=True)
    os.makedirs("/run/systemd/system")


def matrix(d, client):
    """The words of a case that was recorded from systemd, and its exit codes."""
    for entry in os.listdir(os.path.join(MATRIX, "units")):
        with open(os.path.join(MATRIX, "units", entry), encoding="utf-8") as file:
            d.unit(entry, file.read().replace("/run/case/bin/probe serve", "/bin/sleep 600"))
    with open(os.path.join(MATRIX, "expected.json"), encoding="utf-8") as file:
        expected = json.load(file)
    # As in the sandbox that it was recorded in: nothing but a target stands at the start.
    d.start("--compat=systemd", "--units", d.units, "--target", "basic.target")
    wrong = []
    for key, code in expected.items():
        number, _, line = key.partition(" ")
        # What enable and mask change are files: those of the test, with systemctl too.
        if not number.isdigit():
            continue
        answer = client(*line.split())
        if answer.returncode != code:
            wrong.append((line, code, answer.returncode, answer.stderr))
        if line.startswith("reload-or-restart"):
            time.sleep(0.1)
    assert not wrong, wrong
    assert len(expected) > 100


@case
def words_and_codes_of_usherctl(d):
    matrix(d, d.ctl)


@case
def words_and_codes_of_systemctl(d):
    booted()
    matrix(d, d.systemctl)


def pair(d, name="echo", port=7001):
    d.unit(f"{name}.socket", f"[Unit]\nDescription=Echo of {name}\n"
                             f"[Socket]\nListenStream=127.0.0.1:{port}\nAccept=yes\n"
                             "[Install]\nWantedBy=sockets.target\n")
    d.unit(f"{name}@.service", CAT)


# What a listing or a page shows: words of systemctl and what has to be in its output.
SHOWN = [
    (["list-units", "--no-pager"], ["echo.socket", "listening", "loaded units listed"]),
    (["list-units", "--no-legend", "--plain", "echo.socket"], ["echo.socket loaded active"]),
    (["list-units", "--all", "--type=service"], ["one.service"]),
    (["list-units", "--failed"], ["bad.service"]),
    (["list-sockets"], ["127.0.0.1:7001", "echo.socket", "LISTEN", "ACTIVATES"]),
    (["list-sockets", "--show-types"], ["Stream"]),
    (["list-dependencies", "echo.socket"], ["sysinit.target"]),
    (["list-dependencies", "--reverse", "sysinit.target"], ["echo.socket"]),
    (["status", "echo.socket"], ["Echo of echo", "Loaded: loaded", "Active: active (listening)",
                                 "Listen: 127.0.0.1:7001 (Stream)", "Accepted: 1"]),
    (["show", "-p", "ActiveState", "-p", "NAccepted", "echo.socket"],
     ["ActiveState=active", "NAccepted=1"]),
    (["show", "--value", "-p", "Listen", "echo.socket"], ["127.0.0.1:7001 (Stream)"]),
    (["show", "-p", "Version"], ["Version="]),
    (["cat", "echo.socket"], ["echo.socket", "ListenStream=127.0.0.1:7001"]),
    (["is-active", "echo.socket"], ["active"]),
    (["is-failed", "bad.service"], ["failed"]),
    (["list-unit-files"], ["echo@.service", "static"]),
    (["list-jobs"], ["No jobs"]),
]


def shows(d, client):
    pair(d)
    d.unit("one.service", "[Service]\nExecStart=/bin/sleep 600\n")
    d.unit("bad.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n")
    d.start()
    assert talk(("127.0.0.1", 7001), b"x") == b"x"
    assert client("start", "one.service").returncode == 0
    assert client("start", "bad.service").returncode == 1
    for words, expected in SHOWN:
        answer = client(*words)
        for text in expected:
            assert text in answer.stdout, (words, text, answer.stdout, answer.stderr)
    one = client("status", "one.service").stdout
    assert "Main PID:" in one and "(sleep)" in one, one


@case
def shows_with_usherctl(d):
    shows(d, d.ctl)


@case
def shows_with_systemctl(d):
    booted()
    shows(d, d.systemctl)


@case
def all_processes_are_shown(d):
    d.unit("many.service", "[Service]\nExecStart=/bin/sh -c 'sleep 601 & setsid sleep 602 & sleep 603'\n")
    d.start()
    assert d.ctl("start", "many.service").returncode == 0
    words = ["sleep 601", "sleep 602", "sleep 603"]
    eventually(lambda: all(w in d.ctl("status", "-n", "0", "many.service").stdout.replace(
        "/bin/sh -c sleep 601 & setsid sleep 602 & sleep 603", "") for w in words), "all of them")


@case
def steering_with_systemctl(d):
    need("systemctl")
    pair(d)
    d.unit("one.service", "[Service]\nExecStart=/bin/sleep 600\nExecReload=/bin/true\n")
    d.start()
    for words, state in ((("start", "one.service"), "active"), (("stop", "one.service"), "inactive"),
                         (("restart", "one.service"), "active"), (("reload", "one.service"), "active"),
                         (("kill", "-s", "KILL", "one.service"), "failed"),
                         (("reset-failed", "one.service"), "inactive"),
                         (("stop", "echo.socket"), None), (("start", "echo.socket"), None),
                         (("daemon-reload",), None)):
        answer = d.systemctl(*words)
        assert answer.returncode == 0, (words, answer)
        if state:
            eventually(lambda: d.show("one.service", "ActiveState") == state, f"{words}: {state}")
    assert talk(("127.0.0.1", 7001), b"x") == b"x"
    pair(d, "later", 7002)
    assert d.systemctl("daemon-reload").returncode == 0
    assert d.systemctl("start", "later.socket").returncode == 0
    assert talk(("127.0.0.1", 7002), b"y") == b"y"


UNIT_PATH = "/org/freedesktop/systemd1/unit/echo_2esocket"


@case
def busctl(d):
    need("busctl")
    pair(d)
    d.unit("idle.service", "[Unit]\nStartLimitBurst=0\n[Service]\nExecStart=/bin/sleep 600\n")
    d.start()
    at = "--address=unix:path=" + os.path.join(d.runtime, "systemd/private")
    name = "org.freedesktop.systemd1"
    tree = run("busctl", at, "tree", name)
    assert UNIT_PATH in tree.stdout, tree
    seen = run("busctl", at, "introspect", name, UNIT_PATH)
    for word in (".Socket", ".NAccepted", ".ActiveState", ".Start", ".PropertiesChanged"):
        assert word in seen.stdout, (word, seen)
    got = run("busctl", at, "get-property", name, UNIT_PATH, name + ".Socket", "Listen", "NAccepted")
    assert got.stdout == 'a(ss) 1 "Stream" "127.0.0.1:7001"\nu 0\n', got
    got = run("busctl", at, "get-property", name, UNIT_PATH, name + ".Socket", "Nonsense")
    assert got.returncode == 1, got
    got = run("busctl", at, "call", name, "/org/freedesktop/systemd1", name + ".Manager",
              "GetUnit", "s", "echo.socket")
    assert got.stdout == f'o "{UNIT_PATH}"\n', got
    assert name in run("busctl", at, "list").stdout
    terminal, inner = pty.openpty()  # into a pipe it would print when it has a page full
    with subprocess.Popen(["busctl", at, "--no-pager", "monitor", name], stdout=inner,
                          stderr=subprocess.DEVNULL) as monitor:
        told = b""

        def is_told():
            nonlocal told
            d.ctl("start", "idle.service")
            d.ctl("stop", "idle.service")
            while select.select([terminal], [], [], 0.1)[0]:
                told += os.read(terminal, 65536)
            return b"JobRemoved" in told
        eventually(is_told, "a signal")
        monitor.terminate()


@case
def offline(d):
    """Files are enabled, masked and shown where no supervisor runs, also below a root."""
    root = os.path.join(d.folder, "root")
    units = os.path.join(root, "etc/usher")
    os.makedirs(units)
    os.makedirs(os.path.join(root, "usr/lib/systemd/system"))
    with open(os.path.join(root, "usr/lib/systemd/system/echo.socket"), "w", encoding="utf-8") as file:
        file.write("[Socket]\nListenStream=1\n[Install]\nWantedBy=sockets.target\nAlias=e.socket\n")

    def ctl(*words):
        return d.ctl("--systemd-units", "--root=" + root, *words)
    # Those are not usher's folders unless somebody says so.
    assert d.ctl("--root=" + root, "is-enabled", "echo.socket").returncode == 1
    assert ctl("is-enabled", "echo.socket").stdout == "disabled\n"
    assert ctl("enable", "echo.socket").returncode == 0
    link = os.path.join(units, "sockets.target.wants/echo.socket")
    assert os.readlink(link) == "/usr/lib/systemd/system/echo.socket", os.readlink(link)
    assert os.path.islink(os.path.join(units, "e.socket"))
    assert ctl("is-enabled", "echo.socket").stdout == "enabled\n"
    assert ctl("disable", "echo.socket").returncode == 0
    assert not os.path.lexists(link)
    assert ctl("mask", "echo.socket").returncode == 0
    assert os.readlink(os.path.join(units, "echo.socket")) == "/dev/null"
    assert ctl("is-enabled", "echo.socket").stdout == "masked\n"
    assert ctl("enable", "echo.socket").returncode == 1
    assert ctl("unmask", "echo.socket").returncode == 0
    assert "ListenStream=1" in ctl("cat", "echo.socket").stdout
    assert "echo.socket" in ctl("list-unit-files").stdout
    assert ctl("enable", "none.socket").returncode == 1


@case
def no_supervisor(d):
    answer = d.ctl("start", "echo.socket")
    assert answer.returncode == 1 and d.runtime in answer.stderr, answer
    assert "usherd" in answer.stderr, answer  # what to do


@case
def json_output(d):
    pair(d)
    d.start()
    talk(("127.0.0.1", 7001), b"x")
    units = json.loads(d.ctl("list-units", "-o", "json").stdout)
    assert any(u["unit"] == "echo.socket" and u["active"] == "active" for u in units), units
    sockets = json.loads(d.ctl("list-sockets", "-o", "json").stdout)
    assert [s["listen"] for s in sockets] == ["127.0.0.1:7001"], sockets
    assert str(sockets[0]["accepted"]) == "1", sockets
    shown = json.loads(d.ctl("show", "-o", "json", "echo.socket").stdout)
    assert shown, shown


@case
def explain_and_lint(d):
    pair(d)
    d.unit("typo.socket", "[Socket]\nListenStrem=1\nListenStream=2\n")
    d.unit("typo.service", CAT)
    plan = d.ctl("--units", d.units, "explain", "echo.socket")
    for text in ("127.0.0.1:7001", "/bin/cat", "0 is the connection",
                 "Environment: PATH, ", "REMOTE_ADDR"):
        assert text in plan.stdout, (text, plan)
    found = d.ctl("--units", d.units, "lint", "typo.socket")
    assert found.returncode == 0 and "typo.socket:2:" in found.stderr, found
    assert "ListenStream" in found.stderr, found
    d.unit("refused.socket", "[Socket]\nAccept=yes\n")
    found = d.ctl("lint", os.path.join(d.units, "refused.socket"))
    assert found.returncode == 1, found
    # What only the service would fail for is said, and is no refusal.
    d.unit("typo.service", "[Service]\nExecStart=/no/such/program\nUser=no-such-user\n")
    found = d.ctl("--units", d.units, "lint", "typo.socket")
    assert found.returncode == 0 and "/no/such/program" in found.stderr, found
    assert "User=no-such-user" in found.stderr, found
    # A template is shown with its specifiers.
    d.unit("con@.socket", f"[Socket]\nListenStream={d.folder}/%i\nService=con@%i.service\n")
    d.unit("con@.service", CAT)
    assert d.ctl("--units", d.units, "lint", "con@.socket").returncode == 0
    plan = d.ctl("--units", d.units, "explain", "con@.socket")
    assert f"{d.folder}/%i (Stream)" in plan.stdout and "con@%i.service" in plan.stdout, plan


@case
def lint_checks_the_folders_of_the_running_supervisor(d):
    pair(d)
    d.unit("typo.socket", "[Socket]\nListenStrem=1\nListenStream=127.0.0.1:7002\n")
    d.unit("typo.service", CAT)
    d.start()
    found = d.ctl("lint")
    assert found.returncode == 0 and "typo.socket:2:" in found.stderr, found
    assert d.ctl("explain", "echo.socket").returncode == 0
    os.makedirs(f"{d.folder}/empty")
    found = d.ctl("--units", f"{d.folder}/empty", "lint")
    assert found.returncode == 1 and "there is no unit file in" in found.stderr, found


@case
def log_lines_in_memory(d):
    d.unit("talk.service", "[Service]\nType=oneshot\nExecStart=/bin/echo spoken\n")
    d.start()
    assert d.ctl("start", "talk.service").returncode == 0
    eventually(lambda: "talk.service" in d.ctl("logs", "-u", "talk").stdout, "its lines")
    lines = [json.loads(l) for l in d.ctl("logs", "talk.service", "-o", "json").stdout.splitlines()]
    assert any(l["message"] == "spoken" and int(l["pid"]) > 0 for l in lines), lines
    assert all(l["unit"] == "talk.service" for l in lines), lines
    assert len(d.ctl("logs", "-n", "1").stdout.splitlines()) == 1
    assert d.ctl("logs", "--since", "today").stdout.count("spoken") == 1
    assert d.ctl("logs", "--since", "1s ago", "-u", "none").stdout == ""
    assert d.ctl("logs", "--since", "whenever").returncode == 1
    assert "spoken" in d.ctl("status", "talk.service").stdout
    assert "spoken" not in d.ctl("status", "-n", "0", "talk.service").stdout
    with subprocess.Popen([USHERCTL, "--runtime-dir", d.runtime, "logs", "-f", "-u", "talk"],
                          stdout=subprocess.PIPE, text=True) as follower:
        d.ctl("start", "talk.service")
        seen = 0
        while seen < 2:  # once from memory, once as it comes
            seen += "spoken" in follower.stdout.readline()
        follower.terminate()


@case
def wait_and_no_block(d):
    d.unit("short.service", "[Service]\nExecStart=/bin/sh -c 'sleep 0.3; exit 3'\n")
    d.unit("slow.service", "[Service]\nType=oneshot\nExecStart=/bin/sleep 60\n")
    d.start()
    assert d.ctl("start", "--no-block", "slow.service").returncode == 0
    assert d.show("slow.service", "ActiveState") == "activating"
    assert "slow.service" in d.ctl("list-jobs").stdout
    assert d.ctl("cancel").returncode == 0
    answer = d.ctl("start", "--wait", "short.service")
    assert answer.returncode == 1, answer
    assert d.show("short.service", "ExecMainStatus") == "3"


def instances(d):
    return [line.split()[0] for line in d.ctl("list-units", "--plain", "--no-legend", "echo@*").stdout.splitlines()]


def stops_instances(d, client):
    """Each request for a connection's service ends, with the exit code of what came of it."""
    pair(d)
    d.unit("echo@.service.d/slow.conf", "[Service]\nExecStop=/bin/sleep 0.2\n")
    d.start()
    for words, code in ((("stop",), 0), (("stop", "--no-block"), 0), (("kill",), 0), (("kill", "-s", "KILL"), 0)):
        with connect(("127.0.0.1", 7001)) as sock:
            sock.sendall(b"x")
            assert sock.recv(1) == b"x"
            name, = instances(d)
            answer = client(*words, name, timeout=PATIENCE)
            assert answer.returncode == code, (words, answer)
            if words == ("stop",):
                assert not instances(d), words
            eventually(lambda: not instances(d), "its end")
    with connect(("127.0.0.1", 7001)) as sock, connect(("127.0.0.1", 7001)) as other:
        sock.sendall(b"x")
        other.sendall(b"x")
        assert sock.recv(1) == b"x" and other.recv(1) == b"x"
        names = instances(d)
        # It cannot be started again: the connection would be gone.
        for words in (("restart",), ("try-restart",), ("reload",), ("reload-or-restart",), ("try-reload-or-restart",),
                      ("start",), ("restart", "--no-block"), ("start", "--wait")):
            answer = client(*words, names[0], timeout=PATIENCE)
            assert answer.returncode != 0, (words, answer)
            # The stock client goes to another bus for --wait.
            assert "can only be stopped" in answer.stderr or "--wait" in words, (words, answer)
        assert instances(d) == names
        assert client("stop", *names, timeout=PATIENCE).returncode == 0
        assert not instances(d)
    # A unit that an instance is, for the sake of its dependencies, is no different.
    d.unit("echo@.service.d/more.conf", "[Unit]\nAfter=local-fs.target\n")
    assert d.ctl("daemon-reload").returncode == 0
    assert d.ctl("restart", "echo.socket").returncode == 0
    with connect(("127.0.0.1", 7001)) as sock:
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"
        assert client("stop", *instances(d), timeout=PATIENCE).returncode == 0
        assert not instances(d)


@case
def stops_instances_with_usherctl(d):
    stops_instances(d, d.ctl)


@case
def stops_instances_with_systemctl(d):
    need("systemctl")
    stops_instances(d, d.systemctl)


@case
def a_stop_of_an_instance_is_a_job(d):
    pair(d)
    d.unit("echo@.service.d/slow.conf", "[Service]\nExecStop=/bin/sleep 600\n")
    d.start()
    with connect(("127.0.0.1", 7001)) as sock:
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"
        name, = instances(d)
        assert d.ctl("stop", "--no-block", name).returncode == 0
        job, = [line.split() for line in d.ctl("list-jobs", "--no-legend").stdout.splitlines()]
        assert job[1:] == [name, "stop", "running"], job
        assert d.show(name, "Job") == job[0] and d.show(name, "ActiveState") == "deactivating"
        with subprocess.Popen([USHERCTL, "--runtime-dir", d.runtime, "stop", name], stderr=subprocess.PIPE,
                              text=True) as second:  # waits for the same one
            time.sleep(0.3)
            assert second.poll() is None
            assert d.ctl("cancel", job[0]).returncode == 0
            assert "canceled" in second.communicate(timeout=PATIENCE)[1] and second.returncode == 1
        assert "No jobs" in d.ctl("list-jobs").stdout
        assert d.ctl("cancel", job[0]).returncode == 1
        assert d.ctl("stop", "--no-block", name).returncode == 0
        assert d.ctl("cancel").returncode == 0  # all of them
        assert "No jobs" in d.ctl("list-jobs").stdout
        with subprocess.Popen([USHERCTL, "--runtime-dir", d.runtime, "stop", name]) as third:
            eventually(lambda: name in d.ctl("list-jobs").stdout, "its job")
            assert d.ctl("kill", "-s", "KILL", name).returncode == 0
            assert third.wait(PATIENCE) == 0
    assert not instances(d)


# ---- clients that mean no good

def control(d):
    return os.path.join(d.runtime, "systemd/private")


def returned(d, limit):
    eventually(lambda: is_sanitized() or d.memory() < limit, f"memory to return to {limit} KiB")


def raise_limit():
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


@case
def thousand_that_hang(d):
    raise_limit()
    pair(d)
    d.start()
    d.ctl("list-units")
    before = d.memory()
    socks = []
    refused = 0
    for _ in range(1000):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(5)
        sock.connect(control(d))
        try:
            sock.sendall(b"\0AUTH ")
        except (BrokenPipeError, ConnectionResetError):
            refused += 1  # more than the limit: closed at once
        socks.append(sock)
    assert talk(("127.0.0.1", 7001), b"still") == b"still"
    # One place at least is left, or comes back, for somebody who means it.
    for sock in socks:
        sock.close()
    eventually(lambda: d.ctl("is-active", "echo.socket").returncode == 0, "a place")
    returned(d, before + 512)
    assert talk(("127.0.0.1", 7001), b"still") == b"still"


@case
def garbage(d):
    pair(d)
    d.start()
    d.ctl("list-units")
    before = d.memory()
    for start in (b"", b"\0AUTH EXTERNAL 30\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(5)
        sock.connect(control(d))
        try:
            sock.sendall(start + os.urandom(1 << 20))
        except (BrokenPipeError, ConnectionResetError):
            pass  # it need not read all of it
        assert talk(("127.0.0.1", 7001), b"still") == b"still"
        sock.close()
    assert d.ctl("is-active", "echo.socket").returncode == 0
    returned(d, before + 512)


@case
def one_that_never_reads(d):
    """Subscribes, asks on and on, reads nothing: no more is taken of it, and nobody waits for it."""
    pair(d)
    for i in range(200):
        d.unit(f"filler-{i}.service", "[Unit]\nDescription=" + "x" * 200 + "\n" + CAT)
        d.unit(f"all.target.wants/filler-{i}.service", "")
    d.start()
    before = d.memory()
    sock = socket.socket(socket.AF_UNIX)
    sock.setblocking(False)
    sock.connect(control(d))

    def field(code, kind, value):
        return bytes([code, 1, ord(kind), 0]) + len(value).to_bytes(4, "little") + value + b"\0"

    def call(serial, member):
        header = b""
        for code, kind, value in ((1, "o", b"/org/freedesktop/systemd1"), (3, "s", member),
                                  (2, "s", b"org.freedesktop.systemd1.Manager")):
            header += b"\0" * (-len(header) % 8) + field(code, kind, value)
        head = b"l\1\0\1" + (0).to_bytes(4, "little") + serial.to_bytes(4, "little")
        head += len(header).to_bytes(4, "little") + header
        return head + b"\0" * (-len(head) % 8)

    pending = b"\0AUTH EXTERNAL 30\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n" + call(1, b"Subscribe")
    serial = 2
    n_blocked = 0
    while n_blocked < 50:
        if len(pending) < 4096:
            pending += call(serial, b"ListUnits")
            serial += 1
        try:
            pending = pending[sock.send(pending):]
        except BlockingIOError:
            assert talk(("127.0.0.1", 7001), b"still") == b"still"
            time.sleep(0.01)
            n_blocked += 1
        assert serial < 20000
    assert talk(("127.0.0.1", 7001), b"still") == b"still"
    assert is_sanitized() or d.memory() < before + 4096, (before, d.memory())
    sock.close()
    returned(d, before + 1024)


@case
def unmet_conditions(d):
    """status names what did not hold at the last start, for the stock client, too."""
    d.unit("t.target", "[Unit]\nWants=a.service\n")
    d.unit("a.service", "[Unit]\nConditionPathExists=|!/\nConditionPathExists=/nonexistent\n"
           f"ConditionUser=0\n{CAT}")
    d.start("--units", d.units, "--target", "t.target")
    eventually(lambda: d.show("a.service", "ConditionResult") == "no")
    text = d.ctl("status", "a.service").stdout
    assert "ConditionPathExists=/nonexistent is not met" in text, text
    assert "ConditionPathExists=|!/ is not met" in text and "ConditionUser" not in text, text
    if shutil.which("systemctl"):
        text = d.systemctl("status", "a.service").stdout
        assert "ConditionPathExists=/nonexistent was not met" in text, text


@case
def others_may_read(d):
    """Who is neither root nor the supervisor's own user reads, and changes nothing."""
    need_root()
    pair(d)
    d.start()
    program = shutil.copy(os.path.join(os.environ.get("BUILD", "build"), "usherctl"), d.folder)

    def other(*words):
        return subprocess.run([program, "--runtime-dir", d.runtime, *words], user=65534, group=65534,
                              extra_groups=[], capture_output=True, text=True, check=False)
    assert other("is-active", "echo.socket").stdout == "active\n"
    answer = other("stop", "echo.socket")
    assert answer.returncode == 4, answer
    assert d.ctl("is-active", "echo.socket").returncode == 0


@case
def reload_by_signal_and_by_call(d):
    """A listener that stays keeps its descriptor; what is new is loaded."""
    pair(d)
    d.start()

    def inode():
        for line in open("/proc/net/tcp", encoding="ascii"):
            words = line.split()
            if words[1] == "0100007F:1B59" and words[3] == "0A":
                return words[9]
        return None
    before = inode()
    assert before
    with connect(("127.0.0.1", 7001)) as sock:
        pair(d, "second", 7002)
        d.unit("echo.socket.d/more.conf", "[Socket]\nListenStream=127.0.0.1:7003\n")
        d.signal(signal.SIGHUP)
        d.logged("Reloaded in")
        assert inode() == before
        assert talk(("127.0.0.1", 7003), b"added") == b"added"
        assert d.ctl("start", "second.socket").returncode == 0
        assert d.ctl("daemon-reload").returncode == 0
        assert inode() == before
        sock.sendall(b"alive")  # a connection that was there before lives on
        assert sock.recv(5) == b"alive"
    assert talk(("127.0.0.1", 7002), b"new") == b"new"


main()
