#!/usr/bin/env python3
"""Every directive that ends in setsockopt(2): a probe service reads it back from the descriptor that
was passed to it, listening and accepted; an unset directive leaves the kernel's value; an invalid value is reported,
and the unit still works."""

import os
import re
import socket
import sys

from daemon import case, connect, eventually, main

TCP, UDP, UNIX, UDP6, TCP6, ANY6 = "tcp", "udp", "unix", "udp6", "tcp6", "any6"
SOL, IP, IP6, T = socket.SOL_SOCKET, socket.IPPROTO_IP, socket.IPPROTO_IPV6, socket.IPPROTO_TCP
IP_FREEBIND, IP_TRANSPARENT, IP_PKTINFO = 15, 19, 8
SO_TIMESTAMP, SO_TIMESTAMPNS, SO_PASSPIDFD, SO_PASSRIGHTS = 29, 35, 76, 83
LISTENS, ACCEPTED, BOTH = 1, 2, 3

# Directive, value, what the option is then, a value that is none; family, level, option, and on which
# descriptors. Functions: what is right, where it is no number to compare.
ROWS = (
    ("KeepAlive", "yes", 1, "maybe", TCP, SOL, socket.SO_KEEPALIVE, BOTH),
    ("KeepAliveTimeSec", "77", 77, "soon", TCP, T, socket.TCP_KEEPIDLE, BOTH),
    ("KeepAliveIntervalSec", "11", 11, "soon", TCP, T, socket.TCP_KEEPINTVL, BOTH),
    ("KeepAliveProbes", "4", 4, "-1", TCP, T, socket.TCP_KEEPCNT, BOTH),
    ("NoDelay", "yes", 1, "maybe", TCP, T, socket.TCP_NODELAY, BOTH),
    ("DeferAcceptSec", "3", lambda n: n >= 3, "soon", TCP, T, socket.TCP_DEFER_ACCEPT, LISTENS),
    ("Priority", "3", 3, "high", TCP, SOL, socket.SO_PRIORITY, BOTH),
    ("Mark", "42", 42, "red", TCP, SOL, socket.SO_MARK, BOTH),
    ("ReceiveBuffer", "1M", 2 << 20, "lots", TCP, SOL, socket.SO_RCVBUF, BOTH),
    ("SendBuffer", "1M", 2 << 20, "lots", TCP, SOL, socket.SO_SNDBUF, BOTH),
    ("IPTOS", "throughput", 8, "fast", TCP, IP, socket.IP_TOS, BOTH),
    ("IPTOS", "16", 16, "fast", UDP, IP, socket.IP_TOS, LISTENS),
    ("IPTTL", "9", 9, "far", TCP, IP, socket.IP_TTL, BOTH),
    ("IPTTL", "9", 9, "far", TCP6, IP6, socket.IPV6_UNICAST_HOPS, BOTH),
    ("TCPCongestion", "reno", b"reno", None, TCP, T, socket.TCP_CONGESTION, BOTH),
    ("ReusePort", "yes", 1, "maybe", TCP, SOL, socket.SO_REUSEPORT, LISTENS),
    ("FreeBind", "yes", 1, "maybe", TCP, IP, IP_FREEBIND, LISTENS),
    ("FreeBind", "yes", 1, "maybe", UDP6, IP6, 78, LISTENS),
    ("Transparent", "yes", 1, "maybe", TCP, IP, IP_TRANSPARENT, LISTENS),
    ("BindToDevice", "lo", b"lo", "a/b", TCP, SOL, socket.SO_BINDTODEVICE, BOTH),
    ("BindIPv6Only", "ipv6-only", 1, "perhaps", ANY6, IP6, socket.IPV6_V6ONLY, LISTENS),
    ("SocketProtocol", "mptcp", 262, "tcp", TCP, SOL, socket.SO_PROTOCOL, LISTENS),
    ("Broadcast", "yes", 1, "maybe", UDP, SOL, socket.SO_BROADCAST, LISTENS),
    ("PassPacketInfo", "yes", 1, "maybe", UDP, IP, IP_PKTINFO, LISTENS),
    ("PassPacketInfo", "yes", 1, "maybe", UDP6, IP6, socket.IPV6_RECVPKTINFO, LISTENS),
    ("Timestamping", "us", 1, "days", UDP, SOL, SO_TIMESTAMP, LISTENS),
    ("Timestamping", "yes", 1, "days", UDP, SOL, SO_TIMESTAMPNS, LISTENS),
    ("X-MulticastLoop", "no", 0, "maybe", UDP, IP, socket.IP_MULTICAST_LOOP, LISTENS),
    ("PassCredentials", "yes", 1, "maybe", UNIX, SOL, socket.SO_PASSCRED, BOTH),
    ("PassSecurity", "yes", 1, "maybe", UNIX, SOL, socket.SO_PASSSEC, BOTH),
    ("PassPIDFD", "yes", 1, "maybe", UNIX, SOL, SO_PASSPIDFD, BOTH),
    ("AcceptFileDescriptors", "no", 0, "maybe", UNIX, SOL, SO_PASSRIGHTS, BOTH),
)

# Started with the numbers of an option: answers with its bytes. Descriptor 3 listens, is a
# connection, or takes datagrams.
PROBE = """import socket, sys
level, option = int(sys.argv[1]), int(sys.argv[2])
three = socket.socket(fileno=3)
def value():
    try:
        return three.getsockopt(level, option, 64).hex() or "empty"
    except OSError as error:
        return f"error {error.errno}"
if three.type == socket.SOCK_DGRAM:
    request, address = three.recvfrom(10)
    three.sendto(value().encode(), address)
elif three.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
    peer = three.accept()[0]
    peer.sendall(value().encode())
else:
    three.sendall(value().encode())
"""


def family_of(kind):
    return socket.AF_UNIX if kind == UNIX else \
        socket.AF_INET6 if kind in (UDP6, TCP6, ANY6) else socket.AF_INET


def type_of(kind):
    return socket.SOCK_DGRAM if kind in (UDP, UDP6) else socket.SOCK_STREAM


def address_of(kind, number):
    return f"@probe{number}" if kind == UNIX else \
        ("::1" if kind in (UDP6, TCP6, ANY6) else "127.0.0.1", 10000 + number)


def decode(text):
    """The bytes that a probe printed, or None if it could not get them."""
    return None if text.startswith("error") else b"" if text == "empty" else bytes.fromhex(text)


def is_right(data, expected):
    if data is None:
        return False
    if isinstance(expected, bytes):
        return data.rstrip(b"\0") == expected
    number = int.from_bytes(data[:4], "little", signed=False)
    return expected(number) if callable(expected) else number == expected


def kernel_default(kind, level, option, accepted):
    """From sockets of our own; None: this kernel does not have the option."""
    with socket.socket(family_of(kind), type_of(kind)) as listener:
        try:
            if not accepted:
                return listener.getsockopt(level, option, 64)
            listener.bind("\0own" if kind == UNIX else (address_of(kind, 0)[0], 0))
            listener.listen()
            with socket.socket(family_of(kind), socket.SOCK_STREAM) as client:
                client.connect(listener.getsockname())
                with listener.accept()[0] as peer:
                    return peer.getsockopt(level, option, 64)
        except OSError:
            return None


def ask(kind, number):
    with connect(address_of(kind, number), kind=type_of(kind)) as sock:
        if type_of(kind) == socket.SOCK_DGRAM:
            sock.send(b"?")
            return decode(sock.recv(200).decode())
        data = b""
        while part := sock.recv(200):
            data += part
        return decode(data.decode())


def unit(d, number, row, line, accepted):
    """A socket with this line, and its probe."""
    kind, level, option = row[4:7]
    address = address_of(kind, number)
    listen = address if kind == UNIX else \
        f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
    if kind == ANY6:
        listen = f"[::]:{address[1]}"
    key = "ListenDatagram" if type_of(kind) == socket.SOCK_DGRAM else "ListenStream"
    d.unit(f"p{number}.socket",
           f"[Socket]\n{key}={listen}\nAccept={'yes' if accepted else 'no'}\n{line}\n")
    d.unit(f"p{number}{'@' if accepted else ''}.service",
           f"[Service]\nExecStart={sys.executable} {d.folder}/probe.py {level} {option}\n")


def each_row():
    """Every row, for each descriptor that it is about, with two numbers of its own."""
    number = 0
    for row in ROWS:
        for where in (LISTENS, ACCEPTED):
            if row[7] & where:
                number += 2
                yield number, row, where == ACCEPTED


@case
def directives(d):
    d.file("probe.py", PROBE)
    for number, row, accepted in each_row():
        unit(d, number, row, f"{row[0]}={row[1]}", accepted)
        unit(d, number + 1, row, f"{row[0]}={row[3]}" if row[3] else "", accepted)
    d.start()
    log = d.log()
    wrong, absent = [], set()
    for number, row, accepted in each_row():
        name, value, expected, bad, kind, level, option = row[:7]
        default = kernel_default(kind, level, option, accepted)
        title = f"{name}={value} on {'a connection' if accepted else 'the listener'} ({kind})"
        if default is None:
            absent.add(name)
            continue
        found = ask(kind, number)
        if not is_right(found, expected):
            wrong.append(f"{title}: {found}")
        if is_right(default, expected):
            wrong.append(f"{title} proves nothing: the kernel has it by itself")
        found = ask(kind, number + 1)
        if found != default:
            wrong.append(f"{name} unset ({bad}): {found}, not {default}")
        if bad and f"{d.units}/p{number + 1}.socket:4: " not in log:
            wrong.append(f"{name}={bad}: nobody was told")
    assert not wrong, "\n".join(wrong)
    assert len(absent) <= 2, absent  # SO_PASSPIDFD came with Linux 6.5, SO_PASSRIGHTS with 6.16
    if absent:
        print("this kernel has no option for", *absent)


@case
def every_row_of_the_table_is_here(_):
    """A directive that names its option in the table is applied by that alone, and has a row above."""
    table = os.path.join(os.environ["SRC"], "src/conf/directives/socket.def")
    with open(table, encoding="utf-8") as file:
        rows = re.findall(r"^DIRECTIVE\(Socket, ([\w-]+), (.*?)\)$", file.read(), re.M | re.S)
    named = {name for name, columns in rows if ".sockopt = " in columns}
    assert len(named) > 10, named
    assert not named - {row[0] for row in ROWS}, named - {row[0] for row in ROWS}


@case
def buffers_without_an_address(d):
    """PipeSize= of a FIFO; the sizes of a message queue."""
    import fcntl
    d.unit("f.socket", f"[Socket]\nListenFIFO={d.folder}/fifo\nPipeSize=256K\n")
    d.unit("f.service", "[Service]\nExecStart=/bin/sleep 1000\n")
    d.unit("q.socket", "[Socket]\nListenMessageQueue=/usher-test\nMessageQueueMaxMessages=7\n"
           "MessageQueueMessageSize=99\nRemoveOnStop=yes\n")
    d.unit("q.service", f"[Service]\nExecStart={sys.executable} {d.file('queue.py', QUEUE)} "
           f"{d.folder}/seen\n")
    d.start()
    fifo = os.open(f"{d.folder}/fifo", os.O_RDWR | os.O_NONBLOCK)
    assert fcntl.fcntl(fifo, 1032) == 256 << 10  # F_GETPIPE_SZ
    os.close(fifo)
    d.ctl("start", "q.service", check=True)
    eventually(lambda: os.path.exists(f"{d.folder}/seen")
               and open(f"{d.folder}/seen", encoding="ascii").read() == "7 99")
    d.ctl("stop", "q.socket", check=True)


QUEUE = """import ctypes, sys
attributes = (ctypes.c_long * 8)()
assert ctypes.CDLL(None).mq_getattr(3, attributes) == 0
open(sys.argv[1], "w").write(f"{attributes[1]} {attributes[2]}")
"""


if __name__ == "__main__":
    main()
