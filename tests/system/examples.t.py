#!/usr/bin/env python3
"""The example folders that the demo does not show, each served as its README says."""

import os
import shutil
import socket
import threading

from daemon import BUILD, SRC, case, connect, eventually, main, need_root, run, talk

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


# Clients that the READMEs use, for machines that lack them: nc [-N] [-u] [-wN] [-U] HOST PORT.
NC = """#!/usr/bin/env python3
import socket, sys
names = [w for w in sys.argv[1:] if not w.startswith("-")]
is_udp = "-u" in sys.argv
if "-U" in sys.argv:
    s = socket.socket(socket.AF_UNIX)
    s.connect(names[0])
else:
    info = socket.getaddrinfo(*names, type=socket.SOCK_DGRAM if is_udp else socket.SOCK_STREAM)[0]
    s = socket.socket(*info[:3])
    s.connect(info[4])
s.settimeout(20)
s.sendall(sys.stdin.buffer.read())
if is_udp:
    sys.stdout.write(s.recv(1000).decode())
else:
    s.shutdown(socket.SHUT_WR)
    sys.stdout.write(s.makefile().read())
"""
SOCAT = """#!/usr/bin/env python3
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
s.sendto(sys.stdin.buffer.read(), ("239.255.77.5", 7705))
print(s.recv(1000).decode())
"""

# In a README, 1 is for the start of usherd, 2 for what comes after: here as long as it takes on a slow machine.
SLEEP = """#!/bin/sh
if [ "$1" != 1 ]; then exec /bin/sleep 5; fi
while ! usherctl is-system-running >/dev/null; do /bin/sleep 0.1; done
"""

# What is printed where a README is followed, as root and as somebody else.
SHOWN = {
    "dual-stack": ("you are 127.0.0.1", "you are ::1"),
    "fifo": ("hello",),
    "inetd-cat": ("hello",),
    "listen-fds-c": ("connection 1",),
    "listen-fds-python": ("hello 127.0.0.1",),
    "multicast": ("is here",),
    "netlink": ("example0 is gone",),
    "queueing": ("done by process", "queueing.socket"),
    "udp-wait": ("cba",),
    "unix-credentials": ("you are user @",),
}


def block(name):
    """The commands of a README."""
    with open(os.path.join(SRC, "examples", name, "README.md"), encoding="utf-8") as file:
        return "".join(line[4:] for line in file if line.startswith("    "))


@case
def as_their_readmes_say(d):
    """Each README, line by line: it shows what it says and leaves no process behind."""
    need_root()
    assert set(SHOWN) == set(os.listdir(os.path.join(SRC, "examples")))
    run("ip", "link", "set", "lo", "multicast", "on", check=True)
    for program, text in (("nc", NC), ("socat", SOCAT), ("sleep", SLEEP), ("sudo", '#!/bin/sh\n[ "$(id -u)" = 0 ] && exec "$@"\n')):
        d.file(program, text)
    for uid in (0, 65534):
        home = os.path.join(d.folder, f"home-{uid}")
        shutil.copytree(EXAMPLES, os.path.join(home, "examples"))
        for name in ("listen-fds-c/listen-fds-c.c", "udp-wait/udp-wait.c"):
            shutil.copy(os.path.join(SRC, "examples", name), os.path.join(home, "examples", name))
        os.mkdir(os.path.join(home, "t"))
        run("chown", "-R", str(uid), home, check=True)
        # As root usherd is in /run/usher; the tests' own folder is not meant.
        environment = {"PATH": f"{d.folder}:{programs(d)}:{os.environ['PATH']}", "HOME": home,
                       "XDG_RUNTIME_DIR": os.path.join(home, "t"), "LC_ALL": "C.UTF-8"}
        for name, words in SHOWN.items():
            if name == "netlink" and uid != 0:
                continue  # only root changes a network interface
            answer = run("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "sh", "-ec",
                         block(name), cwd=home, env=environment)
            assert answer.returncode == 0, (uid, name, answer)
            for word in words:
                assert word.replace("@", str(uid)) in answer.stdout, (uid, name, answer)
            eventually(lambda: run("pidof", "usherd").returncode != 0, f"the usherd of {name} to end")


def programs(d):
    """A folder that everybody can reach, with the two programs."""
    folder = os.path.join(d.folder, "programs")
    if not os.path.exists(folder):
        os.mkdir(folder)
        for name in ("usherd", "usherctl"):
            shutil.copy(os.path.join(BUILD, name), folder)
    return folder


if __name__ == "__main__":
    main()
