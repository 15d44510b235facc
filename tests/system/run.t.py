#!/usr/bin/env python3
"""usherd run: serves one command without unit files."""

import os
import re
import socket
import subprocess
import sys

from daemon import PATIENCE, SERVER, USHERCTL, USHERD, WRAPPER, case, connect, main, run, talk


@case
def run_inetd(d):
    d.start("run", "-l", "127.0.0.1:7001", "-l", "@usher-test", "-a", "--inetd", "--", "/bin/cat",
            program=USHERD)
    assert talk(("127.0.0.1", 7001), b"one") == b"one"
    assert talk("@usher-test", b"two") == b"two"


@case
def run_one_for_all(d):
    script = d.file("server.py", SERVER)
    d.start("run", "-l", "127.0.0.1:7001", "--name", "one", "--", sys.executable, script)
    first, second = talk(("127.0.0.1", 7001), b"a"), talk(("127.0.0.1", 7001), b"b")
    assert first.split()[0] == second.split()[0], (first, second)
    assert d.ctl("is-active", "one.service").returncode == 0


@case
def run_datagrams_and_names(d):
    script = d.file("names.py", "import os, socket\n"
                    "s = socket.socket(fileno=3)\n"
                    "data, peer = s.recvfrom(100)\n"
                    "s.sendto((os.environ['LISTEN_FDNAMES'] + ' ' + os.environ['LISTEN_FDS']).encode(), peer)\n")
    d.start("run", "-d", "-l", "127.0.0.1:7001", "-l", "127.0.0.1:7002", "--fdname", "first",
            "--fdname", "second", "--", sys.executable, script)
    with connect(("127.0.0.1", 7001), kind=socket.SOCK_DGRAM) as sock:
        sock.send(b"x")
        assert sock.recv(100) == b"first:second 2"


@case
def run_in_use(d):
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 7001))
        holder.listen()
        failed = run(USHERD, "run", "-l", "127.0.0.1:7001", "--", "/bin/cat")
        assert failed.returncode == 1, failed
        assert "127.0.0.1:7001" in failed.stderr and str(os.getpid()) in failed.stderr, failed


def start_run(d, *args):
    """usherd run with a folder that it makes itself; the folder, once it serves."""
    with open(d.log_path, "wb") as log:
        d.process = subprocess.Popen([*WRAPPER, USHERD, "--log-target=stderr", *args], stdin=subprocess.DEVNULL,
                                     stdout=log, stderr=log)
    d.logged("Startup finished")
    return re.search(r"/run/usher-run-\w+", d.logged(r"usherctl --runtime-dir=/run/usher-run-")[0]).group()


@case
def run_is_found(d):
    """By its log, and by usherctl; it leaves nothing behind."""
    node = os.path.join(d.folder, "node")
    folder = start_run(d, "run", "-l", node, "-a", "--inetd", "--name=one", "--", "/bin/cat")
    lost = run(USHERCTL, "list-units")
    assert lost.returncode == 1 and f"usherctl --runtime-dir={folder}  (one.socket)" in lost.stderr, lost
    assert run(USHERCTL, f"--runtime-dir={folder}", "is-active", "one.socket").returncode == 0
    lint = run(USHERCTL, "--units", f"{folder}/units", "lint")
    assert (lint.returncode, lint.stdout, lint.stderr) == (0, "", ""), lint
    assert talk(node, b"x") == b"x"
    d.stop()
    assert not os.path.exists(node) and not os.path.exists(folder)
    assert "--runtime-dir=/run/usher-run-" not in run(USHERCTL, "list-units").stderr


# What stands where on the command line, and what comes of it: nothing is listened to where it is wrong.
RUNS = [
    (("-l", "127.0.0.1:7001", "run", "-a", "--inetd", "--", "/bin/cat"), 0, ""),
    (("-a", "run", "--inetd", "-l", "127.0.0.1:7001", "cat"), 0, ""),
    (("run", "-a", "-l", "127.0.0.1:7001", "--inetd", "/bin/cat", "-"), 0, ""),
    (("run", "-l", "127.0.0.1:7001", "--", "/nonexistent/cat"), 1, "/nonexistent/cat"),
    (("run", "-l", "127.0.0.1:7001", "--", "no-such-program"), 1, "no-such-program"),
    (("run", "-l", "127.0.0.1:7001", "--", "/tmp"), 1, "/tmp"),
    (("run", "-l", "127.0.0.1:7001", "-l", "127.0.0.1:700001", "--", "/bin/cat"), 2, "127.0.0.1:700001"),
    (("run", "-l", "http://localhost", "--", "/bin/cat"), 2, "http://localhost"),
    (("run", "-l", "127.0.0.1:7001", "-l", "127.0.0.1:7001", "--", "/bin/cat"), 1, "127.0.0.1:7001"),
    (("run", "--seqpacket", "-l", "127.0.0.1:7001", "--", "/bin/cat"), 2, "127.0.0.1:7001"),
    (("run", "--target=x.target", "-l", "127.0.0.1:7001", "--", "/bin/cat"), 2, "--target"),
    (("-l", "127.0.0.1:7001", "/"), 2, "usherd run"),
    (("/", "run", "-l", "127.0.0.1:7001"), 2, "usherd run"),
]


@case
def run_command_lines(d):
    for args, code, text in RUNS:
        if code == 0:
            start_run(d, *args)
            assert talk(("127.0.0.1", 7001), b"x") == b"x", args
            d.stop()
            continue
        refused = run(*WRAPPER, USHERD, "--log-target=stderr", *args, timeout=PATIENCE)
        assert refused.returncode == code and text in refused.stderr, (args, refused)
        assert "Listening on" not in refused.stderr, (args, refused)


if __name__ == "__main__":
    main()
