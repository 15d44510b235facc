#!/usr/bin/env python3
"""What a listener survives: refused floods, a lack of processes, a sudden end of the supervisor."""

import contextlib
import ctypes
import os
import random
import re
import resource
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

# Difference: refused-uncounted
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
        told = [line for line in d.log().splitlines() if "Restart= has no effect" in line]
        assert len(told) == 1, told  # the second time systemd's way is gone
        d.stop()
    lint = d.ctl("lint", d.units + "/a.socket")
    assert "Restart= has no effect" in lint.stdout + lint.stderr and lint.returncode == 0, lint


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


def pids_cgroup_folders():
    """Where a cgroup that limits processes could be made: of the unified hierarchy, or of one of its own."""
    lines = [line.rstrip("\n").split(":", 2) for line in open("/proc/self/cgroup", encoding="utf-8")]
    own = {controllers: path for _, controllers, path in lines}
    for mount in open("/proc/self/mounts", encoding="utf-8"):
        _, folder, kind, options, *_ = mount.split()
        if kind == "cgroup" and "pids" in options.split(","):
            yield folder + next((path for names, path in own.items() if "pids" in names.split(",")), "/")
        elif kind == "cgroup2":
            yield folder + own.get("", "/")


@contextlib.contextmanager
def pids_cgroup(d):
    """A folder in whose pids.max the processes of usherd and its services can be limited, usherd alone in it."""
    reason = "there is none"
    for parent in pids_cgroup_folders():
        folder = f"{parent}/usher-test-{d.process.pid}"
        try:
            os.mkdir(folder)
        except OSError as error:
            reason = error
            continue
        try:
            if not os.path.exists(folder + "/pids.max"):
                write(parent + "/cgroup.subtree_control", "+pids")
            write(folder + "/pids.max", "max")
            write(folder + "/cgroup.procs", str(d.process.pid))
        except OSError as error:
            reason = error
            os.rmdir(folder)
            continue
        try:
            yield folder
        finally:
            write(folder + "/pids.max", "max")
            d.stop()
            eventually(lambda f=folder: not open(f + "/cgroup.procs", encoding="ascii").read(), "it to be empty")
            os.rmdir(folder)
        return
    raise Skip(f"no pids cgroup can be made: {reason}")


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


@case
def container_out_of_processes(d):
    """Its limit is that of a cgroup, which root has, too: connections wait, the sockets pause and resume by themselves."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    d.unit("a@.service", CAT)
    d.unit("b.socket", "[Socket]\nListenStream=127.0.0.1:7002\n")
    d.unit("b.service", f"[Service]\nExecStart={PYTHON} -c 'import socket; socket.socket(fileno=3).accept()[0].send(b\"x\")'\n")
    begin(d, "a.socket", "b.socket")
    with pids_cgroup(d) as folder, contextlib.ExitStack() as stack:
        for limit in "1", "4":
            write(folder + "/pids.max", limit)
            clients = [stack.enter_context(connect(ONE)) for _ in range(15)]
            for client in clients:
                client.sendall(b"x")
            eventually(lambda: "exhausted" in d.show("a.socket", "StatusText"))
            assert d.show("a.socket", "ActiveState") == "active"
            waiting = stack.enter_context(connect(TWO))
            if limit == "4":  # each that ends makes room for one who waits
                for client in clients:
                    assert client.recv(1) == b"x"
                    client.close()
            write(folder + "/pids.max", "max")
            for client in [] if limit == "4" else clients:
                assert client.recv(1) == b"x"
                client.close()
            assert waiting.recv(1) == b"x"
            eventually(lambda: d.show("a.socket", "StatusText") == "")
            eventually(lambda: states(d, "a.socket", "b.socket") == ["listening", "listening"])
        assert d.show("a.socket", "NAccepted") == "30"
    assert "Failed" not in d.log()


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
    """A file that cannot be opened because no descriptor is left is not invalid: nothing changes."""
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


# ---- the sudden end of the supervisor

# Serves all that it gets, blocking or not, with its own pid, and lets a child do so on request.
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


# Difference: earlier-supervisor
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
