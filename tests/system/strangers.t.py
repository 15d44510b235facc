#!/usr/bin/env python3
"""What a local user can and cannot do at the control socket: descriptors, memory, places, time."""

import array
import contextlib
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import time

from daemon import PATIENCE, case, connect, eventually, is_sanitized, main, need_root
from raw_bus import (CAT, HELLO, NOBODY, PROPERTIES, ROOT, Client, being, field, fillers, is_served, message, others, pad, pair, somebody, string, strings)

def fds(d):
    return len(os.listdir(f"/proc/{d.process.pid}/fd"))


def cpu(d):
    with open(f"/proc/{d.process.pid}/stat", encoding="ascii") as file:
        words = file.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


# ---- descriptors

def with_fds(client, data, n=100):
    numbers = array.array("i", [client.sock.fileno()] * n)
    client.sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)])


MALFORMED = pad(b"l\1\0\1" + struct.pack("<III", 0, 1, 0x1f) + field(1, "o", string("no path")), 8)


@case
def descriptors_are_not_taken(d):
    pair(d)
    d.start()
    uid = somebody()
    with Client(d) as client:
        answers = client.authenticate()
        assert answers[0] == "DATA" and answers[1].startswith("OK "), answers
        assert answers[2].startswith("ERROR"), answers
    before = fds(d)
    held = []
    for hello, data in ((b"", b"\0"), (b"\0", b"AUTH EXTERNAL\r\n"), (b"\0AUTH", b" EXTERNAL\r\nDATA"), (HELLO, MALFORMED),
                        (HELLO, message("ListUnits")), (HELLO, message("ListUnits")[:20]),
                        (HELLO, message("GetUnit", "s", string("echo.socket"))), (HELLO, b"nonsense" * 100)):
        for _ in range(2):
            client = Client(d, uid, hello)
            with_fds(client, data)
            held.append(client)
    d.ctl("is-active", "echo.socket")
    # Each has a few of its own, none what it has sent.
    eventually(lambda: fds(d) <= before + 4 * len(held), "descriptors to be closed")
    for client in held:
        client.sock.close()
    eventually(lambda: fds(d) <= before, "descriptors to be closed")
    assert is_served(d)


@case
def descriptors_run_out(d):
    """Control clients are sent away without keeping the loop busy, and root gets in."""
    need_root()
    limit = 200
    pair(d)
    d.unit("many.socket", "[Socket]\n" + "".join(f"ListenStream=127.0.0.1:{8000 + i}\n" for i in range(50)))
    d.unit("many.service", CAT)
    d.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
    ctl = others(d)
    assert is_served(d) and ctl("is-active", "echo.socket").returncode == 0
    with contextlib.ExitStack() as stack:
        for i in range(60):
            stack.enter_context(Client(d, 2000 + i % 6))
        d.logged("Not all control clients can be served")
        roots = []
        for _ in range(4):  # one takes what is kept for it, for the others strangers go
            assert d.ctl("is-active", "echo.socket").stdout == "active\n"
            roots.append(stack.enter_context(Client(d)))
            roots[-1].authenticate()
            assert not roots[-1].call("GetUnit", "s", string("echo.socket"))[0]
            stack.enter_context(Client(d, NOBODY))
        used, lines = cpu(d), d.log().count("\n")
        time.sleep(2)
        assert cpu(d) - used < 1, "it is busy while descriptors are out"
        assert d.log().count("\n") - lines < 20, d.log()[-2000:]
        assert d.ctl("is-active", "echo.socket").stdout == "active\n"
    eventually(lambda: ctl("is-active", "echo.socket").returncode == 0, "places for all")
    assert is_served(d)


@case
def descriptors_run_out_for_root(d):
    """Root's own clients have taken the last: the others wait, and the loop is not busy."""
    need_root()
    limit = 128
    pair(d)
    d.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
    assert is_served(d)
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(Client(d, 0))
        d.logged("Not all control clients can be served")
        used, lines = cpu(d), d.log().count("\n")
        time.sleep(2)
        assert cpu(d) - used < 1, "it is busy while descriptors are out"
        assert d.log().count("\n") - lines < 20, d.log()[-2000:]
    eventually(lambda: d.ctl("is-active", "echo.socket").returncode == 0, "a place")
    assert is_served(d)


# ---- memory

def sized(size):
    """A call of this many bytes."""
    empty = len(message("ListUnitsByPatterns", "asas", strings() + pad(b"", 4) + strings("")))
    return message("ListUnitsByPatterns", "asas", strings() + strings("x" * (size - empty)))


@case
def large_messages(d):
    need_root()
    pair(d)
    d.start()
    assert is_served(d)
    for uid, size, is_taken in ((0, 1 << 20, True), (0, (1 << 20) + 8, False), (NOBODY, 64 << 10, True),
                                (NOBODY, (64 << 10) + 8, False), (NOBODY, 60 << 20, False), (0, 60 << 20, False)):
        with Client(d, uid) as client:
            client.authenticate()
            data = sized(size) if size < 4 << 20 else message("LoadUnit", "s", announced=size)
            assert size > 4 << 20 or len(data) == size, (len(data), size)
            try:
                client.sock.sendall(data)
                got = not client.answer()[0] or True
            except OSError:
                got = False
            assert got == is_taken, (uid, size, got)
    # Byte by byte, and in the other byte order, it comes to the same.
    with Client(d, NOBODY) as client:
        client.authenticate()
        for byte in message("GetUnit", "s", string("echo.socket")):
            client.sock.sendall(bytes([byte]))
        assert not client.answer()[0]
        client.sock.sendall(b"B\1\0\1" + struct.pack(">III", 60 << 20, 1, 8))
        assert client.is_gone()


@case
def unfinished_messages(d):
    """They take little, whoever and however many send them, and go after a while."""
    need_root()
    pair(d)
    d.start()
    assert is_served(d)
    before = d.memory()
    with contextlib.ExitStack() as stack:
        clients = []
        for i in range(240):
            client = stack.enter_context(Client(d, NOBODY - i % 12))
            with contextlib.suppress(OSError):
                client.authenticate()
                client.sock.sendall(sized(64 << 10)[:-1])
            clients.append(client)
        assert is_served(d)
        assert is_sanitized() or d.memory() < before + 20 * 1024, (before, d.memory())
        assert clients[-1].is_gone()
    assert is_served(d)
    eventually(lambda: is_sanitized() or d.memory() < before + 1024, "memory to return")


@case
def unread_answers(d):
    """Who asks and reads nothing waits; who asks much more without reading goes."""
    need_root()
    pair(d)
    fillers(d, 2000)
    d.start("--units", d.units, "--target", "all.target")
    ctl = others(d)
    assert d.ctl("start", "echo.socket").returncode == 0
    with Client(d) as client:
        client.authenticate()
        size = len(client.call("ListUnits")[1])
    assert size > 256 << 10, size  # more than the kernel takes
    before = d.memory()
    with contextlib.ExitStack() as stack:
        clients = []
        for i in range(120):
            client = stack.enter_context(Client(d, NOBODY - i % 10))
            client.sock.setblocking(False)
            with contextlib.suppress(OSError):
                for serial in range(1, 200):
                    client.sock.sendall(message("ListUnits", serial=serial))
            clients.append(client)
        assert is_served(d)
        eventually(lambda: ctl("is-active", "echo.socket", uid=1000).stdout == "active\n", "an answer for another")
        time.sleep(1)
        assert is_sanitized() or d.memory() < before + 24 * 1024, (before, d.memory())
        # The one who reads gets all of it, in the end.
        with Client(d, 1000) as reader:
            reader.authenticate()
            for serial in range(1, 4):
                assert len(reader.call("ListUnits", serial=serial)[1]) >= size
        assert clients
    eventually(lambda: is_sanitized() or d.memory() < before + 2048, "memory to return")


@case
def last_answers(d):
    """At the end nobody waits for those who do not read: root's last answer comes."""
    need_root()
    pair(d)
    fillers(d, 2000)
    d.start("--units", d.units, "--target", "all.target")
    with Client(d, NOBODY) as stranger, Client(d) as root:
        for client in stranger, root:
            client.authenticate()
        stranger.sock.sendall(message("ListUnits"))
        assert not root.call("GetUnit", "s", string("all.target"))[0]
        root.sock.sendall(message("ListUnits", serial=2))
        is_error, data = root.answer()
        assert not is_error and data.count(b"filler-") >= 2000
        root.sock.sendall(message("Exit", serial=3))
        assert not root.answer()[0]
        assert d.process.wait(PATIENCE) == 0


# ---- places

@case
def held_connections(d):
    """Neither one user nor many lock out root, nor one another."""
    need_root()
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    pair(d)
    d.start()
    ctl = others(d)
    with contextlib.ExitStack() as stack:
        for hello in (HELLO, b"", b"\0AUTH EXTERNAL\r\n"):
            for uid in (NOBODY, *range(2000, 2020)):
                for _ in range(300 if uid == NOBODY else 20):
                    with contextlib.suppress(OSError):
                        stack.enter_context(Client(d, uid, hello))
                if uid % 5 == 0 or uid == NOBODY:
                    assert d.ctl("is-active", "echo.socket").stdout == "active\n", uid
                    # Too many at once, and all but root wait for a second.
                    eventually(lambda: ctl("is-active", "echo.socket", uid=3000).stdout == "active\n", "a place")
        assert is_served(d)


@case
def who_may_control_has_places(d):
    need_root()
    pair(d)
    d.unit("../usher.conf", "AllowControl = {daemon}\n")
    d.start("--units", d.units, "--config", os.path.join(d.folder, "usher.conf"))
    ctl = others(d)
    with contextlib.ExitStack() as stack:
        for uid in (NOBODY, 1):
            for _ in range(200):
                with contextlib.suppress(OSError):
                    stack.enter_context(Client(d, uid)).authenticate()
            assert d.ctl("is-active", "echo.socket").stdout == "active\n"
        # Its own connections are a user's own matter.
        stack.close()
        eventually(lambda: ctl("is-active", "echo.socket", uid=1).stdout == "active\n", "the door to open")
        assert ctl("stop", "echo.socket", uid=1).returncode == 0
        assert ctl("start", "echo.socket", uid=1).returncode == 0
        assert ctl("stop", "echo.socket", uid=NOBODY).returncode == 4
    assert is_served(d)


@case
def the_door_opens_again(d):
    """Also behind a rush that was exactly as long as what is accepted at once."""
    need_root()
    pair(d)
    d.start()
    ctl = others(d)
    d.signal(signal.SIGSTOP)
    path = os.path.join(d.runtime, "systemd/private")
    with contextlib.ExitStack() as stack:
        with being(NOBODY):
            for _ in range(64):
                stack.enter_context(connect(path))
        d.signal(signal.SIGCONT)
        d.logged("Too many control clients")
        eventually(lambda: ctl("is-active", "echo.socket").returncode == 0, "the door to open")


CONNECT = """
import socket, sys
socks = []
while True:
    s = socket.socket(socket.AF_UNIX)
    try:
        s.connect(sys.argv[1])
    except PermissionError:
        continue
    socks = socks[-900:] + [s]
"""


@case
def connections_in_a_rush(d):
    """A backlog that is always full: root gets through."""
    need_root()
    pair(d)
    d.start()
    path = os.path.join(d.runtime, "systemd/private")
    rush = [subprocess.Popen(["/usr/bin/env", "python3", "-c", CONNECT, path], user=NOBODY, group=NOBODY, extra_groups=[])
            for _ in range(4)]
    time.sleep(1)
    for _ in range(20):
        assert is_served(d)
        if shutil.which("systemctl"):
            # It tries but once, and may hit upon the moment in which the queue is full.
            eventually(lambda: d.systemctl("is-active", "echo.socket").stdout == "active\n", "systemctl to get in")
    for process in rush:
        assert process.poll() is None
        process.kill()
        process.wait()
    ctl = others(d)
    eventually(lambda: ctl("is-active", "echo.socket").returncode == 0, "the door to open")


# ---- time

@case
def calls_in_a_rush(d):
    """Readers that ask on and on take a share of the time; others are served meanwhile."""
    need_root()
    pair(d)
    fillers(d, 500)
    d.start("--units", d.units, "--target", "all.target")
    assert d.ctl("start", "echo.socket").returncode == 0
    ctl = others(d)
    stop = os.path.join(d.folder, "stop")
    children = []
    for i in range(8):
        child = os.fork()
        if child == 0:
            try:
                with Client(d, NOBODY - i % 2) as client:
                    client.authenticate()
                    while not os.path.exists(stop):
                        client.call("ListUnits")
                        client.call("GetAll", "s", string(""), interface=PROPERTIES,
                                    path=ROOT + "/unit/echo_2esocket")
                        client.call("Ping", interface="org.freedesktop.DBus.Peer")
            finally:
                os._exit(0)
        children.append(child)
    used, begin = cpu(d), time.monotonic()
    while time.monotonic() < begin + 3:
        assert is_served(d)
        assert ctl("is-active", "echo.socket", uid=1000).stdout == "active\n"
    share = (cpu(d) - used) / (time.monotonic() - begin)
    open(stop, "w", encoding="ascii").close()
    for child in children:
        os.waitpid(child, 0)
    assert is_sanitized() or share < 0.8, share


@case
def long_lists(d):
    """The list of files is made by and by; calls behind it wait, a client that goes does no harm."""
    uid = somebody()
    pair(d)
    fillers(d, 3000)
    d.start("--units", d.units, "--target", "all.target")
    assert d.ctl("start", "echo.socket").returncode == 0
    for _ in range(20):
        with Client(d, uid) as client:
            client.authenticate()
            client.sock.sendall(message("ListUnitFiles"))
    with Client(d, uid) as client, Client(d) as root:
        for one in client, root:
            one.authenticate()
            one.sock.sendall(message("ListUnitFiles") + message("ListUnitFilesByPatterns", "asas", pad(strings(), 4) +
                                                                strings("echo*"), serial=2) + message("GetId", serial=3))
        assert is_served(d)
        for one in client, root:
            answers = [one.answer() for _ in range(3)]
            assert [answer[0] for answer in answers] == [False, False, True], answers[1:]
            assert answers[0][1].count(b"filler-") == 3000 and answers[0][1].count(b"echo") == 2
            assert answers[1][1].count(b"echo") == 2 and b"filler" not in answers[1][1]
    assert d.ctl("list-unit-files", "echo*").stdout.count("echo") == 2


main()
