#!/usr/bin/env python3
"""Units of Debian packages, unmodified except for ssh's port, with the packages' own clients."""

import os
import pwd
from concurrent.futures import ThreadPoolExecutor

from daemon import case, eventually, main, need, own_folder, package_units, run

HOME = pwd.getpwuid(0).pw_dir
KEY = os.path.join(HOME, ".ssh/id_ed25519")


def ssh_setup():
    need("ssh-keygen")
    own_folder("/run")
    own_folder(HOME)
    own_folder("/etc/ssh/sshd_config.d")
    with open("/etc/ssh/sshd_config.d/test.conf", "w", encoding="utf-8") as file:
        # Its default refuses some of twenty at once, whoever starts it.
        file.write("MaxStartups 100\nPermitRootLogin prohibit-password\nStrictModes no\n")
    os.mkdir(os.path.dirname(KEY), 0o700)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", KEY, check=True)
    os.link(KEY + ".pub", os.path.join(os.path.dirname(KEY), "authorized_keys"))


def login(port, *command):
    return run("ssh", "-p", str(port), "-i", KEY, "-oBatchMode=yes",
               "-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oLogLevel=ERROR",
               "root@127.0.0.1", *command, env=dict(os.environ, HOME=HOME))


def check_logins(port):
    answer = login(port, "echo", "in")
    assert answer.stdout == "in\n", answer
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda i: login(port, "echo", str(i)), range(20)))
    for i, answer in enumerate(answers):
        assert answer.stdout == f"{i}\n", (i, answer)


@case
def ssh_one_for_all(d):
    package_units(d, "ssh.socket", "ssh.service")
    ssh_setup()
    d.unit("ssh.socket.d/port.conf", "[Socket]\nListenStream=\nListenStream=127.0.0.1:2222\n")
    d.start()
    check_logins(2222)


@case
def ssh_one_for_each(d):
    package_units(d, "ssh.socket")
    ssh_setup()
    os.unlink(os.path.join(d.units, "ssh.socket"))
    d.unit("shell.socket", "[Socket]\nListenStream=127.0.0.1:2223\nAccept=yes\n")
    d.unit("shell@.service", "[Service]\nExecStart=-/usr/sbin/sshd -i\nStandardInput=socket\n"
                             "StandardError=journal\nRuntimeDirectory=sshd\n"
                             "RuntimeDirectoryPreserve=yes\n")
    d.start()
    check_logins(2223)


@case
def uuidd_unix(d):
    package_units(d, "uuidd.socket", "uuidd.service")
    own_folder("/run")
    d.start()
    # The client asks the daemon at the path of the unit.
    for option in ("--random", "--time"):
        answer = run(need("uuidd"), option, "--socket", "/run/uuidd/request")
        assert answer.returncode == 0 and len(answer.stdout.split()[-1]) == 36, answer
    assert d.show("uuidd.service", "ActiveState") == "active"


@case
def rpcbind_many_listeners(d):
    package_units(d, "rpcbind.socket", "rpcbind.service")
    own_folder("/run")
    d.start()
    client = need("rpcinfo")
    for arguments in (["-T", "udp", "127.0.0.1", "portmapper"], ["-T", "tcp", "127.0.0.1", "portmapper"],
                      ["-T", "tcp6", "::1", "portmapper"], ["-p", "127.0.0.1"]):
        answer = run(client, *arguments)
        assert answer.returncode == 0, answer
    assert "portmapper" in answer.stdout


@case
def tangd_http(d):
    package_units(d, "tangd.socket", "tangd@.service")
    curl = need("curl")
    own_folder("/var/lib/tang")
    run("/usr/libexec/tangd-keygen", "/var/lib/tang", check=True)
    run("chmod", "-R", "a+rX", "/var/lib/tang", check=True)
    d.start()
    for _ in range(3):
        answer = run(curl, "-sf", "http://127.0.0.1/adv")
        assert answer.returncode == 0 and '"payload"' in answer.stdout, answer
    eventually(lambda: d.show("tangd.socket", "NConnections") == "0", "all connections to end")
    assert d.show("tangd.socket", "NAccepted") == "3"


main()
