#!/usr/bin/env python3
"""The environment block that services inherit: usher.conf, set-environment and related verbs, who can read and change it."""

import json
import os
import socket

from daemon import USHERCTL, case, main, need, need_root, run

PRINTS = "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'env -0 >{0}/%n.env'\n"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def environment(d, name):
    """What a service got at its last start."""
    with open(f"{d.folder}/{name}.env", encoding="utf-8") as file:
        return dict(entry.split("=", 1) for entry in file.read().split("\0") if entry)


def started(d, name):
    d.ctl("restart", name, check=True)
    return environment(d, name)


def shown(d):
    return json.loads(d.ctl("show-environment", "-o", "json", check=True).stdout)


def begin(d, conf="", **options):
    path = d.file("usher.conf", conf, 0o644)
    d.unit("a.service", PRINTS.format(d.folder))
    d.start("--config", path, "--units", d.units, **options)


@case
def defaults_of_usher_conf(d):
    begin(d, "DefaultEnvironment = {'ONE=1', 'PATH=/opt/bin:/usr/bin:/bin'}\n", env={"SECRET": "hunter2"})
    got = started(d, "a.service")
    assert got["ONE"] == "1" and got["PATH"] == "/opt/bin:/usr/bin:/bin" and "SECRET" not in got, got
    assert shown(d)["ONE"] == "1" and "SECRET" not in shown(d), shown(d)
    # A reload reads it again, and a service's next start uses it.
    d.file("usher.conf", "DefaultEnvironment = 'TWO=2'\n", 0o644)
    d.ctl("set-environment", "MINE=kept", check=True)
    d.ctl("daemon-reload", check=True)
    got = started(d, "a.service")
    assert "ONE" not in got and got["TWO"] == "2" and got["PATH"] == PATH and got["MINE"] == "kept", got


@case
def clients_set_and_unset(d):
    begin(d, "DefaultEnvironment = 'ONE=1'\n")
    assert started(d, "a.service").get("ONE") == "1"
    d.ctl("set-environment", "ONE=mine", "PATH=/x:/bin", "LINES=a\nb", "EMPTY=", "NOTIFY_SOCKET=/evil", check=True)
    got = started(d, "a.service")
    assert (got["ONE"], got["PATH"], got["LINES"], got["EMPTY"]) == ("mine", "/x:/bin", "a\nb", ""), got
    assert got.get("NOTIFY_SOCKET") != "/evil", got
    d.ctl("unset-environment", "ONE", "PATH", "EMPTY=other", "NONE", check=True)
    got = started(d, "a.service")
    assert got["ONE"] == "1" and got["PATH"] == PATH and got["EMPTY"] == "" and "LINES" in got, got
    assert shown(d)["PATH"] == PATH and shown(d)["LINES"] == "a\nb", shown(d)


@case
def what_a_unit_says_wins(d):
    files = [d.file(name, text, 0o644) for name, text in (("1", "F=one\nG=one\nE=one\n"), ("2", "F=two\nB=\a\n"))]
    d.unit("b.service", PRINTS.format(d.folder) + "Environment=E=unit M=unit\nUnsetEnvironment=GONE\n"
           f"EnvironmentFile={files[0]}\nEnvironmentFile={files[1]}\nPassEnvironment=PATH OWN CONF\n")
    begin(d, "ManagerEnvironment = 'CONF=passed'\n", env={"OWN": "passed", "PATH": os.environ["PATH"]})
    d.ctl("set-environment", "E=client", "M=client", "F=client", "C=client", "GONE=x", "PATH=/c:/bin", check=True)
    got = started(d, "b.service")
    expected = {"E": "one", "M": "unit", "F": "two", "G": "one", "C": "client", "PATH": os.environ["PATH"],
                "OWN": "passed", "CONF": "passed"}
    assert {name: got.get(name) for name in expected} == expected and "GONE" not in got and got["B"] == "\a", got
    assert "CONF" not in started(d, "a.service")


@case
def connections_get_it(d):
    """An instance's plan is shared and made ahead: it is never an old one."""
    d.unit("c.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    d.unit("c@.service", "[Service]\nExecStart=/bin/sh -c 'echo $$WHO'\nStandardInput=socket\n")
    begin(d)

    def answer():
        with socket.create_connection(("127.0.0.1", 7001), timeout=20) as peer:
            return peer.makefile().read()
    assert answer() == "\n"
    for who in ("one", "two"):
        d.ctl("set-environment", f"WHO={who}", check=True)
        assert answer() == f"{who}\n"
    d.ctl("unset-environment", "WHO", check=True)
    assert answer() == "\n"


@case
def commands_of_one_start(d):
    """Each of them gets what holds when it is run."""
    d.unit("d.service", f"[Service]\nType=oneshot\nExecStartPre={USHERCTL} --runtime-dir {d.runtime} set-environment X=1\n"
           f"ExecStart=/bin/sh -c 'echo $$X >{d.folder}/x'\n")
    begin(d)
    d.ctl("start", "d.service", check=True)
    with open(f"{d.folder}/x", encoding="utf-8") as file:
        assert file.read() == "1\n"


@case
def conditions_see_it(d):
    d.unit("e.service", "[Unit]\nConditionEnvironment=X=1\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n")
    begin(d, env={"X": "1"})
    d.ctl("start", "e.service", check=True)
    assert d.show("e.service", "ActiveState") == "inactive", "usherd's own environment counts for nothing"
    d.ctl("set-environment", "X=1", check=True)
    d.ctl("start", "e.service", check=True)
    assert d.show("e.service", "ActiveState") == "active"


# What is refused, and the words.
REFUSED = [
    (("set-environment", "FOO"), "FOO is no assignment: write FOO=VALUE"),
    (("set-environment", "1A=b"), "Failed to set environment: Invalid environment assignments"),
    (("set-environment", "=b"), "Failed to set environment: Invalid environment assignments"),
    (("set-environment", "A=1", "A=2"), "Failed to set environment: Invalid environment assignments"),
    (("unset-environment", "A-B"), "Failed to unset environment: Invalid environment variable names or assignments"),
    (("import-environment", "A=b"), "A=b is not a variable name"),
    (("set-environment", *(f"V{i}=" for i in range(1100))), "At most 1024 variables"),
    (("set-environment", *(f"W{i}={'x' * 100000}" for i in range(4))), "At most 1024 variables with 262144 bytes"),
]


@case
def what_is_refused(d):
    begin(d)
    before = shown(d)
    for words, text in REFUSED:
        result = d.ctl(*words)
        assert result.returncode == 1 and text in result.stderr, (words[:3], result.returncode, result.stderr)
        assert shown(d) == before, words[:3]
    # Bit by bit it cannot be exceeded, either.
    codes = [d.ctl("set-environment", f"X{i}={'x' * 100000}").returncode for i in range(3)]
    assert codes == [0, 0, 1], codes
    assert "X1" in started(d, "a.service")


@case
def imported(d):
    begin(d)
    client = [USHERCTL, "--runtime-dir", d.runtime, "import-environment"]
    env = {"PATH": os.environ["PATH"], "GOOD": "1", "BAD": "\033", "OTHER": "2"}
    result = run(*client, "GOOD", "BAD", "NONE", env=env)
    assert result.returncode == 0, result
    assert "$NONE is not set" in result.stderr and "$BAD has control characters" in result.stderr, result
    got = shown(d)
    assert got.get("GOOD") == "1" and not {"BAD", "NONE", "OTHER"} & set(got), got
    assert run(*client, env=env).returncode == 0
    assert shown(d).get("OTHER") == "2"


@case
def stock_systemctl(d):
    """Its verbs change the same block, and it prints what usherctl prints."""
    begin(d)
    need("systemctl")
    systemctl = d.systemctl
    values = ["plain", "", "a b", "it's", "back\\slash", "tab\tline\nend", "$x", "*", "é", "a|b", "~", "a=b", "#", '"', "`", "\a\b\v\f\r\033\177", "~/x", "[", "{a}", "%", "!"]
    assert systemctl("set-environment", *(f"V{i:02}={value}" for i, value in enumerate(values))).returncode == 0
    assert systemctl("unset-environment", "V00").returncode == 0
    theirs, ours = systemctl("show-environment"), d.ctl("show-environment")
    assert theirs.returncode == 0 and theirs.stdout == ours.stdout, (theirs, ours.stdout)
    assert shown(d)["V06"] == "$x" and "V00" not in shown(d)
    assert "Invalid environment assignments" in systemctl("set-environment", "FOO").stderr


@case
def user_manager_inherits(d):
    begin_args = {"env": {"OWN": "inherited", "LISTEN_PORT": "80", "SERVICE_RESULT": "x"}}
    path = d.file("usher.conf", "DefaultEnvironment = 'ONE=1'\nManagerEnvironment = 'CONF=2'\n", 0o644)
    d.unit("a.service", PRINTS.format(d.folder))
    d.start("--user", "--config", path, "--units", d.units, **begin_args)
    got = started(d, "a.service")
    assert (got.get("OWN"), got.get("ONE"), got.get("CONF"), got.get("LISTEN_PORT")) == ("inherited", "1", "2", "80"), got
    assert "SERVICE_RESULT" not in got and shown(d)["OWN"] == "inherited"


@case
def only_those_who_control(d):
    need_root()
    begin(d)
    os.chmod(d.folder, 0o755)
    d.ctl("set-environment", "SECRET=hunter2", check=True)
    for words in (("set-environment", "A=1"), ("unset-environment", "SECRET"), ("import-environment", "PATH")):
        result = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", USHERCTL, "--runtime-dir",
                     d.runtime, *words)
        assert result.returncode != 0 and "A" not in shown(d) and shown(d)["SECRET"] == "hunter2", (words, result)


main()
