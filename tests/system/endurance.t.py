#!/usr/bin/env python3
"""What a listener survives: floods that are refused, want of processes, services that spoil it, the sudden
end of the supervisor."""

import contextlib
import ctypes
import os
import random
import re
import resource
import shutil
import signal
import socket
import stat
import sys

from daemon import Skip, answer, case, connect, eventually, main, run, talk

COMPAT = ("--compat=systemd",)
CAT = "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n"
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable  # of users without a home
ONE = ("127.0.0.1", 7001)
TWO = ("127.0.0.1", 7002)


def begin(d, *units, args=(), **options):
    """usherd with these units started, and no other."""
    d.start("--units", d.units, "--target", "basic.target", *args, **options)
    if units:
        d.ctl("start", *units, check=True)


def states(d, *units):
    return [d.show(unit, "SubState") for unit in units]


# ---- limits

@case
def refused_connections_use_up_no_limit(d):
    """One source that is refused all the time shuts out nobody else: what MaxConnectionsPerSource= (or
    MaxConnections=) refuses counts for neither the trigger limit nor the poll limit."""
    limited = ("[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\nMaxConnectionsPerSource=1\n"
               "TriggerLimitIntervalSec=1000\nTriggerLimitBurst=10\nPollLimitIntervalSec=1000\n")
    d.unit("a.socket", limited + "PollLimitBurst=10\n")
    d.unit("a@.service", CAT)
    begin(d, "a.socket")
    with connect(ONE) as held:
        held.sendall(b"x")
        assert held.recv(1) == b"x"
        for _ in range(40):
            assert answer(ONE) == b""
        with socket.create_connection(ONE, source_address=("127.0.0.2", 0), timeout=20) as other:
            other.sendall(b"y")
            assert other.recv(1) == b"y"
        assert [d.show("a.socket", p) for p in ("NAccepted", "XNRefusedMaxConnectionsPerSource",
                                                "XNRefusedTriggerLimit", "StatusText")] == ["2", "40", "0", ""]
    d.stop()
    d.unit("a.socket", limited)
    begin(d, "a.socket", args=COMPAT)
    with connect(ONE) as held:
        held.sendall(b"x")
        for _ in range(20):
            answer(ONE)
        eventually(lambda: d.show("a.socket", "Result") == "trigger-limit-hit")


# ---- places of connections

def until_go(d):
    return f"until [ -e {d.folder}/go ]; do sleep 0.01; done"


def place(d):
    return d.show("a.socket", "NConnections")


@case
def failed_connections_hold_no_place(d):
    """Restart= does not keep a connection that its client has left, nor its place of MaxConnections=: the
    instance ends. With systemd it is restarted, without the connection and the place."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\nMaxConnections=2\n"
           "MaxConnectionsPerSource=2\n")
    d.unit("a@.service", "[Service]\nStandardInput=socket\nRestart=always\nRestartSec=1000\n"
           "ExecStart=/bin/sh -c 'read line; echo $line; exit 1'\n")
    for args in (), COMPAT:
        begin(d, "a.socket", args=args)
        for _ in range(6):
            assert answer(ONE, b"x\n") == b"x\n"
            eventually(lambda: place(d) == "0")
        rows = d.ctl("list-units", "--all", "--no-legend", "--plain", "a@*").stdout
        assert rows.count("auto-restart") == (6 if args else 0), rows
        told = [line for line in d.log().splitlines() if "Restart= is left out" in line]
        assert len(told) == 1, told  # the second time systemd's way is gone
        d.stop()
    lint = d.ctl("lint", d.units + "/a.socket")
    assert "Restart= is left out" in lint.stdout + lint.stderr and lint.returncode == 0, lint


@case
def connection_until_the_last_command(d):
    """The place, and our copy of the connection, are kept for what may still use it, and no longer."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\nMaxConnections=1\n")
    for more, is_kept in (("StandardOutput=socket\n", True), ("", False)):
        d.unit("a@.service", f"[Service]\n{more}ExecStart=/bin/sh -c 'exit 1'\n"
               f"ExecStopPost=/bin/sh -c '{until_go(d)}; echo bye'\n")
        begin(d, "a.socket")
        with connect(ONE) as client:
            eventually(lambda: "stop-post" in d.ctl("list-units", "--all", "a@*").stdout)
            eventually(lambda: place(d) == ("1" if is_kept else "0"))
            if is_kept:
                assert answer(ONE) == b""  # no place is left
            else:
                assert client.recv(1) == b""  # though its instance is not over
                with connect(ONE) as second:
                    assert second.recv(1) == b""
            d.file("go", "")
            assert client.recv(4) == (b"bye\n" if is_kept else b"")
        eventually(lambda: "a@" not in d.ctl("list-units", "--all", "a@*").stdout and place(d) == "0")
        d.stop()
        os.unlink(f"{d.folder}/go")


@case
def place_that_was_waited_for(d):
    """Who waits in the backlog for a place is served when it is given back."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\nMaxConnections=1\n"
           "X-MaxConnectionsAction=queue\n")
    d.unit("a@.service", "[Service]\nExecStart=/bin/sh -c 'echo x >&3'\n"
           f"ExecStopPost=/bin/sh -c '{until_go(d)}'\n")
    begin(d, "a.socket")
    for _ in range(3):
        with connect(ONE) as client:
            assert client.recv(1) == b"x"
    d.file("go", "")


# ---- nothing left to serve with

def need_users():
    if os.geteuid() != 0 or open("/proc/self/uid_map", encoding="ascii").read().split()[2] == "1":
        raise Skip("needs to be root: it changes to another user")


def begin_as_user(d, *units, **options):
    """The same as an ordinary user whom nobody else is: root has no limit of processes."""
    need_users()
    uid = 61000 + random.randrange(4000)
    os.chown(d.folder, uid, uid)
    d.start("--user", "--units", d.units, "--target", "basic.target", user=uid, group=uid, extra_groups=[],
            env={"HOME": "/nonexistent"}, **options)
    if units:
        d.ctl("start", *units, check=True)


def limit_processes(d, soft):
    """As that user, who needs no capability for it."""
    uid = os.stat(d.folder).st_uid
    run("prlimit", "--pid", str(d.process.pid), f"--nproc={soft}:", check=True, user=uid, group=uid, extra_groups=[])


@contextlib.contextmanager
def no_processes(d):
    """usherd can start none meanwhile."""
    limit_processes(d, 1)
    try:
        yield
    finally:
        limit_processes(d, 1000)


@case
def connections_wait_for_processes(d):
    """What was taken already waits for its process, the rest in the backlog; nobody is lost, and one line
    tells it, however many they are."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    d.unit("a@.service", CAT)
    d.unit("b.socket", "[Socket]\nListenStream=127.0.0.1:7002\nAccept=yes\n")
    d.unit("b@.service", CAT)
    begin_as_user(d, "a.socket", "b.socket")
    with contextlib.ExitStack() as stack:
        with no_processes(d):
            clients = [stack.enter_context(connect(where)) for where in (ONE, TWO) for _ in range(15)]
            for client in clients:
                client.sendall(b"x")
            d.logged("Resources are exhausted .*, pausing")
            eventually(lambda: "exhausted" in d.show("b.socket", "StatusText"))
            assert d.show("a.socket", "ActiveState") == "active"
        for client in clients:
            assert client.recv(1) == b"x"
        assert d.show("a.socket", "StatusText") == ""
    assert len(re.findall("exhausted", d.log())) < 3, "told again and again"
    assert "Failed" not in d.log()


@case
def few_processes_for_many(d):
    """At a limit of processes each that ends makes room for one who waits."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    d.unit("a@.service", CAT)
    begin_as_user(d, "a.socket")
    limit_processes(d, 6)
    clients = [connect(ONE) for _ in range(40)]
    for client in clients:
        client.sendall(b"x")
    for client in clients:
        assert client.recv(1) == b"x"
        client.close()
    eventually(lambda: d.show("a.socket", "NConnections") == "0")
    assert d.show("a.socket", "NAccepted") == "40"


@case
def commands_wait_for_processes(d):
    """Services and the commands of sockets wait as well, and say so."""
    d.unit("a.socket", f"[Socket]\nListenStream=127.0.0.1:7001\nExecStartPost=/bin/touch {d.folder}/post\n")
    d.unit("a.service", "[Service]\nExecStartPre=/bin/true\nExecStart=/bin/cat\nStandardInput=socket\n")
    d.unit("b.service", "[Service]\nExecStart=/bin/sleep 1000\nExecStop=/bin/touch " + f"{d.folder}/stopped\n")
    d.unit("c.service", "[Service]\nExecStart=/bin/sleep 1000\n")
    begin_as_user(d, "b.service")
    with no_processes(d):
        d.ctl("start", "--no-block", "a.socket", "c.service", check=True)
        eventually(lambda: d.show("c.service", "StatusText").startswith("Waiting"))
        assert states(d, "a.socket", "c.service") == ["start-post", "start"]
        d.ctl("stop", "--no-block", "b.service", check=True)
        eventually(lambda: states(d, "b.service") == ["stop"])
        d.ctl("stop", "c.service", check=True)  # what waits can be stopped
        d.ctl("start", "--no-block", "c.service", check=True)
    eventually(lambda: states(d, "a.socket", "b.service", "c.service") == ["listening", "dead", "running"])
    assert os.path.exists(f"{d.folder}/post") and os.path.exists(f"{d.folder}/stopped")
    limit_processes(d, 1)
    with connect(ONE):
        eventually(lambda: states(d, "a.socket", "a.service") == ["running", "start-pre"])
        d.stop()  # nor does it keep the supervisor from its end


@case
def service_at_its_own_limit(d):
    """LimitNPROC= counts the processes of the service's user, and its exec fails above: connections are
    refused as with MaxConnections=, and a line a second tells of all of them."""
    need_users()
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    d.unit("a@.service", CAT + "User=uucp\nLimitNPROC=2\n")
    begin(d, "a.socket")
    with contextlib.ExitStack() as stack:
        for n_served in range(10):  # kernels differ by one
            client = stack.enter_context(connect(ONE))
            client.sendall(b"x")
            try:
                if client.recv(1) == b"":
                    break
            except ConnectionResetError:
                break
        assert n_served in (2, 3)
        for _ in range(30):
            assert answer(ONE) == b""
        eventually(lambda: d.show("a.socket", "NConnections") == str(n_served))
        assert [d.show("a.socket", p) for p in ("NRefused", "XNRefusedServiceLimit")] == ["31", "31"]
    eventually(lambda: d.show("a.socket", "NConnections") == "0")
    assert talk(ONE, b"y") == b"y"
    assert "Failed" not in d.log()


@case
def reload_without_descriptors(d):
    """A file that cannot be opened for want of descriptors is not a bad one: nothing changes."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    d.unit("a@.service", CAT)
    begin(d, "a.socket")
    soft, hard = resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (1, hard))
    d.signal(signal.SIGHUP)
    d.logged("Too many open files")
    resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
    assert talk(ONE, b"x") == b"x"
    assert [d.show("a.socket", p) for p in ("LoadState", "SubState")] == ["loaded", "listening"]


# ---- what services do to their listeners

SPOIL = """import os, socket, struct, sys, ctypes
listeners = [socket.socket(fileno=3 + i) for i in range(int(os.environ["LISTEN_FDS"]))]
def spoil(how):
    for l in listeners:
        try:
            if how == "connect":
                l.connect(l.getsockname() if l.family == socket.AF_UNIX else (l.getsockname()[0], 9))
            elif how == "unlink":
                os.unlink(l.getsockname())
            elif how == "take":
                os.unlink(l.getsockname())
                socket.socket(l.family, l.type).bind(l.getsockname())
            elif how == "filter":
                code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
                l.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HP", 1, ctypes.addressof(code)))
                l.setsockopt(socket.SOL_SOCKET, 44, 1)
            elif how != "none":
                l.shutdown({"read": socket.SHUT_RD, "write": socket.SHUT_WR, "shutdown": socket.SHUT_RDWR}[how])
        except OSError:  # a datagram socket says that it is not connected, and is shut down
            pass
def serve():
    for l in listeners:
        l.setblocking(False)
        try:
            if l.type == socket.SOCK_DGRAM:
                data, peer = l.recvfrom(100)
                l.sendto(data, peer)
            else:
                l.accept()[0].sendall(b"x")
        except BlockingIOError:
            pass
serve()
spoil(sys.argv[1])
"""


def ask_stream(address, kind=socket.SOCK_STREAM):
    with connect(address, kind=kind) as client:
        return client.recv(1)


def ask_datagram(address):
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(20)
        if family == socket.AF_UNIX:
            client.bind("")  # to be answered
        client.sendto(b"x", address)
        return client.recv(1)


def spoiled(d, listen, how, more=""):
    """The socket of a service that serves one client, and spoils its listener then."""
    d.unit("a.socket", f"[Socket]\n{listen}\n{more}")
    d.unit("a.service", f"[Service]\nExecStart={sys.executable} {d.file('spoil.py', SPOIL)} {how}\n")


def warnings(d):
    return [line for line in d.log().splitlines() if "opening it anew" in line]


@case
def listeners_that_are_spoilt(d):
    """A service can shut its listener down, or make it deaf: the next client is served all the same, by one
    that is opened anew. systemd's socket fails, or stays deaf."""
    for listen, how, ask, what in (
            ("ListenStream=127.0.0.1:7001", "shutdown", lambda: ask_stream(ONE), "127.0.0.1:7001 was shut down by a.service"),
            (f"ListenStream={d.folder}/s", "shutdown", lambda: ask_stream(f"{d.folder}/s"), "was shut down by"),
            ("ListenStream=@abstract", "shutdown", lambda: ask_stream("@abstract"), "was shut down by"),
            ("ListenDatagram=127.0.0.1:7001", "shutdown", lambda: ask_datagram(ONE), "was shut down by"),
            ("ListenDatagram=127.0.0.1:7001", "connect", lambda: ask_datagram(ONE), "was connected to a single peer by"),
            ("ListenDatagram=127.0.0.1:7001", "read", lambda: ask_datagram(ONE), "was shut down by"),
            ("ListenDatagram=127.0.0.1:7001", "write", lambda: ask_datagram(ONE), "was shut down by"),
            ("ListenDatagram=[::1]:7001", "write", lambda: ask_datagram(("::1", 7001)), "was shut down by"),
            ("ListenDatagram=[::1]:7001", "connect", lambda: ask_datagram(("::1", 7001)), "was connected to"),
            (f"ListenDatagram={d.folder}/d", "shutdown", lambda: ask_datagram(f"{d.folder}/d"), "was shut down by"),
            (f"ListenDatagram={d.folder}/d", "read", lambda: ask_datagram(f"{d.folder}/d"), "was shut down by"),
            (f"ListenDatagram={d.folder}/d", "write", lambda: ask_datagram(f"{d.folder}/d"), "was shut down by"),
            (f"ListenDatagram={d.folder}/d", "connect", lambda: ask_datagram(f"{d.folder}/d"), "was connected to"),
            (f"ListenSequentialPacket={d.folder}/q", "read", lambda: ask_stream(f"{d.folder}/q", socket.SOCK_SEQPACKET),
             "was shut down by"),
            ("ListenDatagram=127.0.0.1:7001", "filter", lambda: ask_datagram(ONE), "has a filter that cannot be removed"),
            (f"ListenStream={d.folder}/s", "unlink", lambda: ask_stream(f"{d.folder}/s"), "has lost its node"),
            (f"ListenStream={d.folder}/s", "take", lambda: ask_stream(f"{d.folder}/s"), "has another node at its path")):
        spoiled(d, listen, how)
        begin(d, "a.socket")
        for n in range(3):
            assert ask() == b"x", (listen, how)
            eventually(lambda: states(d, "a.socket") == ["listening"] and d.show("a.socket", "XNReopened") == str(n + 1))
        found = warnings(d)
        assert len(found) == 1 and what in found[0], found
        assert "Reopened: 3" in d.ctl("status", "a.socket").stdout
        d.stop()
        os.unlink(d.log_path)
    begin(d, "a.socket", args=COMPAT)
    assert ask_stream(f"{d.folder}/s") == b"x"
    eventually(lambda: states(d, "a.socket") == ["listening"])
    assert d.show("a.socket", "XNReopened") == "0"


@case
def node_that_is_removed(d):
    """By whomever: it is back at a reload, or when a start is asked for, with its mode and owner."""
    need_users()
    d.unit("a.socket", f"[Socket]\nListenStream={d.folder}/sub/s\nListenFIFO={d.folder}/fifo\nSocketMode=0640\n"
           "SocketUser=daemon\nSocketGroup=mail\n")
    d.unit("a.service", "[Service]\nExecStart=/bin/sleep 1000\n")
    begin(d, "a.socket")
    nodes = [f"{d.folder}/sub/s", f"{d.folder}/fifo"]

    def look():
        return [(stat.S_IMODE(s.st_mode), s.st_uid, s.st_gid) for s in map(os.lstat, nodes)]
    before = look()
    for is_running in False, True:
        if is_running:
            d.ctl("start", "a.service", check=True)
            eventually(lambda: states(d, "a.socket") == ["running"])
        for verb in ("daemon-reload",), ("start", "a.socket"):
            shutil.rmtree(f"{d.folder}/sub")
            os.unlink(nodes[1])
            d.ctl(*verb, check=True)
            assert look() == before
    assert d.show("a.socket", "XNReopened") == "8"
    assert len(warnings(d)) == 2  # one in each load
    d.ctl("stop", "a.service", check=True)
    eventually(lambda: states(d, "a.socket") == ["listening"])
    connect(nodes[0]).close()
    eventually(lambda: states(d, "a.service") == ["running"])


@case
def node_that_another_has_taken(d):
    """A daemon that serves the path by itself is left alone; the socket listens when it has gone."""
    path = f"{d.folder}/s"
    d.unit("a.socket", f"[Socket]\nListenStream={path}\n")
    d.unit("a.service", f"[Service]\nExecStart={sys.executable} {d.file('spoil.py', SPOIL)} none\n")
    begin(d, "a.socket")
    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        other.listen()
        d.ctl("start", "a.socket", check=True)
        d.logged("Failed to listen on .*in use by process")
        assert "trying again" in d.show("a.socket", "StatusText")
        connect(path).close()  # it is there
    d.ctl("start", "a.socket", check=True)
    assert d.show("a.socket", "StatusText") == ""
    assert ask_stream(path) == b"x"


@case
def command_that_keeps_the_listener(d):
    """Nor does a command of the socket harm it that has its descriptors, while connections are taken."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\nPassFileDescriptorsToExec=yes\n"
           f"ExecStartPost={sys.executable} -c 'import os, socket, time\\n"
           "if os.fork() == 0:\\n while not os.path.exists(\"" + d.folder + "/go\"): time.sleep(0.01)\\n"
           " socket.socket(fileno=3).shutdown(2)'\n")
    d.unit("a@.service", CAT)
    begin(d, "a.socket")
    assert talk(ONE, b"x") == b"x"
    d.file("go", "")
    d.logged("opening it anew")
    assert talk(ONE, b"x") == b"x"


@case
def listener_that_is_made_to_wait(d):
    """Who has a listener, too, may set it to blocking, and may have taken the connection that there was."""
    script = d.file("wait.py", "import os, socket, time\nif os.fork() == 0:\n socket.socket(fileno=3).setblocking(True)\n"
                    f" open('{d.folder}/ready', 'w').close()\n time.sleep(600)\n")
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\nPassFileDescriptorsToExec=yes\n"
           f"ExecStartPost={sys.executable} {script}\n")
    d.unit("a@.service", CAT)
    begin(d, "a.socket")
    eventually(lambda: os.path.exists(d.folder + "/ready"), "it to be set")
    for n in 1, 2, 5:
        d.process.send_signal(signal.SIGSTOP)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(connect(ONE)) for _ in range(n)]
            d.process.send_signal(signal.SIGCONT)
            for client in clients:
                client.sendall(b"x")
                assert client.recv(1) == b"x"
        assert states(d, "a.socket") == ["listening"]
    d.ctl("stop", "a.socket", check=True)


# ---- the sudden end of the supervisor

# Serves all that it gets, blocking or not, with its own pid, and lets a child do so when it is told.
SERVER = """import os, socket, sys, threading
def serve(s):
    while True:
        if s.type == socket.SOCK_DGRAM:
            data, peer = s.recvfrom(100)
            s.sendto(str(os.getpid()).encode(), peer)
        else:
            with s.accept()[0] as peer:
                peer.sendall(str(os.getpid()).encode())
listeners = [socket.socket(fileno=3 + i) for i in range(int(os.environ["LISTEN_FDS"]))]
if sys.argv[1:] and os.fork():
    import signal
    signal.pause()
for s in listeners:
    s.setblocking(True)
    threading.Thread(target=serve, args=(s,)).start()
"""
ADDRESSES = {"127.0.0.1:7001": ("ListenStream", socket.AF_INET, ONE),
             "[::1]:7001": ("ListenStream", socket.AF_INET6, ("::1", 7001)),
             "@endurance": ("ListenStream", socket.AF_UNIX, "\0endurance"),
             "127.0.0.1:7002": ("ListenDatagram", socket.AF_INET, TWO)}


def served_by(family, kind, address):
    """The pid of the server."""
    with socket.socket(family, kind) as client:
        client.settimeout(20)
        if kind == socket.SOCK_DGRAM:
            if family == socket.AF_UNIX:
                client.bind("")
            client.sendto(b"x", address)
        else:
            client.connect(address)
        return int(client.recv(100))


def held_sockets(d, more="", argument=""):
    """Sockets of many kinds, all of one service."""
    units = []
    addresses = dict(ADDRESSES)
    addresses[f"{d.folder}/s"] = ("ListenSequentialPacket", socket.AF_UNIX, f"{d.folder}/s")
    addresses[f"{d.folder}/d"] = ("ListenDatagram", socket.AF_UNIX, f"{d.folder}/d")
    for n, (text, (directive, _, _)) in enumerate(addresses.items()):
        units.append(f"s{n}.socket")
        d.unit(units[-1], f"[Socket]\n{directive}={text}\nService=s.service\n")
    d.unit("s.service", f"[Service]\n{more}ExecStart={PYTHON} {d.file('server.py', SERVER)} {argument}\n")

    def ask():
        kinds = {"ListenStream": socket.SOCK_STREAM, "ListenDatagram": socket.SOCK_DGRAM,
                 "ListenSequentialPacket": socket.SOCK_SEQPACKET}
        return {served_by(family, kinds[directive], where) for directive, family, where in addresses.values()}
    return units, ask


def check_held(d, units, ask, old, begin_again, told):
    """After the end of usherd: what old holds stays its, until it has ended."""
    d.kill()
    begin_again()
    assert states(d, *units) == ["listening"] * len(units)
    for unit in units:
        eventually(lambda u=unit: told in d.show(u, "StatusText"))
    assert ask() == {old}
    assert d.show("s.service", "MainPID") == "0"
    d.ctl("daemon-reload", check=True)
    assert ask() == {old}
    os.kill(old, signal.SIGKILL)

    def ask_again():
        try:
            return ask()
        except (OSError, ValueError):  # not there yet, or it was the old one's last
            return None
    new = eventually(ask_again)
    assert len(new) == 1 and old not in new, new
    assert {d.show(unit, "StatusText") for unit in units} == {""}


@case
def sockets_that_old_services_hold(d):
    """usherd is killed, its services live on: the next one takes their sockets over, and serves them when
    they have ended. It finds them by what it wrote down, for itself alone."""
    units, ask = held_sockets(d)
    begin(d, *units)
    old = int(d.show("s.service", "MainPID") if ask() else 0)
    assert stat.S_IMODE(os.stat(f"{d.runtime}/listeners").st_mode) == 0o600
    check_held(d, units, ask, old, lambda: begin(d, *units), f"held by process {old} (")
    d.stop()
    assert not os.path.exists(f"{d.runtime}/listeners")


@case
def sockets_that_old_workers_hold(d):
    """The process that was started has ended, one that it has started has them."""
    units, ask = held_sockets(d, argument="fork")
    begin(d, *units)
    worker, = ask()
    main_pid = int(d.show("s.service", "MainPID"))
    assert worker != main_pid
    d.kill()
    os.kill(main_pid, signal.SIGKILL)
    begin(d, *units)
    check_held(d, units, ask, worker, lambda: begin(d, *units), f"held by process {worker} (")


@case
def sockets_of_unseen_processes(d):
    """Who may not see the descriptors of others (a container without CAP_SYS_PTRACE) waits all the same."""
    need_users()
    units, ask = held_sockets(d, "User=daemon\n")
    libc = ctypes.CDLL(None)

    def again():
        begin(d, *units, preexec_fn=lambda: libc.prctl(24, 19, 0, 0, 0))  # PR_CAPBSET_DROP
    again()
    old, = ask()
    check_held(d, units, ask, old, again, "held by a process")


@case
def sockets_of_strangers(d):
    """What somebody else has bound meanwhile is an error at once, and the log names him; so is all that is
    held where the file is of another boot."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\n")
    d.unit("a.service", f"[Service]\nExecStart={sys.executable} {d.file('server.py', SERVER)}\n")
    begin(d, "a.socket")
    d.kill()
    with socket.create_server(ONE):
        begin(d)
        assert d.ctl("start", "a.socket").returncode == 1
        d.logged(r"Failed to listen .*held by process \d+ \(python")
    d.ctl("start", "a.socket", check=True)
    with connect(ONE) as client:
        assert client.recv(1)
    d.kill()
    with open(f"{d.runtime}/listeners", "r+", encoding="ascii") as file:
        text = file.read()
        file.seek(0)
        file.write(text.replace("listeners 1 ", "listeners 1 0", 1))
    begin(d)
    assert d.ctl("start", "a.socket").returncode == 1


@case
def connections_that_live_on(d):
    """They hold no listener: the next usherd takes connections at once. A FIFO is read again, too, whoever
    it belongs to."""
    need_users()
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    d.unit("a@.service", CAT)
    d.unit("b.socket", f"[Socket]\nListenFIFO={d.folder}/fifo\nSocketUser=daemon\n")
    d.unit("b.service", CAT)
    begin(d, "a.socket", "b.socket")
    with connect(ONE) as old:
        old.sendall(b"x")
        assert old.recv(1) == b"x"
        d.kill()
        begin(d, "a.socket", "b.socket")
        assert states(d, "a.socket", "b.socket") == ["listening", "listening"]
        assert talk(ONE, b"y") == b"y"
        old.sendall(b"z")
        assert old.recv(1) == b"z"


if __name__ == "__main__":
    main()
