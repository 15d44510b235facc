#!/usr/bin/env python3
"""Every directive of [Socket], and what surprises people about them, with real sockets and services."""

import json
import os
import re
import socket
import sys

from daemon import SERVER_OF_ALL, Skip, answer, case, connect, eventually, main, run, talk


def server(d, more=""):
    return f"[Unit]\n{more}\n[Service]\nExecStart={sys.executable} {d.file('server.py', SERVER_OF_ALL)}\n"


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


# ---- what usherctl tells

def listing(d, *args):
    return json.loads(d.ctl(*args, "-o", "json", check=True).stdout)


@case
def live_connections(d):
    d.unit("a.socket", f"[Socket]\nListenStream=127.0.0.1:7001\nListenStream={d.folder}/a.sock\n"
           "Accept=yes\n")
    d.unit("a@.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n")
    d.unit("b.socket", "[Socket]\nListenStream=7002\n")
    d.unit("b.service", "[Service]\nExecStart=/bin/cat\n")
    begin(d, "a.socket", "b.socket")
    assert listing(d, "connections") == []
    with connect(("127.0.0.1", 7001)) as peer, connect(f"{d.folder}/a.sock"), \
            connect(("::1", 7002)), connect(("127.0.0.1", 7002)):
        peer.sendall(b"12345")
        assert peer.recv(5) == b"12345"
        eventually(lambda: len(listing(d, "connections")) == 4)
        tcp, unix, *shared = listing(d, "connections")
        port = peer.getsockname()[1]
        assert (tcp["socket"], tcp["local"], tcp["peer"], tcp["state"]) == \
            ("a.socket", "127.0.0.1:7001", f"127.0.0.1:{port}", "ESTAB"), tcp
        assert (tcp["received"], tcp["sent"]) == ("5", "5"), tcp
        assert tcp["unit"] == f"a@0-127.0.0.1:7001-127.0.0.1:{port}.service", tcp
        command = open(f"/proc/{tcp['pid']}/cmdline", encoding="ascii").read()
        assert command.startswith("/bin/cat"), command
        assert unix["local"] == f"{d.folder}/a.sock" and unix["state"] == "-", unix
        assert unix["peer"] == f"PID {os.getpid()} (UID 0)", unix
        assert [row["unit"] for row in shared] == ["b.service"] * 2, shared
        assert sorted(row["local"] for row in shared) == ["127.0.0.1:7002", "[::1]:7002"], shared
        assert len(listing(d, "connections", "b*")) == 2
        assert len(listing(d, "connections", "a")) == 2
        head = d.ctl("connections", check=True).stdout.splitlines()[0].split()
        wide = d.ctl("connections", "--wide", check=True).stdout.splitlines()[0].split()
        assert wide == head + ["SEGMENTS-IN", "SEGMENTS-OUT"], (head, wide)


@case
def refusals_by_reason(d):
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n"
           "MaxConnections=2\nMaxConnectionsPerSource=1\n")
    d.unit("a@.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n")
    begin(d, "a.socket")
    with connect(("127.0.0.1", 7001)) as first:
        first.sendall(b"1")
        assert first.recv(1) == b"1"
        assert answer(("127.0.0.1", 7001)) == b""
        with socket.create_connection(("127.0.0.1", 7001), source_address=("127.0.0.2", 0)) as other:
            other.sendall(b"2")
            assert other.recv(1) == b"2"
            for _ in range(2):
                assert answer(("127.0.0.1", 7001)) == b""
            row = listing(d, "list-sockets")[0]
    assert [row[key] for key in ("accepted", "active", "refused", "by-max", "by-source")] == \
        ["2", "2", "3", "2", "1"], row
    assert "BY-SOURCE" in d.ctl("list-sockets", "--wide", check=True).stdout
    assert "BY-SOURCE" not in d.ctl("list-sockets", check=True).stdout


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

# Difference: newer-systemd
@case
def name_of_a_connection(d):
    for compat, expected in ((False, b"web"), (True, b"connection")):
        d.unit("n.socket", "[Socket]\nListenStream=@n\nAccept=yes\nFileDescriptorName=web\n")
        d.unit("n@.service", "[Service]\nExecStart=/bin/sh -c 'printf %%s $LISTEN_FDNAMES >&3'\n")
        begin(d, "n.socket", args=["--compat=systemd"] if compat else [])
        assert talk("@n") == expected
        d.stop()


@case
def files_that_are_opened(d):
    """OpenFile=: after the sockets, by name; a socket node is connected to."""
    show = "".join(f"exec {sys.executable} {d.file('show.py', SHOW)} {d.folder}/seen")
    d.file("rw", "123")
    d.file("trunc", "123")
    d.unit("o.socket", "[Socket]\nListenStream=@o\nFileDescriptorName=web\n")
    d.unit("o.service", f"[Service]\nType=oneshot\nExecStart=/bin/sh -c '{show}'\n"
           f"OpenFile={d.folder}/rw\nOpenFile={d.folder}/rw:ro:read-only\n"
           f"OpenFile={d.folder}/rw:more:append\nOpenFile={d.folder}/trunc::truncate\n"
           f"OpenFile={d.folder}/none:n:graceful\nOpenFile=@{d.folder}/bad\n"
           f"OpenFile={d.folder}/peer.sock:peer\nOpenFile={d.folder}/rw:x:read-only,append\n")
    d.unit("f.service", f"[Service]\nExecStart=/bin/true\nOpenFile={d.folder}/none\n")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{d.folder}/peer.sock")
    listener.listen()
    begin(d, "o.socket", "o.service")
    d.logged(r"o\.service:9: Failed to parse file to open for OpenFile=")
    d.logged(r"o\.service:11: Failed to parse file to open for OpenFile=")
    seen = open(f"{d.folder}/seen", encoding="ascii").read().split("\n")
    assert seen[0] == "web:rw:ro:more:trunc:peer", seen
    assert seen[1:] == ["sock", "0o2", "0o0", "0o2002", "0o2", "sock", ""], seen
    assert open(f"{d.folder}/trunc", encoding="ascii").read() == ""
    assert d.ctl("start", "f.service").returncode == 1
    d.logged(f"f.service: Cannot open {d.folder}/none: No such file or directory")
    before = len(os.listdir(f"/proc/{d.process.pid}/fd"))
    for _ in range(3):
        assert d.ctl("start", "f.service").returncode == 1
        d.ctl("restart", "o.service", check=True)
    eventually(lambda: len(os.listdir(f"/proc/{d.process.pid}/fd")) <= before)
    listener.close()


SHOW = """import fcntl, os, stat, sys
with open(sys.argv[1], "w") as out:
    print(os.environ["LISTEN_FDNAMES"], file=out)
    for fd in range(3, 3 + int(os.environ["LISTEN_FDS"])):
        is_socket = stat.S_ISSOCK(os.fstat(fd).st_mode)
        flags = fcntl.fcntl(fd, fcntl.F_GETFL) & (os.O_ACCMODE | os.O_APPEND | os.O_NONBLOCK)
        print("sock" if is_socket else oct(flags), file=out)
"""


# ---- other families

@case
def vsock(d):
    """From a virtual machine to its host; here to the machine itself, where the kernel can do that."""
    try:
        socket.socket(socket.AF_VSOCK).close()
    except OSError as error:
        raise Skip(f"no AF_VSOCK: {error}") from None
    d.unit("v.socket", "[Socket]\nListenStream=vsock::7009\nAccept=yes\nMaxConnectionsPerSource=1\n")
    d.unit("v@.service", "[Service]\nExecStart=/bin/sh -c 'echo %i $REMOTE_ADDR; cat'\n"
           "StandardInput=socket\n")
    begin(d, "v.socket")
    assert d.show("v.socket", "Listen").startswith("vsock:")
    with socket.socket(socket.AF_VSOCK) as client, socket.socket(socket.AF_VSOCK) as second:
        client.settimeout(5)
        try:
            client.connect((1, 7009))  # VMADDR_CID_LOCAL
        except OSError as error:
            raise Skip(f"it listens, but there is no AF_VSOCK loopback to connect: {error}") from None
        assert client.makefile().readline().startswith("0-")
        second.connect((1, 7009))
        assert second.recv(1) == b""


@case
def protocols_that_the_kernel_lacks(d):
    """SocketProtocol= applies to the types that have the protocol; a missing one is reported."""
    d.unit("s.socket", "[Socket]\nListenDatagram=127.0.0.1:7001\nSocketProtocol=sctp\n")
    d.unit("s.service", server(d))
    d.unit("l.socket", "[Socket]\nListenDatagram=127.0.0.1:7002\nSocketProtocol=udplite\n")
    d.unit("l.service", server(d))
    begin(d, "s.socket")  # a datagram socket is none of sctp's
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 136).close()
        d.ctl("start", "l.socket", check=True)
    except OSError:
        assert d.ctl("start", "l.socket").returncode == 1
        d.logged(r"Failed to listen on 127\.0\.0\.1:7002 .*: Protocol not supported")


@case
def special_files(d):
    """Opened, never made; for writing with Writable= alone. Several units may have the same."""
    for name, more in ("r", ""), ("w", "Writable=yes\n"):
        d.unit(f"{name}.socket", f"[Socket]\nListenSpecial=/proc/self/mountinfo\n{more}")
        d.unit(f"{name}.service", "[Service]\nType=oneshot\n"
               f"ExecStart=/bin/sh -c 'grep flags /proc/$$$$/fdinfo/3 >> {d.folder}/{name}'\n")
    d.unit("n.socket", f"[Socket]\nListenSpecial={d.folder}/none\n")
    d.unit("d.socket", f"[Socket]\nListenSpecial={d.folder}\n")
    for name in "nd":
        d.unit(f"{name}.service", "[Service]\nExecStart=/bin/sleep 1000\n")
    begin(d, "r.socket", "w.socket", "r.service", "w.service")
    access = [open(f"{d.folder}/{name}", encoding="ascii").readline().strip()[-1] for name in "rw"]
    assert access == [str(os.O_RDONLY), str(os.O_RDWR)], access
    assert [d.ctl("start", f"{name}.socket").returncode for name in "nd"] == [0, 1]
    d.logged(r"n\.socket: Waiting for file .*none .*: No such file or directory")


@case
def what_cannot_be_polled(d):
    """A file that epoll(7) takes none of: with systemd the start fails, before the socket listens."""
    d.unit("z.socket", "[Socket]\nListenSpecial=/dev/zero\n")
    d.unit("z.service", "[Service]\nExecStart=/bin/sleep 1000\n")
    begin(d, args=("--compat=systemd",))
    assert d.ctl("start", "z.socket").returncode == 1
    d.logged(r"z\.socket: Cannot watch /dev/zero: Operation not permitted")
    assert d.show("z.socket", "Result") == "resources"
    d.stop()
    begin(d, "z.socket")
    assert "Resources are exhausted" in d.show("z.socket", "StatusText")


@case
def usb_functions_are_refused(d):
    d.unit("u.socket", "[Socket]\nListenUSBFunction=/dev/ffs\n")
    d.unit("u.service", server(d))
    begin(d)
    assert d.ctl("start", "u.socket").returncode == 1
    d.logged(r"u\.socket:2: .*ListenUSBFunction")


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
    os.symlink("/dev/null", f"{d.units}/no.socket")
    report = d.ctl("daemon-reload", check=True)
    assert "no.socket: It is masked now, so it no longer listens" in report.stderr + report.stdout, report
    assert "yes.socket: Its file is gone, so it no longer listens" in report.stderr + report.stdout, report
    assert answer("@no") == answer("@yes") == b""
    peer.sendall(b"2")
    assert peer.recv(1) == b"2"
    assert d.show("yes.socket", "LoadState") == "not-found"
    assert "Loaded: not-found" in d.ctl("status", "yes.socket", check=True).stdout
    d.ctl("stop", "no.socket", "yes.socket", check=True)


@case
def unmasked_while_the_service_runs(d):
    """The running service still has the address, so the socket waits for that, and a restart hands it over."""
    def served():
        with connect(("127.0.0.1", 7132)) as peer:
            return peer.recv(1)

    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7132\n")
    d.unit("a.service", server(d))
    begin(d, "a.socket")
    assert served() == b"x"
    report = d.ctl("mask", "--runtime", "a.socket", check=True).stderr
    assert "a.socket: It is masked now, so it no longer listens" in report, report
    d.ctl("unmask", "--runtime", "a.socket", check=True)
    d.logged("a.socket: Waiting for the process that holds 127.0.0.1:7132 .*\"usherctl restart a.service\"")
    assert "Waiting for the process that holds" in d.ctl("status", "a.socket", check=True).stdout
    assert served() == b"x"
    d.ctl("restart", "a.service", check=True)
    assert served() == b"x"
    d.ctl("stop", "a.service", check=True)
    assert served() == b"x", "it activates its service again"
    assert "runs already, without" not in d.log(), d.log()


# What a service finds at descriptor 3: one option of it, as a number.
PROBE = """import socket, sys
listener = socket.socket(fileno=3)
is_stream = listener.type == socket.SOCK_STREAM
while True:
    if is_stream:
        peer = listener.accept()[0]
        request = peer.recv(100)
    else:
        request, address = listener.recvfrom(100)
    level, option = request.split()
    value = b"%d" % listener.getsockopt(int(level), int(option))
    if is_stream:
        peer.sendall(value)
        peer.close()
    else:
        listener.sendto(value, address)
"""


def probe(d):
    return f"[Service]\nExecStart={sys.executable} {d.file('probe.py', PROBE)}\n"


def ask(address, level, option):
    return int(talk(address, b"%d %d" % (level, option)))


@case
def reload_applies_options(d):
    """Also what is no longer asked for, but not with --compat=systemd."""
    wanted = "KeepAlive=yes\nPriority=4\nBacklog=5\nKeepAliveTimeSec=77\n"
    d.unit("a.service", probe(d))
    for compat in (False, True):
        d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\n")
        begin(d, "a.socket", args=["--compat=systemd"] if compat else [])

        def seen():
            return [ask(("127.0.0.1", 7001), *pair) for pair in
                    ((socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                     (socket.SOL_SOCKET, socket.SO_PRIORITY),
                     (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE))]

        def backlog():
            return run("ss", "-Hltn", "sport = :7001", check=True).stdout.split()[2]
        before = [*seen(), backlog()]
        d.unit("a.socket", f"[Socket]\nListenStream=127.0.0.1:7001\n{wanted}")
        d.ctl("daemon-reload", check=True)
        assert [*seen(), backlog()] == (before if compat else [1, 4, 77, "5"]), [*seen(), backlog()]
        d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\n")
        d.ctl("daemon-reload", check=True)
        assert [*seen(), backlog()] == before, [*seen(), backlog()]
        d.stop()


@case
def reload_changes_nodes(d):
    d.unit("a.service", server(d))
    d.unit("a.socket", f"[Socket]\nListenStream={d.folder}/a.sock\n")
    begin(d, "a.socket")
    inode = os.stat(f"{d.folder}/a.sock").st_ino
    d.unit("a.socket", f"[Socket]\nListenStream={d.folder}/a.sock\nSocketMode=0640\n"
           "SocketUser=daemon\nSocketGroup=daemon\n")
    d.ctl("daemon-reload", check=True)
    eventually(lambda: os.stat(f"{d.folder}/a.sock").st_uid == 1)
    node = os.stat(f"{d.folder}/a.sock")
    assert (node.st_ino, node.st_mode & 0o777, node.st_uid) == (inode, 0o640, 1), node
    assert talk(f"{d.folder}/a.sock") == b"x"


# ---- X-BindRetry=

# Difference: bind-retry
@case
def address_that_comes_later(d):
    d.unit("a.service", server(d))
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nListenStream=10.9.8.7:7002\n"
           "ListenStream=[fd00::77]:7003\n")
    begin(d, "a.socket")
    assert talk(("127.0.0.1", 7001)) == b"x"  # the others work
    d.ctl("stop", "a.service", check=True)
    assert "10.9.8.7:7002" in d.ctl("status", "a.socket").stdout
    addresses = (("10.9.8.7/32", "10.9.8.7", 7002, ()), ("fd00::77/128", "fd00::77", 7003, ("nodad",)))
    try:
        for prefix, address, port, more in addresses:
            run("ip", "address", "add", prefix, "dev", "lo", *more, check=True)
            d.logged(rf"Listening on .*{port} at last")
            eventually(lambda: answer((address, port), b"") == b"x")  # its route may come a moment later
            d.ctl("stop", "a.service", check=True)
        assert d.show("a.socket", "StatusText") == ""
        d.ctl("stop", "a.socket", check=True)
        d.ctl("start", "a.socket", check=True)
    finally:
        for prefix, *_ in addresses:
            run("ip", "address", "del", prefix, "dev", "lo")


@case
def address_that_is_insisted_on(d):
    d.unit("a.service", server(d))
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nListenStream=10.9.8.7:7002\n"
           "X-BindRetry=no\n")
    begin(d)
    assert d.ctl("start", "a.socket").returncode == 1
    assert d.show("a.socket", "Result") == "resources"
    assert answer(("127.0.0.1", 7001)) == b""


# ---- X-JoinGroup=, X-MulticastLoop=

ECHO = """import socket
listener = socket.socket(fileno=3)
while True:
    data, address = listener.recvfrom(100)
    listener.sendto(data, address)
"""


def multicast(group, port):
    """Send one packet to the group over lo, and what is answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(20)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        sock.sendto(b"hello", (group, port))
        return sock.recv(100)


def memberships(interface):
    return run("ip", "maddress", "show", "dev", interface).stdout.split()


def groups(d, listen, join):
    d.unit("m.socket", f"[Socket]\nListenDatagram={listen}\n"
           + "".join(f"X-JoinGroup={group}\n" for group in join))
    d.unit("m.service", f"[Service]\nExecStart={sys.executable} {d.file('echo.py', ECHO)}\n")


@case
def multicast_groups(d):
    run("ip", "link", "set", "lo", "multicast", "on", check=True)
    for listen in ("0.0.0.0:7001", "[::]:7001"):  # the second: dual stack
        groups(d, listen, ["239.1.2.3%%lo"])
        begin(d, "m.socket")
        assert multicast("239.1.2.3", 7001) == b"hello", listen
        d.stop()
    groups(d, "[::]:7001", ["ff02::123%%lo"])  # lo does not carry these
    begin(d, "m.socket")
    assert "ff02::123" in memberships("lo")


@case
def multicast_groups_over_a_reload(d):
    run("ip", "link", "set", "lo", "multicast", "on", check=True)
    groups(d, "0.0.0.0:7001", ["239.1.2.3%%lo", "239.1.2.4%%lo"])
    begin(d, "m.socket")
    groups(d, "0.0.0.0:7001", ["239.1.2.4%%lo", "239.1.2.5%%lo"])
    d.ctl("daemon-reload", check=True)
    assert multicast("239.1.2.5", 7001) == b"hello"
    assert multicast("239.1.2.4", 7001) == b"hello"
    assert "239.1.2.3" not in memberships("lo")


@case
def multicast_interface_that_comes_later(d):
    groups(d, "0.0.0.0:7001", ["239.1.2.3%%later"])
    begin(d, "m.socket")
    d.logged("Cannot join 239.1.2.3%later on 0.0.0.0:7001")
    run("ip", "tuntap", "add", "later", "mode", "tun", check=True)
    eventually(lambda: "239.1.2.3" in memberships("later"))
    run("ip", "link", "del", "later", check=True)


@case
def multicast_not_looped(d):
    d.unit("a.service", probe(d))
    d.unit("a.socket", "[Socket]\nListenDatagram=127.0.0.1:7001\nX-MulticastLoop=no\n")
    begin(d, "a.socket")
    with connect(("127.0.0.1", 7001), kind=socket.SOCK_DGRAM) as sock:
        sock.send(b"%d %d" % (socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP))
        assert sock.recv(10) == b"0"


# ---- X-ListenName=

@case
def names_as_addresses(d):
    d.unit("n.service", server(d))
    d.unit("n.socket", "[Socket]\nListenStream=127.0.0.1:7001\nX-ListenName=stream localhost http\n"
           "X-ListenName=stream * 7002\nX-ListenName=stream 127.0.0.2 echo\n")
    begin(d, "n.socket")
    listen = d.show("n.socket", "Listen")
    for text in ("127.0.0.1:7001", "127.0.0.1:80", "[::]:7002", "127.0.0.2:7"):
        assert f"{text} (Stream)" in listen, listen
    assert talk(("127.0.0.1", 7001)) == b"x"


@case
def names_that_do_not_resolve(d):
    hosts = d.file("hosts", "127.0.0.1 localhost\n", 0o644)
    run("mount", "--bind", hosts, "/etc/hosts", check=True)
    try:
        d.unit("n.service", server(d))
        d.unit("n.socket", "[Socket]\nX-ListenName=stream later.example 7001\n"
               "ListenStream=127.0.0.1:7002\n")
        d.unit("strict.service", server(d))
        d.unit("strict.socket", "[Socket]\nX-ListenName=stream later.example 7003\nX-BindRetry=no\n")
        begin(d, "n.socket")
        d.logged(r"Cannot listen on stream later.example 7001 \(.*n.socket:2\): ")
        assert talk(("127.0.0.1", 7002)) == b"x"
        assert "later.example" in d.show("n.socket", "StatusText")
        assert d.ctl("start", "strict.socket").returncode == 1
        d.ctl("stop", "n.service", check=True)
        with open(hosts, "a", encoding="ascii") as file:
            file.write("127.0.0.5 later.example\n")
        eventually(lambda: "127.0.0.5:7001" in d.show("n.socket", "Listen"))
        d.ctl("start", "strict.socket", check=True)
        assert d.show("n.socket", "StatusText") == ""
    finally:
        run("umount", "/etc/hosts", check=True)


if __name__ == "__main__":
    main()
