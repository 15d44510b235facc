#!/usr/bin/env python3
"""The log: where it goes, what each line says, and what services print."""

import os
import re
import socket
import subprocess

from daemon import WRAPPER, case, eventually, main, need_root, own_folder, talk


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
def syslog(d):
    """Lines go to /dev/log; a reader that comes later, or does not read, holds up nothing."""
    pair(d)
    d.unit("talk.service", "[Service]\nType=oneshot\nSyslogIdentifier=talker\nSyslogFacility=mail\n"
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


main()
