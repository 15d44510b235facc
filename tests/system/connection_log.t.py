#!/usr/bin/env python3
"""What is told of connections and their peers: in names, in descriptions, in the log."""

import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess

from daemon import USHERCTL, case, connect, is_sanitized, main

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
        # The service itself is told all.
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


main()
