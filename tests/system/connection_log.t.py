#!/usr/bin/env python3
"""Connections and their peers in names, in descriptions and in the log."""

import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess

from daemon import USHERCTL, case, connect, eventually, is_sanitized, main

V4, V6 = ("127.0.0.1", 7001), ("::1", 7001)
# Answers with what it knows of its peer, and then with every line that it gets.
WHO = "/bin/sh -c 'echo \"$REMOTE_ADDR $REMOTE_PORT %i\"; exec /bin/cat'"


def begin(d, more="", service="ExecStart=/bin/cat\n", conf=""):
    """A socket for each family, with directives of their own, and a template for the three."""
    for name, address in (("four", "127.0.0.1:7001"), ("six", "[::1]:7001"), ("local", f"{d.folder}/local.sock")):
        d.unit(f"{name}.socket", f"[Socket]\nListenStream={address}\nAccept=yes\n{more}")
        d.unit(f"{name}@.service", f"[Unit]\nDescription=A server\n[Service]\nStandardInput=socket\n{service}")
    d.start("--units", d.units, "--config", d.file("usher.conf", conf, 0o644))


@contextlib.contextmanager
def talking_to_cat(address):
    with connect(address) as peer:
        peer.sendall(b"x")
        assert peer.recv(1) == b"x"
        yield peer


@contextlib.contextmanager
def talking(d, *addresses):
    """Connections that are served: their sockets, and the first line that each got."""
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(connect(a)) for a in addresses or (V4, V6, f"{d.folder}/local.sock")]
        yield [(peer, peer.makefile().readline().strip()) for peer in peers]


def instances(d):
    units = json.loads(d.ctl("list-units", "--all", "-o", "json", check=True).stdout)
    return {u["unit"].partition("@")[0]: u for u in units if "@" in u["unit"]}


# ---- peers in names and descriptions

def connections(d, **options):
    """Peers by socket, as usherctl lists them."""
    done = subprocess.run([USHERCTL, "--runtime-dir", d.runtime, "connections", "-o", "json"], check=True,
                          capture_output=True, text=True, **options)
    return {row["socket"].partition(".")[0]: row["peer"] for row in json.loads(done.stdout)}


def check_peers(d, names, texts):
    """names, texts: by family, what stands of the peer in each."""
    with talking(d) as peers:
        (four, four_got), (six, six_got), (_, local_got) = peers
        four_port, six_port = four.getsockname()[1], six.getsockname()[1]
        fill = {"four": four_port, "six": six_port, "pid": os.getpid(), "uid": os.getuid()}
        want = {kind: name.format(**fill) for kind, name in names.items()}
        # The service itself gets the whole address.
        assert four_got == f"127.0.0.1 {four_port} {want['four']}", four_got
        assert six_got == f"::1 {six_port} {want['six']}", six_got
        assert local_got == want["local"], local_got
        units = instances(d)
        for kind, name in want.items():
            assert units[kind]["unit"] == f"{kind}@{name}.service", units
            text = texts[kind].format(**fill)
            assert units[kind]["description"] == "A server" + (f" ({text})" if text else ""), units
            assert d.show(f"{kind}.socket", "Triggers") == f"{kind}@{name}.service"
            assert d.show(f"{kind}@{name}.service", "ActiveState") == "active"
        everything = {"four": f"127.0.0.1:{four_port}", "six": f"[::1]:{six_port}",
                      "local": f"PID {os.getpid()} (UID {os.getuid()})"}
        assert connections(d) == everything, connections(d)
        if os.getuid() == 0:
            os.chmod(d.folder, 0o755)
            seen = connections(d, user=65534, group=65534, extra_groups=[])
            assert seen == {kind: text.format(**fill) or "-" for kind, text in texts.items()}, seen


FULL = ({"four": "0-127.0.0.1:7001-127.0.0.1:{four}", "six": "0-::1:7001-::1:{six}", "local": "0-{pid}-{uid}"},
        {"four": "127.0.0.1:{four}", "six": "[::1]:{six}", "local": "PID {pid} (UID {uid})"})
MASKED = ({"four": "0-127.0.0.1:7001-127.0.0.0", "six": "0-::1:7001-::", "local": "0-{uid}"},
          {"four": "127.0.0.0", "six": "::", "local": "UID {uid}"})
NONE = (dict.fromkeys(("four", "six", "local"), "0-hidden"), dict.fromkeys(("four", "six", "local"), ""))


@case
def peers_are_told(d):
    begin(d, service=f"ExecStart={WHO}\n")
    check_peers(d, *FULL)


@case
def peers_are_masked(d):
    begin(d, "X-LogPeer=masked\n", f"ExecStart={WHO}\n")
    check_peers(d, *MASKED)


@case
def peers_are_not_told(d):
    begin(d, "X-LogPeer=none\n", f"ExecStart={WHO}\n")
    check_peers(d, *NONE)


@case
def the_default_is_that_of_usher_conf(d):
    begin(d, service=f"ExecStart={WHO}\n", conf="LogPeer = masked\n")
    check_peers(d, *MASKED)


@case
def a_unit_overrides_usher_conf(d):
    begin(d, "X-LogPeer=full\n", f"ExecStart={WHO}\n", conf="LogPeer = none\n")
    check_peers(d, *FULL)


@case
def names_stay_over_a_reload(d):
    begin(d, "X-LogPeer=none\n", f"ExecStart={WHO}\n")
    with talking(d, V4):
        d.unit("four.socket.d/a.conf", "[Socket]\nX-LogPeer=masked\n")
        d.ctl("daemon-reload", check=True)
        assert d.show("four@0-hidden.service", "ActiveState") == "active"
        with talking(d, V4) as [(_, got)]:
            assert got.endswith(" 1-127.0.0.1:7001-127.0.0.0"), got
        d.ctl("stop", "four@0-hidden.service", check=True)
        assert d.show("four.socket", "NConnections") == "0"


@case
def names_of_units_stay_unique(d):
    """A dependency makes each instance a unit, which may outlive the socket's memory of its numbers."""
    begin(d, "X-LogPeer=none\n", f"ExecStart={WHO}\n")
    d.unit("four@.service.d/a.conf", "[Unit]\nAfter=other.service\n")
    d.ctl("daemon-reload", check=True)
    d.ctl("start", "four@0-hidden.service")
    assert d.show("four@0-hidden.service", "ActiveState") == "failed"  # no connection is its standard input
    with talking(d, V4) as [(_, first)], talking(d, V4) as [(_, second)]:
        assert first.endswith(" 1-hidden") and second.endswith(" 2-hidden"), (first, second)
        assert d.show("four@1-hidden.service", "ActiveState") == "active"


# ---- refusals

def full(d, more=""):
    """A socket that serves one connection at a time; the first one, which is being served."""
    begin(d, f"MaxConnections=1\n{more}")
    return talking_to_cat(V4)


def own_address(sock):
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def refused(d, address):
    """Where a connection came from that is closed at once."""
    with connect(address) as sock:
        own = own_address(sock) if sock.family != socket.AF_UNIX else f"PID {os.getpid()} (UID {os.getuid()})"
        with contextlib.suppress(ConnectionError):
            assert sock.recv(1) == b""
    return own


@case
def refusals_name_their_peer(d):
    begin(d, "MaxConnections=1\n")
    for name, address in (("four", V4), ("six", V6), ("local", f"{d.folder}/local.sock")):
        with talking_to_cat(address):
            own = refused(d, address)
            d.logged(re.escape(f"{name}.socket: Refused connection from {own}: MaxConnections= is reached (1 live)"))


@case
def refusals_by_source(d):
    begin(d, "MaxConnectionsPerSource=1\n")
    with talking_to_cat(V4):
        own = refused(d, V4)
        d.logged(re.escape(f"four.socket: Refused connection from {own}: MaxConnectionsPerSource= is reached"))


@case
def refusals_without_a_template(d):
    begin(d)
    os.unlink(f"{d.units}/four@.service")
    d.ctl("daemon-reload")
    d.ctl("restart", "four.socket")
    own = refused(d, V4)
    d.logged(re.escape(f"four.socket: Refused connection from {own}: it cannot be served: No such file"))


@case
def refusals_are_masked(d):
    for how, text in (("masked", "connection from 127.0.0.0: "), ("none", "a connection: ")):
        with full(d, f"X-LogPeer={how}\n"):
            refused(d, V4)
            d.logged(f"Refused {text}MaxConnections=")
            assert not re.search(r"127\.0\.0\.1:(?!7001)", d.log()), d.log()
        d.stop()


@case
def a_flood_of_refusals(d):
    n = 1000 if is_sanitized() else 10000
    with full(d) as first:
        for _ in range(n):
            refused(d, V4)
        assert d.show("four.socket", "NRefused") == str(n)
        lines = d.logged("four.socket: Refused connection from")
        first.sendall(b"y")
        assert first.recv(1) == b"y"
    d.stop()
    # Where it took longer than the interval, there are a few more.
    rest = sum(int(line.split("Refused ")[1].split()[0]) for line in d.logged("Refused [0-9]+ more connections within"))
    lines = d.logged("four.socket: Refused connection from")
    assert len(lines) + rest == n and len(lines) <= n // 20, (len(lines), rest)
    assert "(MaxConnections= " in d.log()


@case
def a_peer_that_has_gone(d):
    """It resets the connection while usherd does not run."""
    begin(d)
    d.signal(signal.SIGSTOP)
    with connect(V4) as sock:
        own = own_address(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    d.signal(signal.SIGCONT)
    d.logged(re.escape(f"four.socket: The peer closed a connection from {own} before the connection was served"))
    assert d.show("four.socket", "XNAborted") == "1"


# ---- begins and ends

# By family: where connections go, and what stands of the peer.
SIDES = {"four": lambda d: V4, "six": lambda d: V6, "local": lambda d: f"{d.folder}/local.sock"}
FAILS = "ExecStart=/bin/sh -c 'read line; echo $line$line; exit 3'\n"


def serve(d, kind):
    """One connection that gets 6 bytes and sends 11; what stands of its peer."""
    with connect(SIDES[kind](d)) as sock:
        own = own_address(sock) if sock.family != socket.AF_UNIX else f"PID {os.getpid()} (UID {os.getuid()})"
        sock.sendall(b"hello\n")
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(100):
            pass
    return re.escape(own)


def ended(d, kind):
    """Wait until its one connection is over."""
    eventually(lambda: d.show(f"{kind}.socket", "NAccepted") == "1" and d.show(f"{kind}.socket", "NConnections") == "0"
               and kind not in instances(d))


@case
def failures_are_logged(d):
    begin(d, service=FAILS)
    for kind in SIDES:
        own = serve(d, kind)
        d.logged(rf"^{kind}.socket: Connection from {own} failed after [0-9.]+[mu]?s \(exit-code\): "
                 rf"main process exited, code=exited, status=3/NOTIMPLEMENTED: {kind}@0-.*\.service$")


@case
def success_is_not_logged(d):
    begin(d)
    for kind in SIDES:
        serve(d, kind)
        ended(d, kind)
    d.stop()
    assert "onnection" not in d.log(), d.log()


@case
def signals_are_failures(d):
    begin(d, service="ExecStart=/bin/sh -c 'kill -SEGV $$$$'\n")
    with connect(V4) as sock:
        own = re.escape(own_address(sock))
        d.logged(rf"four.socket: Connection from {own} failed after .* \((signal|core-dump)\): main process exited, "
                 "code=(killed|dumped), status=11/SEGV")


@case
def nothing_is_logged(d):
    begin(d, "X-ConnectionLog=none\n", FAILS)
    for kind in SIDES:
        serve(d, kind)
        ended(d, kind)
    d.stop()
    assert "socket: Connection" not in d.log(), d.log()


@case
def everything_is_logged(d):
    begin(d, service="ExecStart=/bin/sh -c 'read line; echo $line$line'\n", conf="ConnectionLog = full\n")
    for kind in SIDES:
        own = serve(d, kind)
        [begins] = d.logged(rf"^{kind}.socket: Connection from {own} begins: {kind}@0-.*\.service$")
        traffic = "bytes unknown" if kind == "local" else "6 bytes received, 11 sent"
        d.logged(rf"^{kind}.socket: Connection from {own} ends after [0-9.]+[mu]?s \(success\): main process exited, "
                 rf"code=exited, status=0/SUCCESS, {traffic}: {re.escape(begins.split()[-1])}$")


@case
def the_peer_is_masked(d):
    begin(d, "X-ConnectionLog=full\nX-LogPeer=masked\n", FAILS)
    serve(d, "four")
    d.logged("four.socket: Connection from 127.0.0.0 failed .*, 6 bytes received, 11 sent: "
             "four@0-127.0.0.1:7001-127.0.0.0.service$")
    serve(d, "local")
    d.logged(f"local.socket: Connection from UID {os.getuid()} failed .*, bytes unknown: local@0-{os.getuid()}.service$")
    d.unit("four.socket.d/a.conf", "[Socket]\nX-LogPeer=none\n")
    d.ctl("daemon-reload", check=True)
    serve(d, "four")
    d.logged("four.socket: A connection begins: four@1-hidden.service$")
    d.logged("four.socket: A connection failed .*: four@1-hidden.service$")
    assert not re.search(r"127\.0\.0\.1:(?!7001)", d.log()), d.log()


@case
def what_began_ends(d):
    """Over a reload, a stop of the socket, and the end of usherd."""
    begin(d, "X-ConnectionLog=full\n")
    with talking_to_cat(V4) as first, talking_to_cat(V4) as second:
        d.unit("four.socket.d/a.conf", "[Socket]\nX-ConnectionLog=none\n")
        d.ctl("daemon-reload", check=True)
        d.ctl("stop", "four.socket", check=True)
        own = [re.escape(own_address(sock)) for sock in (first, second)]
        first.close()
        d.logged(f"four.socket: Connection from {own[0]} ends .*, 1 bytes received, 1 sent")
        d.stop()
    d.logged(f"four.socket: Connection from {own[1]} ends .*, 1 bytes received, 1 sent")


@case
def the_end_is_seen_at_once(d):
    """The copy that usherd keeps for the bytes goes with the service; a shutdown of the service reaches the peer."""
    begin(d, "X-ConnectionLog=full\n", "ExecStart=/usr/bin/env python3 -c 'import socket, time; "
          "s = socket.socket(fileno=0); s.recv(1); s.shutdown(socket.SHUT_RDWR); time.sleep(1000)'\n")
    with connect(V4) as sock:
        sock.sendall(b"x")
        assert sock.recv(1) == b""
    assert "four" in instances(d)


@case
def what_a_client_chooses_is_not_logged(d):
    """The path of its own socket."""
    begin(d, "X-ConnectionLog=full\n")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(f"{d.folder}/\033[2J\nusherd: a line of mine")
        sock.connect(f"{d.folder}/local.sock")
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"
    d.logged("local.socket: Connection from PID [0-9]+ .UID [0-9]+. ends")
    assert "mine" not in d.log() and "\033" not in d.log(), d.log()


main()
