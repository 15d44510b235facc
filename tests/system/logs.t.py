#!/usr/bin/env python3
"""The log: where it goes, what each line says, and what services print."""

import json
import os
import re
import socket
import subprocess

from daemon import WRAPPER, case, connect, eventually, main, need_root, own_folder, talk


def pair(d, port=7001, service="[Service]\nExecStart=/bin/cat\nStandardInput=socket\n"):
    d.unit("echo.socket", f"[Socket]\nListenStream=127.0.0.1:{port}\nAccept=yes\n")
    d.unit("echo@.service", service)


@case
def time_and_level_on_stderr(d):
    """--log-time=auto: where no journal or runtime of a container adds them."""
    pair(d)
    d.start("--units", d.units, "--log-time=auto")
    d.logged(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4} (info|notice) echo.socket: ")
    d.stop()
    os.unlink(d.log_path)
    d.start("--units", d.units, "--log-time=auto", wrapper=["unshare", "-p", "-f", "--kill-child", "--mount-proc",
                                                            *WRAPPER])
    d.logged(r"^echo.socket: ")
    d.kill()


@case
def nothing_logged(d):
    """As journalctl says it; what reads the lines gets none."""
    pair(d)
    d.start("--units", d.units)
    result = d.ctl("logs", "nosuch.socket", check=True)
    assert (result.stdout, result.stderr) == ("", "-- No entries --\n"), result
    assert d.ctl("logs", "--since=2100-01-01", check=True).stderr == "-- No entries --\n"
    assert d.ctl("logs", "--output=json", "nosuch.socket", check=True).stderr == ""
    result = d.ctl("logs", "echo.socket", check=True)
    assert result.stdout and not result.stderr, result
    d.logged("1 socket listens")
    assert "0 connections listed." in d.ctl("connections", check=True).stdout
    with connect(("127.0.0.1", 7001)) as peer:
        peer.sendall(b"x")
        assert peer.recv(1) == b"x"
        assert "\n1 connection listed." in d.ctl("connections", check=True).stdout


@case
def syslog(d):
    """Lines go to /dev/log; a reader that comes later, or does not read, holds up nothing."""
    pair(d)
    d.unit("talk.service", "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\nSyslogIdentifier=talker\nSyslogFacility=mail\n"
                           "ExecStart=/bin/sh -c 'echo said'\n")
    need_root()
    dev = os.path.join(d.folder, "dev")  # in place of this machine's, which may have a log of its own
    own_folder(dev)
    for node in ("null", "zero", "random", "urandom"):
        open(os.path.join(dev, node), "w", encoding="ascii").close()
        subprocess.run(["mount", "--bind", f"/dev/{node}", os.path.join(dev, node)], check=True)
    subprocess.run(["mount", "--rbind", dev, "/dev"], check=True)
    try:
        d.start("--units", d.units, "--log-target=syslog")
        d.logged("echo.socket: ")  # nobody reads yet
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as reader:
            reader.bind("/dev/log")
            reader.settimeout(0.2)
            got = []

            def said():
                d.ctl("start", "talk.service", check=True)
                try:
                    while True:
                        got.append(reader.recv(9000).decode())
                except socket.timeout:
                    pass
                return any(re.fullmatch(r"<22>\w{3} [ \d]\d \d\d:\d\d:\d\d talker\[\d+\]: talk.service: said", l)
                           for l in got)
            eventually(said, "its line")
            assert any(" usherd[" in l and ": talk.service: " in l for l in got), got
            for _ in range(60):  # now it does not read
                assert d.ctl("restart", "talk.service").returncode == 0
            assert talk(("127.0.0.1", 7001), b"x") == b"x"
        d.stop()
    finally:
        subprocess.run(["umount", "-l", "/dev"], check=True)
        subprocess.run(["umount", "-l", dev], check=True)



# ---- what services print

@case
def output_of_descendants(d):
    """Whatever a connection's processes print is logged as the instance's, even if they are gone already."""
    pair(d, service="[Service]\nExecStart=/bin/sh -c 'sh -c \"echo child of $$$$ >&2; true\"; echo main $$$$ >&2; cat'\n"
                    "StandardInput=socket\nStandardError=journal\n")
    d.start()
    socks = [connect(("127.0.0.1", 7001)) for _ in range(10)]
    of = {}
    for line in d.logged(r"^echo@.*\.service\[\d+\]: main \d+$", 10):
        of[line.split()[-1]] = line.split("[")[0]
    for line in d.logged(r"^echo@.*\.service\[\d+\]: child of \d+$", 10):
        assert of[line.split()[-1]] == line.split("[")[0], line
    assert len(set(of.values())) == 10, of
    for sock in socks:
        sock.close()


# A command whose last line has no newline, and who writes it.
LAST = {
    "main": "/bin/sh -c 'printf last-main'",
    "child": "/bin/sh -c 'sh -c \"printf last-child; true\"; true'",
    # It holds the stream, and lives on.
    "orphan": "/bin/sh -c 'setsid sh -c \"printf last-orphan; touch done; exec sleep 100\" & until test -e done; do sleep 0.05; done'",
    "forking": "/bin/sh -c 'sh -c \"printf last-forking; exec sleep 100\"'",  # ends with usherd
}


@case
def last_line_without_newline(d):
    for name, command in LAST.items():
        kind = "oneshot" if name in ("main", "child") else "simple"
        d.unit(f"{name}.service", f"[Service]\nType={kind}\nKillMode=process\nWorkingDirectory={d.folder}\nExecStart={command}\n")
    pair(d, service="[Service]\nExecStart=/bin/sh -c 'sh -c \"printf last-of-connection >&2; true\"'\n"
                    "StandardInput=socket\nStandardError=journal\n")
    d.start()
    d.ctl("start", *(f"{name}.service" for name in LAST), check=True)
    for name in ("main", "child", "orphan"):
        d.logged(rf"^{name}\.service\[\d+\]: last-{name}$")
    talk(("127.0.0.1", 7001))
    d.logged(r"^echo@.*\.service\[\d+\]: last-of-connection$")
    assert "last-forking" not in d.log()  # the line may go on
    d.stop()
    d.logged(r"^forking\.service\[\d+\]: last-forking$")


@case
def identifiers(d):
    """SyslogIdentifier=, else the name of the program that is run, as in systemd."""
    d.unit("one.service", "[Service]\nType=oneshot\nExecStartPre=/bin/echo said\nExecStart=/bin/sh -c 'echo said'\n")
    d.unit("two.service", "[Service]\nType=oneshot\nSyslogIdentifier=me\nExecStart=/bin/sh -c 'echo said'\n")
    d.unit("three@.service", "[Service]\nType=oneshot\nSyslogIdentifier=me-%i\nExecStart=/bin/sh -c 'echo said'\n")
    d.start("--units", d.units, "--log-format=json")
    d.ctl("start", "one.service", "two.service", "three@x.service", check=True)
    d.logged('"said"', 4)
    lines = [json.loads(l) for l in d.log().splitlines() if l.startswith("{")]
    got = sorted((l["unit"], l["identifier"]) for l in lines if l["message"] == "said")
    assert got == [("one.service", "echo"), ("one.service", "sh"), ("three@x.service", "me-x"),
                   ("two.service", "me")], got
    assert all(len(l["invocation"]) == 32 for l in lines if l["message"] == "said")


@case
def logs_of_a_socket(d):
    """logs and status of a socket show what its services print, and why they failed."""
    pair(d, service="[Service]\nExecStart=/bin/sh -c 'echo no such thing >&2; exit 3'\n"
                    "StandardInput=socket\nStandardError=journal\n")
    name = "with\\x2ddash"  # its backslash is one, and no escape
    d.unit(f"{name}.socket", "[Socket]\nListenStream=127.0.0.1:7002\n")
    d.unit(f"{name}.service", "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo printed'\n")
    d.unit("other.service", "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo elsewhere'\n")
    d.start()
    d.ctl("start", "other.service", f"{name}.service", check=True)
    talk(("127.0.0.1", 7001))
    d.logged(r"echo@.*Failed with result 'exit-code'")
    for verb in ("logs", "status"):
        shown = d.ctl(verb, "echo.socket").stdout
        assert re.search(r"echo@.*\.service\[\d+\]: no such thing", shown), shown
        assert re.search(r"echo@.*\.service: Failed with result 'exit-code'", shown), shown
        assert "elsewhere" not in shown and "printed" not in shown, shown
    assert "printed" in d.ctl("logs", f"{name}.socket").stdout
    assert re.search(r"Failed: echo@.*exit-code", d.ctl("status", "echo.socket").stdout)
    assert "no such thing" not in d.ctl("logs", "echo@.service").stdout  # a name is that one


@case
def noise(d):
    """Much at once, very long lines and binary ones hold up nobody; what is left out is counted."""
    pair(d)
    d.unit("loud.service", "[Service]\nExecStart=/bin/sh -c 'yes | head -n 40000; echo done >&2; exec sleep 100'\n")
    d.unit("long.service", "[Service]\nType=oneshot\n"
                           "ExecStart=/bin/sh -c 'head -c 1048576 /dev/zero | tr \\\\0 x; head -c 100000 /dev/urandom'\n")
    d.start()
    d.ctl("start", "--no-block", "loud.service", "long.service", check=True)
    for _ in range(20):
        assert talk(("127.0.0.1", 7001), b"x") == b"x"
    eventually(lambda: d.log().count("]: y\n") == 10000, "as many lines as the limit allows")
    d.ctl("stop", "loud.service", check=True)
    d.logged(r"loud.service: Suppressed 300\d\d lines")
    eventually(lambda: d.ctl("is-active", "long.service").returncode == 3, "its end")
    assert all(len(l) < 33000 for l in d.log().splitlines())
    assert sum(l.partition("]: ")[2].count("x") for l in d.log().splitlines()
               if l.startswith("long.service[")) >= 1048576


main()
