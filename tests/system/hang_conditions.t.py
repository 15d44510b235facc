#!/usr/bin/env python3
"""Paths of conditions on a file system that does not answer: the start waits, and the unit stays as it was
(hang_rows.py)."""

import threading

from daemon import PATIENCE, eventually, talk
from hang_rows import SLEEP, Row, main, world_case


def condition(name, lines, service=SLEEP, **options):
    options.setdefault("told", True)
    options.setdefault("state", "inactive")
    Row(name, unit=lines, service=service, **options)


for kind, value, holds in (
        ("PathExists", "{m}/env", True), ("PathExistsGlob", "{m}/e*", True), ("PathIsDirectory", "{m}/dir", True),
        ("PathIsSymbolicLink", "{m}/link", True), ("PathIsMountPoint", "{m}/dir", False),
        ("PathIsReadWrite", "{m}/env", True), ("PathIsEncrypted", "{m}/dir", False),
        ("DirectoryNotEmpty", "{m}/empty", False), ("FileNotEmpty", "{m}/env", True),
        ("FileIsExecutable", "{m}/bin/prog", True), ("NeedsUpdate", "{m}/dir", True)):
    condition(f"condition_{kind.lower()}", f"Condition{kind}={value}\n", done="active" if holds else "inactive")
condition("mount_itself", "ConditionPathIsMountPoint={m}\n")
condition("cached", "ConditionFileNotEmpty={m}/env\n", first=True, state=None, told=False)
condition("by_link", "ConditionPathExists={f}/to-m/env\n")
condition("triggering", "ConditionPathExists=|/none\nConditionPathExists=|!{m}/none\n")
condition("not_asked", "ConditionPathExists=/none\nConditionPathExists={m}/env\n", local=True, done="inactive",
          told=False)
condition("assertion", "AssertPathExists={m}/none\n", done="inactive")
condition("of_a_socket", "ConditionPathExists={m}/env\n", socket="ListenStream=7003\n")
condition("of_a_restart", "ConditionPathExists={m}/env\n", service="Restart=always\n" + SLEEP)


@world_case("time_limit", unit="ConditionPathExists={m}/env\n")
def time_limit(w):
    """The start ends after DefaultTimeoutStartSec=, as failed, and the next one finds the answer."""
    w.mount_it()
    w.d.file("usher.conf", "DefaultTimeoutStartSec = 1s\n", mode=0o644)
    w.start_usherd("--config", f"{w.d.folder}/usher.conf")
    w.fs.hang()
    failed = w.ctl("start", "v.service", check=False)
    assert failed.returncode != 0 and w.state() == "inactive", failed
    w.d.logged("v.service: .*has not answered for 1s, giving up")
    w.d.logged("Timed out starting v.service")
    w.others_go_on()
    w.fs.answer()
    w.ctl("start", "v.service")
    assert w.state() == "active"


@world_case("another_limit", unit="ConditionPathExists={m}/env\nJobRunningTimeoutSec=1\n")
def another_limit(w):
    w.mount_it()
    w.start_usherd()
    w.fs.hang()
    assert w.ctl("start", "v.service", check=False).returncode != 0
    assert not w.tells() and w.is_over()
    w.others_go_on()


@world_case("another_conf", unit="ConditionPathExists={m}/env\n")
def another_conf(w):
    """What a reload changes is not waited for any longer."""
    w.mount_it()
    w.start_usherd()
    w.fs.hang()
    w.ctl("start", "--no-block", "v.service")
    eventually(w.tells, "a status that tells what is waited for")
    w.d.unit("v.service", f"[Service]\n{SLEEP}")
    w.ctl("daemon-reload")
    eventually(lambda: w.state() == "active", "the start without conditions")


@world_case("connections", unit="ConditionPathExists={m}/env\n")
def connections(w):
    """Forty instances that wait for one file: sixteen processes at most do so."""
    w.mount_it()
    w.d.unit("many.socket", "[Socket]\nListenStream=127.0.0.1:7002\nAccept=yes\nMaxConnectionsPerSource=100\n")
    w.d.unit("many@.service", w.fill("[Unit]\nConditionPathExists={m}/env\n"
                                     "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n"))
    w.start_usherd()
    w.ctl("start", "many.socket")
    w.fs.hang()
    answers = []
    clients = [threading.Thread(target=lambda: answers.append(talk(("127.0.0.1", 7002), b"x", timeout=2 * PATIENCE)))
               for _ in range(40)]
    for client in clients:
        client.start()
    eventually(lambda: w.d.show("many.socket", "NConnections") == "40", "forty connections")
    w.others_go_on()
    assert 0 < w.fs.waiting() <= 16, w.fs.waiting()
    w.fs.answer()
    for client in clients:
        client.join()
    assert answers == [b"x"] * 40, answers
    w.others_go_on()


@world_case("stop_of_all", unit="ConditionPathExists={m}/env\n")
def stop_of_all(w):
    """usherd ends while it waits."""
    w.mount_it()
    w.start_usherd()
    w.fs.hang()
    w.ctl("start", "--no-block", "v.service")
    eventually(w.tells, "a status that tells what is waited for")
    w.d.stop()


main()
