#!/usr/bin/env python3
"""Invalid units and a faulty environment: one clear message with file and line, and other units work."""

import os
import signal
import socket
import sys

from daemon import PATIENCE, USHERD, case, connect, eventually, main, run, talk

CAT = "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n"
ECHO = ("[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n", CAT)


def good(d):
    """A pair that has to work whatever stands beside it."""
    d.unit("good.socket", ECHO[0])
    d.unit("good@.service", ECHO[1])


def is_good():
    assert talk(("127.0.0.1", 7001), b"still here") == b"still here"


# What a [Socket] section may not say, and what is said about it.
REFUSED = {
    "none": ("Accept=no\n", "Nothing to listen on"),
    "fifo-accept": ("ListenFIFO=/tmp/x.fifo\nAccept=yes\n", "Accept=yes"),
    "datagram-accept": ("ListenDatagram=127.0.0.1:7100\nAccept=yes\n", "Accept=yes"),
    "no-connections": ("ListenStream=7101\nAccept=yes\nMaxConnections=0\n", "MaxConnections=0"),
    "service-accept": ("ListenStream=7102\nAccept=yes\nService=x.service\n", "Service= does"),
    "defer-accept": ("ListenStream=7103\nAccept=yes\nDeferTrigger=yes\n", "DeferTrigger= does"),
    "symlink-nodes": ("ListenStream=/tmp/a.sock\nListenStream=/tmp/b.sock\nSymlinks=/tmp/c\n",
                      "Symlinks="),
    "symlink-none": ("ListenStream=7104\nSymlinks=/tmp/c\n", "Symlinks="),
}


@case
def refused_sockets(d):
    good(d)
    for name, (text, _) in REFUSED.items():
        d.unit(f"{name}.socket", "[Socket]\n" + text)
        d.unit(f"{name}.service", CAT)
        d.unit(f"{name}@.service", CAT)
    d.start()
    is_good()
    for name, (_, word) in REFUSED.items():
        unit = f"{name}.socket"
        lines = [l for l in d.log().splitlines() if unit in l]
        assert any(word in l for l in lines), (unit, word, lines)
        assert d.show(unit, "LoadState") == "bad-setting", (unit, d.show(unit, "LoadState"))
        answer = d.ctl("start", unit)
        assert answer.returncode == 1, answer
        assert unit in answer.stderr, answer
    is_good()


# A line that is not understood is named with its file and line, and the unit goes on without it.
IGNORED = {
    "section": ("[Sokcet]\nListenStream=1\n[Socket]\nListenStream=127.0.0.1:7201\nAccept=yes\n",
                r"section\.socket:1: .*Sokcet"),
    "key": ("[Socket]\nListenStream=127.0.0.1:7202\nAccept=yes\nMaxConections=3\n",
            r"key\.socket:4: .*MaxConections.*MaxConnections"),
    "value": ("[Socket]\nListenStream=127.0.0.1:7203\nAccept=yes\nBacklog=many\n",
              r"value\.socket:4: .*Backlog.*many"),
    "boolean": ("[Socket]\nListenStream=127.0.0.1:7204\nAccept=yes\nKeepAlive=perhaps\n",
                r"boolean\.socket:4: .*KeepAlive.*perhaps"),
    "no-equals": ("[Socket]\nListenStream=127.0.0.1:7205\nAccept=yes\nBacklog 5\n",
                  r"no-equals\.socket:4: "),
    "outside": ("Backlog=5\n[Socket]\nListenStream=127.0.0.1:7206\nAccept=yes\n",
                r"outside\.socket:1: "),
    "address": ("[Socket]\nListenStream=300.1.1.1:7\nListenStream=127.0.0.1:7207\nAccept=yes\n",
                r"address\.socket:2: .*300\.1\.1\.1:7"),
}


@case
def ignored_lines(d):
    for name, (text, _) in IGNORED.items():
        d.unit(f"{name}.socket", text)
        d.unit(f"{name}@.service", CAT)
    d.start()
    for i, (name, (_, pattern)) in enumerate(IGNORED.items()):
        d.logged(pattern)
        assert talk(("127.0.0.1", 7201 + i), b"works") == b"works", name


@case
def long_line_and_nul(d):
    good(d)
    d.unit("long.socket", "[Unit]\nDescription=" + "x" * (1 << 20) + "\n"
                          "[Socket]\nListenStream=127.0.0.1:7301\n")
    d.unit("long.service", CAT)
    d.unit("nul.socket", "[Socket]\nListenStream=127.0.0.1:73\0 02\n")
    d.unit("nul.service", CAT)
    d.start()
    d.logged(r"long\.socket:2: .*(long|length)")
    d.logged(r"nul\.socket:2: .*NUL")
    is_good()


@case
def missing_template(d):
    good(d)
    d.unit("alone.socket", "[Socket]\nListenStream=127.0.0.1:7401\nAccept=yes\n")
    d.unit("single.socket", "[Socket]\nListenStream=127.0.0.1:7402\n")
    d.start()
    is_good()
    d.logged(r"single\.socket.*single\.service is not there")
    assert d.show("single.socket", "ActiveState") == "inactive"
    # A template is needed at the first connection only, and may come until then.
    d.logged(r"alone\.socket.*alone@\.service, which is not there")
    assert d.show("alone.socket", "ActiveState") == "active"
    is_good()


@case
def missing_executable(d):
    good(d)
    d.unit("gone.socket", "[Socket]\nListenStream=127.0.0.1:7501\nAccept=yes\n")
    d.unit("gone@.service", "[Service]\nExecStart=/nonexistent/program\nStandardInput=socket\n")
    d.unit("lost.service", "[Service]\nExecStart=/nonexistent/program\n")
    d.start()
    assert talk(("127.0.0.1", 7501)) == b""
    d.logged(r"gone@.*/nonexistent/program.*No such file or directory")
    answer = d.ctl("start", "lost.service")
    d.logged(r"lost\.service.*/nonexistent/program.*No such file or directory")
    assert d.show("lost.service", "ExecMainStatus") == "203"
    assert d.ctl("is-failed", "lost.service").returncode == 0, answer
    is_good()


@case
def port_in_use(d):
    good(d)
    d.unit("busy.socket", "[Socket]\nListenStream=127.0.0.1:7601\n")
    d.unit("busy.service", CAT)
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 7601))
        holder.listen()
        d.start()
        line = d.logged(r"busy\.socket.*127\.0\.0\.1:7601.*Address already in use")[0]
        assert str(os.getpid()) in line, line  # who has it
        assert "python3" in line, line
        assert d.show("busy.socket", "Result") == "resources"
        is_good()
    assert d.ctl("start", "busy.socket").returncode == 0
    is_good()


@case
def path_is_a_folder(d):
    good(d)
    folder = os.path.join(d.folder, "here")
    os.mkdir(folder)
    d.unit("folder.socket", f"[Socket]\nListenStream={folder}\n")
    d.unit("folder.service", CAT)
    d.start()
    d.logged(r"folder\.socket.*:2\): .*" + folder + ".*Is a directory")
    assert d.show("folder.socket", "ActiveState") == "failed"
    assert os.path.isdir(folder)
    is_good()


# Serves one connection.
ONCE = """import socket
with socket.socket(fileno=3) as listener:
    peer = listener.accept()[0]
peer.sendall(peer.recv(100))
"""


@case
def unit_vanishes(d):
    good(d)
    program = d.file("once.py", ONCE)
    path = d.unit("vanish.socket", "[Socket]\nListenStream=127.0.0.1:7701\n")
    service = d.unit("vanish.service", f"[Service]\nExecStart={sys.executable} {program}\n")
    late = d.unit("late@.service", CAT)
    d.unit("late.socket", "[Socket]\nListenStream=127.0.0.1:7702\nAccept=yes\n")
    d.start()
    for file in (path, service, late):
        os.unlink(file)
    assert talk(("127.0.0.1", 7701), b"loaded before") == b"loaded before"
    assert talk(("127.0.0.1", 7702), b"its template, too") == b"its template, too"
    is_good()
    d.signal(signal.SIGHUP)
    d.logged("Reloaded in ")
    with connect(("127.0.0.1", 7702)) as sock:
        assert sock.recv(1) == b""
    d.logged("Cannot serve connections: late@.service: Unit late@.service not found")
    is_good()


@case
def second_usherd(d):
    good(d)
    d.start()
    second = run(USHERD, "--runtime-dir", d.runtime, "--log-target=stderr", "--units", d.units)
    assert second.returncode == 1, second
    assert d.runtime in second.stderr, second.stderr
    assert str(d.process.pid) in second.stderr, second.stderr  # who has it
    assert len(second.stderr.splitlines()) == 1, second.stderr
    is_good()


COMMAND_LINES = [
    (["--units"], "units"),
    (["--no-such-option"], "--no-such-option"),
    (["--log-level=loud"], "loud"),
    (["--log-format=xml"], "expected one of text, json"),
    (["--log-target=foo"], "--log-target=foo: expected one of auto, journal, syslog, stderr, console, null"),
    (["--log-time=maybe"], "--log-time=maybe: expected one of auto, yes, no"),
    (["--compat=inetd"], "inetd"),
    (["--target=a b/c"], "a b/c"),
    (["run"], "-l"),
    (["run", "-l", "7801"], "command"),
    (["run", "-l", "300.0.0.1:x", "--", "/bin/true"], "300.0.0.1:x"),
]


@case
def command_lines(d):
    for args, word in COMMAND_LINES:
        answer = run(USHERD, *(args[:1] if args[0] == "run" else []), "--runtime-dir", d.runtime,
                     *(args[1:] if args[0] == "run" else args), timeout=PATIENCE)
        assert answer.returncode in (1, 2), (args, answer)
        assert word in answer.stderr, (args, answer)


@case
def timers_and_paths(d):
    """Not run, and one line tells so; what wants or requires them goes on without."""
    good(d)
    d.unit("x.timer", "[Timer]\nOnCalendar=daily\n")
    d.unit("y.path", "[Path]\nPathExists=/x\n")
    d.unit("a.service", "[Unit]\nWants=x.timer y.path z.mount q.slice\nAfter=x.timer z.mount\n"
           "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n")
    d.unit("b.service", "[Unit]\nRequires=x.timer\n[Service]\nExecStart=/bin/true\n")
    d.start()
    assert len(d.logged(r"x\.timer: .*x\.timer: usher runs no \.timer units")) == 1
    assert len(d.logged(r"y\.path: .*y\.path: usher runs no \.path units")) == 1
    d.ctl("start", "a.service", check=True)
    d.ctl("start", "b.service", check=True)
    assert d.ctl("start", "x.timer").returncode == 5
    is_good()


@case
def missing_folder(d):
    answer = run(USHERD, "--runtime-dir", d.runtime, "--units", "/nonexistent/units")
    assert answer.returncode == 1, answer
    assert "/nonexistent/units" in answer.stderr, answer


@case
def bad_config(d):
    for text, pattern in (("log {", ":1"), ("socket a {\n listen-stream = 1\n", ":"),
                          ("LogLevel = \"info\n", ":")):
        path = d.file("usher.conf", text, 0o644)
        answer = run(USHERD, "--runtime-dir", d.runtime, "--config", path, "--units", d.units)
        assert answer.returncode == 1, (text, answer)
        assert path + pattern in answer.stderr, (text, answer)


@case
def crash_loop_of_one(d):
    good(d)
    d.unit("crash.socket", "[Socket]\nListenStream=127.0.0.1:7901\n")
    d.unit("crash.service", "[Service]\nExecStart=/bin/false\n")
    d.start("--compat=systemd", "--units", d.units)
    with connect(("127.0.0.1", 7901)):
        eventually(lambda: d.show("crash.socket", "ActiveState") == "failed", "the limit")
    is_good()


main()
