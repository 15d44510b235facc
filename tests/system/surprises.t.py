#!/usr/bin/env python3
"""What surprises people about sockets of systemd, one case each: what usher does, and why. Where usher
differs on purpose (usherd(8), DIFFERENCES), --compat=systemd is tested as well."""

import os
import re
import resource
import socket
import stat
import sys
import time

from daemon import answer, case, connect, eventually, main, need_root, run, talk

COMPAT = ("--compat=systemd",)
CAT = "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n"
TRUE = "[Service]\nExecStart=/bin/true\n"
# Sends one byte to each who connects.
ONE_BYTE = """import socket
with socket.socket(fileno=3) as listener:
    while True:
        listener.accept()[0].sendall(b"x")
"""
ONE = ("127.0.0.1", 7001)
TWO = ("127.0.0.1", 7002)


def begin(d, *units, args=(), **options):
    """usherd with these units started, and no other."""
    d.start("--units", d.units, "--target", "basic.target", *args, **options)
    if units:
        d.ctl("start", *units, check=True)


def shell(text, more=""):
    return f"[Service]\nExecStart=/bin/sh -c '{text}'\n{more}"


def states(d, *units):
    return [d.show(unit, "SubState") for unit in units]


@case
def s01_no_descriptors_left(d):
    """systemd's socket fails for good at EMFILE. Clients who wait are better off: a pause, and on."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    d.unit("a@.service", CAT)
    begin(d, "a.socket")
    soft, hard = resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (1, hard))
    with connect(ONE) as peer:
        peer.sendall(b"x")
        d.logged("a.socket: .*, pausing")
        resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
        assert peer.recv(1) == b"x"


# Difference: skipped-service
@case
def s02_service_whose_condition_is_false(d):
    """With Accept=no the poll limit never bites, and a skipped service runs into the trigger limit.
    usher pauses and names the condition; each round could otherwise be repeated at once."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\n")
    d.unit("a.service", f"[Unit]\nConditionPathExists={d.folder}/go\n{CAT}")
    begin(d, "a.socket")
    with connect(ONE) as peer:
        eventually(lambda: "ConditionPathExists" in d.show("a.socket", "StatusText"))
        assert states(d, "a.socket") == ["listening"]
        d.file("go", "")
        d.stop()
        del peer
    os.unlink(f"{d.folder}/go")
    begin(d, "a.socket", args=COMPAT)
    answer(ONE)  # reset, perhaps before it is through
    eventually(lambda: d.show("a.socket", "Result") == "trigger-limit-hit")


@case
def s03_accept_of_what_cannot_be_accepted(d):
    """The manual says that the key is ignored there; systemd refuses the unit, and so does usher."""
    d.unit("a.socket", f"[Socket]\nListenFIFO={d.folder}/fifo\nAccept=yes\n")
    d.unit("a@.service", CAT)
    begin(d)
    assert d.ctl("start", "a.socket").returncode == 1
    assert d.show("a.socket", "LoadState") == "bad-setting"
    d.logged("Accept=yes goes with ListenStream= and ListenSequentialPacket= only")


@case
def s04_above_the_limit(d):
    """Accepted and closed, so that the client knows at once; the place is free when the instance is
    gone, not when the client is."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\nMaxConnections=1\n")
    d.unit("a@.service", shell("cat <&3; sleep 0.5"))
    begin(d, "a.socket")
    with connect(ONE) as peer:
        peer.sendall(b"x")
        eventually(lambda: d.show("a.socket", "NConnections") == "1")
        assert answer(ONE) == b""
    assert answer(ONE) == b""  # the first client is gone, its instance sleeps
    eventually(lambda: d.show("a.socket", "NConnections") == "0")
    assert d.show("a.socket", "NRefused") == "2"


# Difference: connection-copy
@case
def s05_copy_of_the_connection(d):
    """systemd holds the connection until the instance is gone: no end of file for the client when the
    daemon closes it. usher lets go of it once nothing more may need it."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    d.unit("a@.service", shell("exec 3>&-; exec sleep 1000"))
    begin(d, "a.socket")
    with connect(ONE) as peer:
        assert peer.recv(1) == b""
        assert d.show("a.socket", "NConnections") == "1"
    d.stop()
    begin(d, "a.socket", args=COMPAT)
    with connect(ONE, timeout=0.5) as peer:
        try:
            assert not peer.recv(1), "the copy is closed"
            raise AssertionError("the client saw the end")
        except socket.timeout:
            pass


@case
def s06_empty_assignments(d):
    """An empty Listen* takes back all ports of every kind; lists of dependencies cannot be taken
    back."""
    d.unit("a.socket", "[Unit]\nAfter=x.service\nAfter=\n[Socket]\nListenStream=127.0.0.1:7001\n"
           f"ListenFIFO={d.folder}/fifo\nListenDatagram=\nListenStream=127.0.0.1:7002\n")
    d.unit("a.service", TRUE)
    begin(d, "a.socket")
    assert d.show("a.socket", "Listen") == "127.0.0.1:7002 (Stream)"
    assert "x.service" in d.show("a.socket", "After").split()


# Difference: stale-node
@case
def s07_path_in_use(d):
    """systemd unlinks what is there without asking. usher asks: who is served stays, a file that is no
    socket stays, and only a node that nobody serves is replaced."""
    path = f"{d.folder}/x"
    d.unit("a.socket", f"[Socket]\nListenStream={path}\n")
    d.unit("a.service", CAT)
    begin(d)
    with socket.socket(socket.AF_UNIX) as own:
        own.bind(path)
        own.listen()
        assert d.ctl("start", "a.socket").returncode == 1
        d.logged(f"{os.getpid()} ")  # who has it
    d.ctl("start", "a.socket", check=True)  # now it is stale
    d.ctl("stop", "a.socket", check=True)
    os.unlink(path)
    d.file("x", "precious")
    assert d.ctl("start", "a.socket").returncode == 1
    assert open(path, encoding="ascii").read() == "precious"
    d.stop()
    begin(d, "a.socket", args=COMPAT)
    assert stat.S_ISSOCK(os.stat(path).st_mode)


@case
def s08_one_port_that_fails(d):
    """One port that somebody else has fails the unit, and the good ports are closed again: who asked
    for both wants to know. An address that is not there yet is another matter (X-BindRetry=)."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nListenStream=127.0.0.1:7002\n")
    d.unit("a.service", CAT)
    with socket.create_server(TWO):
        begin(d)
        assert d.ctl("start", "a.socket").returncode == 1
        assert d.show("a.socket", "Result") == "resources"
        assert answer(ONE) == b""


@case
def s09_start_limit_of_a_socket(d):
    """Sockets have one, too: after five starts in ten seconds the sixth fails. One that was stopped in
    good order is unloaded, and its count is forgotten."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\n")
    d.unit("a.service", CAT)
    begin(d)
    for _ in range(7):
        d.ctl("start", "a.socket", check=True)
        d.ctl("stop", "a.socket", check=True)
    with socket.create_server(ONE):
        for _ in range(6):
            assert d.ctl("start", "a.socket").returncode == 1
    assert d.ctl("start", "a.socket").returncode == 1  # the port is free, the limit was hit
    d.logged("a.socket: Start request repeated too quickly")
    assert d.show("a.socket", "Result") == "resources"  # the first failure keeps its name
    d.ctl("reset-failed", "a.socket", check=True)
    d.ctl("start", "a.socket", check=True)


# Difference: socket-restart
@case
def s10_restart_while_the_service_runs(d):
    """systemd refuses to start a socket whose service is up, so a restart leaves it down. usher starts
    it with the same descriptors: nothing that waits in them is lost."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\n")
    d.unit("a.service", "[Service]\nExecStart=/bin/sleep 1000\n")
    begin(d, "a.socket", "a.service")
    with connect(ONE) as peer:
        d.ctl("restart", "a.socket", check=True)
        assert states(d, "a.socket", "a.service") == ["running", "running"]
        d.unit("a.service", f"[Service]\nExecStart={sys.executable} {d.file('one.py', ONE_BYTE)}\n")
        d.ctl("daemon-reload", check=True)
        d.ctl("restart", "a.service", check=True)
        assert peer.recv(1) == b"x"
    d.ctl("stop", "a.socket", check=True)
    assert d.show("a.service", "ActiveState") == "active"
    d.stop()
    begin(d, "a.socket", "a.service", args=COMPAT)
    assert d.ctl("restart", "a.socket").returncode == 1
    assert states(d, "a.socket", "a.service") == ["dead", "running"]


@case
def s10_restart_that_does_not_start(d):
    """The descriptors do not stay open behind a restart that fails."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\n"
           f"ExecStartPre=/bin/sh -c '! test -e {d.folder}/stop'\n")
    d.unit("a.service", "[Service]\nExecStart=/bin/sleep 1000\n")
    begin(d, "a.socket", "a.service")
    d.file("stop", "")
    assert d.ctl("restart", "a.socket").returncode == 1
    d.ctl("stop", "a.service", check=True)
    assert answer(ONE) == b"" and states(d, "a.socket") == ["failed"]
    try:
        connect(ONE)
        raise AssertionError("it listens")
    except ConnectionRefusedError:
        pass


# Difference: reload-sockets
@case
def s11_reload(d):
    """systemd opens no added port before a restart; usher does at once."""
    d.unit("a.service", shell("exec sleep 1000"))
    for args, reachable in ((), True), (COMPAT, False):
        d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\n")
        begin(d, "a.socket", args=args)
        d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nListenStream=127.0.0.1:7002\n")
        d.ctl("daemon-reload", check=True)
        try:
            connect(TWO).close()
            assert reachable
        except ConnectionRefusedError:
            assert not reachable
        d.stop()


@case
def s12_socket_as_standard_input(d):
    """Then there is no LISTEN_FDS, errors go to the client, too, and it has to be one socket."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    d.unit("a@.service", shell("echo fds=$LISTEN_FDS; echo trouble >&2", "StandardInput=socket\n"))
    d.unit("b.socket", "[Socket]\nListenStream=127.0.0.1:7002\nListenStream=127.0.0.1:7003\n"
           "TriggerLimitBurst=1\n")
    d.unit("b.service", CAT)
    begin(d, "a.socket", "b.socket")
    assert talk(ONE) == b"fds=\ntrouble\n"
    with connect(TWO):
        eventually(lambda: d.show("b.service", "Result") == "resources")


@case
def s13_descriptors_for_the_main_command_alone(d):
    """ExecStart= has them, no other command; an Accept=yes name is FileDescriptorName= since v257."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nFileDescriptorName=web\n")
    d.unit("a.service", "[Service]\nType=oneshot\n" + "".join(
        f"{key}=/bin/sh -c 'echo {key} $LISTEN_FDS $LISTEN_FDNAMES >> {d.folder}/seen'\n"
        for key in ("ExecStartPre", "ExecStart", "ExecStartPost", "ExecStopPost")))
    begin(d, "a.socket")
    d.ctl("start", "a.service", check=True)
    assert open(f"{d.folder}/seen", encoding="ascii").read().splitlines() == \
        ["ExecStartPre", "ExecStart 1 web", "ExecStartPost", "ExecStopPost"]


@case
def s14_blocking_mode_is_shared(d):
    """NonBlocking=no makes the open file blocking, for usher as well, which must not hang on it when
    it flushes what waits."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nFlushPending=yes\n")
    d.unit("a.service", shell("exit 0"))
    begin(d, "a.socket")
    for _ in range(3):
        with connect(ONE) as peer:
            assert peer.recv(1) == b""
    assert states(d, "a.socket") == ["listening"]


@case
def s15_names_of_instances(d):
    """Number, both ends; a local one has the process and user of its peer. The number begins at 0."""
    d.unit("a.socket", f"[Socket]\nListenStream=127.0.0.1:7001\nListenStream={d.folder}/x\nAccept=yes\n")
    d.unit("a@.service", shell("echo %i", "StandardOutput=socket\n"))
    begin(d, "a.socket")
    assert re.fullmatch(rb"0-127\.0\.0\.1:7001-127\.0\.0\.1:\d+\n", talk(ONE))
    assert talk(f"{d.folder}/x") == b"1-%d-0\n" % os.getpid()


# Difference: failed-instances
@case
def s16_instances_that_failed(d):
    """systemd keeps each of them until somebody resets it; usher collects them: a service that fails
    a thousand times a day is no leak. The last ones are told by the socket's status."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    d.unit("a@.service", shell("exit 1"))
    for args, kept in ((), 0), (COMPAT, 3):
        begin(d, "a.socket", args=args)
        for _ in range(3):
            answer(ONE)  # its peer sees the end before we do
            eventually(lambda: d.show("a.socket", "NConnections") == "0")
        failed = d.ctl("list-units", "--failed", "--no-legend", "--plain", "a@*").stdout
        assert len(failed.splitlines()) == kept, failed
        told = re.findall(r"(a@\d+)-.*: exit-code, exited with 1 at ", d.ctl("status", "a.socket").stdout)
        assert told == ["a@2", "a@1", "a@0"], told
        d.stop()


@case
def s17_fifo_with_an_owner(d):
    """A FIFO that is there is used only where mode and owner are right, and the owner is the
    supervisor's when it looks: with SocketUser= a second start needs RemoveOnStop=yes."""
    for more, code in ("", 1), ("RemoveOnStop=yes\n", 0):
        d.unit("a.socket", f"[Socket]\nListenFIFO={d.folder}/fifo\nSocketUser=daemon\n{more}")
        d.unit("a.service", CAT)
        begin(d, "a.socket")
        d.ctl("stop", "a.socket", check=True)
        assert d.ctl("start", "a.socket").returncode == code, more
        d.stop()
        if os.path.exists(f"{d.folder}/fifo"):
            os.unlink(f"{d.folder}/fifo")


@case
def s21_oneshot_that_remains(d):
    """A oneshot with RemainAfterExit= is up for ever: later traffic is never seen."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\n")
    d.unit("a.service", f"[Service]\nType=oneshot\nRemainAfterExit=yes\n"
           f"ExecStart=/bin/sh -c 'echo run >> {d.folder}/seen'\n")
    begin(d, "a.socket")
    with connect(ONE), connect(ONE):
        eventually(lambda: states(d, "a.socket", "a.service") == ["running", "exited"])
    time.sleep(0.1)
    assert open(f"{d.folder}/seen", encoding="ascii").read() == "run\n"


@case
def s22_one_udp_port_for_two(d):
    """SO_REUSEADDR is always set, so that a restart does not wait for old connections; with UDP the
    kernel then lets a second socket have the same port, in silence."""
    for name in ("a", "b"):
        d.unit(f"{name}.socket", "[Socket]\nListenDatagram=127.0.0.1:7001\n")
        d.unit(f"{name}.service", CAT)
    begin(d, "a.socket", "b.socket")
    assert states(d, "a.socket", "b.socket") == ["listening", "listening"]


# Difference: dup-unix-path
@case
def s22_one_path_for_two(d):
    """With AF_UNIX systemd lets the later one take the path. usher names who has it."""
    for name in ("a", "b"):
        d.unit(f"{name}.socket", f"[Socket]\nListenStream={d.folder}/x\n")
        d.unit(f"{name}.service", CAT)
    begin(d, "a.socket")
    assert d.ctl("start", "b.socket").returncode == 1
    d.logged("the path belongs to a.socket")
    d.stop()
    begin(d, "a.socket", "b.socket", args=COMPAT)
    assert states(d, "a.socket", "b.socket") == ["listening", "listening"]


@case
def s24_runtime_directory_of_instances(d):
    """All instances share the folder, unless it is spelled with %i."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    d.unit("a@.service", shell("echo $RUNTIME_DIRECTORY", "StandardOutput=socket\n"
                               "RuntimeDirectory=surprise-%i\n"))
    begin(d, "a.socket")
    assert re.fullmatch(rb"/run/surprise-0-127\.0\.0\.1:7001-127\.0\.0\.1:\d+\n", talk(ONE))


@case
def s25_runtime_directory_that_is_shared(d):
    """It goes with its last user, be it an instance or another unit, with the folder or one in it.
    Difference: shared-runtime-directory"""
    need_root()
    for args in ((), COMPAT):
        d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
        d.unit("a@.service", shell("read x || true", "StandardInput=socket\nRuntimeDirectory=surprise-shared\n"))
        d.unit("b.service", shell("sleep 1000", "RuntimeDirectory=surprise-shared/in\n"))
        begin(d, "a.socket", args=args)
        folder, inner = "/run/surprise-shared", "/run/surprise-shared/in"
        clients = [socket.create_connection(ONE) for _ in range(2)]
        eventually(lambda: d.ctl("show", "--value", "-p", "NConnections", "a.socket").stdout == "2\n", d.log())
        eventually(lambda: os.path.isdir(folder), d.log())
        clients[0].close()
        if args:
            eventually(lambda: not os.path.isdir(folder), "the first that ended has removed it")
            clients[1].close()
            d.stop()
            continue
        eventually(lambda: d.ctl("show", "--value", "-p", "NConnections", "a.socket").stdout == "1\n", d.log())
        assert os.path.isdir(folder)
        assert d.ctl("start", "b").returncode == 0
        clients[1].close()
        eventually(lambda: d.ctl("show", "--value", "-p", "NConnections", "a.socket").stdout == "0\n", d.log())
        assert os.path.isdir(inner)
        assert d.ctl("stop", "b").returncode == 0
        assert not os.path.isdir(inner)
        d.stop()


@case
def s26_address_filters(d):
    """They are not acted on (yet): a socket that asks for them would be open wider than its file says,
    and one line of the log names them."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nIPAddressDeny=any\nAccept=yes\n")
    d.unit("a@.service", CAT)
    begin(d)
    d.ctl("start", "a.socket")
    d.logged("a.socket: .*IPAddressDeny=")


@case
def s27_newer_keys(d):
    """Keys that are younger than systemd v255 are known, with what they mean there."""
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\nPassFileDescriptorsToExec=yes\n"
           "DeferTrigger=no\nDeferTriggerMaxSec=1s\nAcceptFileDescriptors=yes\nPassPIDFD=no\n")
    d.unit("a.service", CAT)
    assert run(os.path.join(os.environ.get("BUILD", "build"), "usherctl"), "lint", "--units",
               d.units, "a.socket", check=True).stderr == ""
    sys.stdout.flush()


if __name__ == "__main__":
    main()
