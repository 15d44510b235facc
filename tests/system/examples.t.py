#!/usr/bin/env python3
"""The example folders that the demo does not show, each served as its README says."""

import os
import socket
import threading

from daemon import BUILD, case, connect, eventually, main, run, talk

EXAMPLES = os.path.join(BUILD, "examples")


def serve(d, name):
    """usherd on one example folder; %t is a folder of the test."""
    runtime = os.path.join(d.folder, "t")
    os.mkdir(runtime)
    d.start("--user", os.path.join(EXAMPLES, name), env={"XDG_RUNTIME_DIR": runtime})
    return runtime


@case
def unix_credentials(d):
    path = f"{serve(d, 'unix-credentials')}/usher-whoami.sock"
    assert talk(path) == b"you are user 0 (root), group 0, process %d\n" % os.getpid()
    assert os.stat(path).st_mode & 0o777 == 0o666
    d.stop()
    assert not os.path.exists(path)


@case
def fifo(d):
    path = f"{serve(d, 'fifo')}/usher-lines"
    with open(path, "w", encoding="ascii") as file:
        file.write("one\ntwo\n")
    d.logged(r"fifo\.service.*: two$")
    d.logged(r"fifo\.service.*: one$")


@case
def netlink(d):
    serve(d, "netlink")
    run("ip", "tuntap", "add", "example0", "mode", "tun", check=True)
    d.logged(r"netlink\.service.*: example0 has changed")
    run("ip", "link", "del", "example0", check=True)
    d.logged(r"netlink\.service.*: example0 is gone")


@case
def multicast(d):
    run("ip", "link", "set", "lo", "multicast", "on", check=True)
    serve(d, "multicast")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(20)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        sock.sendto(b"who\n", ("239.255.77.5", 7705))
        assert sock.recv(100) == socket.gethostname().encode() + b" is here\n"


@case
def dual_stack(d):
    serve(d, "dual-stack")
    for address in ("127.0.0.1", "::1"):
        with connect((address, 7706)) as peer:
            expected = f"you are {address}, port {peer.getsockname()[1]}\n"
            assert peer.makefile().read() == expected


@case
def queueing(d):
    serve(d, "queueing")
    answers = []
    clients = [threading.Thread(target=lambda: answers.append(talk(("127.0.0.1", 7707))))
               for _ in range(4)]
    for client in clients:
        client.start()
    eventually(lambda: "wait in the backlog" in d.show("queueing.socket", "StatusText"))
    for client in clients:
        client.join()
    assert len(set(answers)) == 4 and all(a.startswith(b"done by process ") for a in answers), answers
    assert d.show("queueing.socket", "NRefused") == "0"


if __name__ == "__main__":
    main()
