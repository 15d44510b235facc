#!/usr/bin/env python3
"""Every example of the manual pages and of README.md is run exactly as it is printed."""

import os
import re
import socket
import subprocess

from daemon import (PATIENCE, SRC, USHERCTL, USHERD, WRAPPER, case, connect, eventually, main, need_root, run, talk)

PAGES = os.path.join(SRC, "src/man")
CAT = "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n"


def plain(text):
    """What a reader sees of a line of a page."""
    return text.replace("\\-", "-").replace("\\&", "").replace("\\[bu]", "●")


def blocks(page):
    """The examples of a page: what stands between .EX and .EE."""
    with open(os.path.join(PAGES, page), encoding="utf-8") as file:
        return [plain(b) for b in re.findall(r"^\.EX\n(.*?)^\.EE", file.read(), re.S | re.M)]


def one(page, start):
    """The example that begins with these words."""
    found = [b for b in blocks(page) if b.startswith(start)]
    assert len(found) == 1, (page, start, found)
    return found[0]


# Each example, by its first words, and the case that runs it.
CASES = {
    "usher.conf.5.in": {"# a comment": "usher_conf"},
    "usher.socket.5.in": {"[Socket]\nListenStream=7777": "sockets", "[Socket]\nListenDatagram=": "sockets",
                          "[Socket]\nX-ListenName=": "sockets"},
    "usherctl.1.in": {"$ usherctl status": "outputs", "$ usherctl connections": "outputs",
                      "usherctl list-sockets": "usherctl", "usherctl lint": "usherctl", "usherctl show": "usherctl",
                      "XDG_RUNTIME_DIR=/run/usher systemctl": "usherctl"},
    "usherd.8.in": {"usherd run": "usherd_run", "usherd --runtime-dir": "usherd_folder"},
}


@case
def all_of_them(d):
    for page in sorted(os.listdir(PAGES)):
        known = CASES.get(page, {})
        for block in blocks(page):
            hits = [start for start in known if block.startswith(start)]
            assert len(hits) == 1 and known[hits[0]] in globals(), f"{page}: no case runs: {block}"


@case
def usher_conf(d):
    conf = d.file("usher.conf", one("usher.conf.5.in", "# a comment"), 0o644)
    d.start("--config", conf, "--units", d.units)
    for address in ("127.0.0.1", "::1"):
        assert talk((address, 7), b"x") == b"x"
    assert "usher.conf" not in d.log(), d.log()


@case
def sockets(d):
    for i, start in enumerate(CASES["usher.socket.5.in"]):
        d.unit(f"e{i}.socket", one("usher.socket.5.in", start))
        template = "@" if "Accept=yes" in start + one("usher.socket.5.in", start) else ""
        d.unit(f"e{i}{template}.service", CAT)
    lint = run(USHERCTL, "--units", d.units, "lint")
    assert (lint.returncode, lint.stderr) == (0, ""), lint
    d.start("--target", "e0.socket", "--units", d.units)
    assert talk(("127.0.0.1", 7777), b"x") == b"x"


def in_its_place(d):
    """usherd on /run/usher, with echo.socket, in a folder that the examples are run in."""
    need_root()
    os.makedirs("/run/usher", exist_ok=True)
    d.runtime = "/run/usher"
    d.unit("echo.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    d.unit("echo@.service", CAT)
    os.environ["PATH"] = f"{os.path.dirname(USHERCTL)}:{os.environ['PATH']}"
    d.start()


@case
def usherctl(d):
    in_its_place(d)
    talk(("127.0.0.1", 7001), b"x")
    shown = {"usherctl list-sockets": "127.0.0.1:7001 echo.socket", "usherctl show": "0\n1\n",
             "XDG_RUNTIME_DIR=/run/usher systemctl": "127.0.0.1:7001 echo.socket", "usherctl lint": ""}
    for start, words in shown.items():
        if "systemctl" in start and run("sh", "-c", "command -v systemctl").returncode != 0:
            continue
        eventually(lambda: d.show("echo.socket", "NConnections") == "0")
        answer = run("sh", "-ec", one("usherctl.1.in", start), cwd=d.units)
        assert answer.returncode == 0 and words in answer.stdout, answer


@case
def outputs(d):
    """What the page shows is what is printed: the same heads, the same labels."""
    in_its_place(d)
    with connect(("127.0.0.1", 7001)) as peer:
        peer.sendall(b"hello\n")
        peer.recv(10)
        command, head, row = one("usherctl.1.in", "$ usherctl connections").splitlines()
        answer = run("sh", "-ec", command[2:])
        assert answer.stdout.splitlines()[0].split() == head.split(), answer
        assert len(answer.stdout.splitlines()[1].split()) == len(row.split()), answer
        command, *lines = one("usherctl.1.in", "$ usherctl status").splitlines()
        printed = run("sh", "-ec", command[2:]).stdout.splitlines()
        assert [l.split(":")[0] for l in printed[:len(lines)]] == [l.split(":")[0] for l in lines], printed


def serve(d, line, address, cwd):
    """A line of the page that stays in the foreground."""
    with open(d.log_path, "wb") as log, \
            subprocess.Popen(["sh", "-ec", f"exec {' '.join(WRAPPER)} {line}"], stdin=subprocess.DEVNULL, stdout=log,
                             stderr=log, cwd=cwd, env=dict(os.environ, HOME=d.folder)) as d.process:
        def answers():
            try:
                return talk(address, b"x") == b"x"
            except OSError:
                return False
        eventually(answers, line)
        d.stop()


@case
def usherd_run(d):
    serve(d, one("usherd.8.in", "usherd run").replace("usherd", USHERD, 1), ("127.0.0.1", 7777), d.folder)


@case
def usherd_folder(d):
    d.unit("echo.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    d.unit("echo@.service", CAT)
    os.rmdir(d.runtime) if os.path.isdir(d.runtime) else None
    serve(d, one("usherd.8.in", "usherd --runtime-dir").replace("usherd", USHERD, 1), ("127.0.0.1", 7001), d.folder)


def readme(start):
    """The block of README.md that begins with these words."""
    with open(os.path.join(SRC, "README.md"), encoding="utf-8") as file:
        text = file.read()
    found = [re.sub("^    ", "", b, flags=re.M) for b in re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.M)]
    found = [b for b in (f.lstrip("\n") for f in found) if b.startswith(start)]
    assert len(found) == 1, (start, found)
    return found[0]


@case
def readme_quick_start(d):
    serve(d, readme("usherd run").replace("usherd", USHERD, 1), ("127.0.0.1", 7777), d.folder)
    os.makedirs(os.path.join(d.folder, "quick"))
    *make, start = readme("mkdir units\n").splitlines()
    folder = os.path.join(d.folder, "quick")
    run("sh", "-ec", "\n".join(make), cwd=folder, check=True)
    serve(d, start.replace("usherd", USHERD, 1), ("127.0.0.1", 7777), folder)


@case
def readme_inetd(d):
    line = readme("7710  stream").split()
    assert line[:5] == ["7710", "stream", "tcp", "nowait", "nobody"], line
    d.unit("copy.socket", readme("[Socket]\nListenStream=7710"))
    service = readme("[Service]\nExecStart=/bin/cat -u")
    d.unit("copy@.service", service)
    assert f"ExecStart={line[5]} {line[7]}\n" in service and f"User={line[4]}\n" in service, service
    need_root()
    d.start()
    assert talk(("127.0.0.1", 7710), b"x") == b"x"
    with socket.create_connection(("::1", 7710), timeout=PATIENCE):
        pass


@case
def configure_says_what_to_do(d):
    """Without the libraries it names the script that installs them."""
    nowhere = {"PKG_CONFIG_LIBDIR": "/nonexistent", "PKG_CONFIG_PATH": "/nonexistent"}
    answer = run(os.path.join(SRC, "configure"), cwd=d.folder, env=dict(os.environ, **nowhere))
    assert answer.returncode == 1 and "libsystemd" in answer.stderr, answer
    assert f"sh {SRC}/contrib/install-deps " in answer.stderr, answer


if __name__ == "__main__":
    main()
