#!/usr/bin/env python3
"""What a listener survives when others share it or control its node: they shut it down, connect, filter or remove it, or make it block."""

import contextlib
import os
import shutil
import signal
import socket
import stat
import sys

from daemon import Skip, case, connect, eventually, main, talk

COMPAT = ("--compat=systemd",)
CAT = "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n"
ONE = ("127.0.0.1", 7001)


def begin(d, *units, args=(), **options):
    """usherd with these units started, and no other."""
    d.start("--units", d.units, "--target", "basic.target", *args, **options)
    if units:
        d.ctl("start", *units, check=True)


def states(d, *units):
    return [d.show(unit, "SubState") for unit in units]


def need_users():
    if os.geteuid() != 0 or open("/proc/self/uid_map", encoding="ascii").read().split()[2] == "1":
        raise Skip("needs to be root: it changes to another user")


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


# Difference: listener-reopened
@case
def listeners_that_are_spoilt(d):
    """A service can shut its listener down, or make it deaf: the next client is served all the same, by one
    that is opened again. systemd's socket fails, or receives nothing."""
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


# Difference: node-restored
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
        assert "to be free again (retry" in d.show("a.socket", "StatusText")
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


main()
