#!/usr/bin/env python3
"""How usherd ends when a unit requests it, whichever units run at that moment."""

from daemon import PATIENCE, case, connect, eventually, main


def begin(d, action, *units):
    """A connection that a unit of its own serves, a service that stays, and one that ends usherd."""
    d.unit("c.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    d.unit("c@.service", "[Unit]\nWants=helper.service\n[Service]\nExecStart=/bin/cat\nStandardInput=socket\n")
    d.unit("helper.service", "[Service]\nExecStart=/bin/sleep 1000\n")
    d.unit("bad.service", f"[Unit]\n{action}\n[Service]\nType=oneshot\nExecStart=/bin/sh -c 'exit 7'\n")
    d.unit("late.service", "[Unit]\nRequires=bad.service\nAfter=bad.service\n[Service]\nExecStart=/bin/true\n")
    d.start()
    peer = connect(("127.0.0.1", 7001))
    peer.sendall(b"x")
    assert peer.recv(1) == b"x"
    d.ctl("start", "--no-block", "late.service")
    code = d.process.wait(PATIENCE)
    d.process = None
    return code


@case
def at_once(d):
    assert begin(d, "FailureAction=exit-force\nFailureActionExitStatus=7") == 7
    assert "It failed: exiting at once." in d.log()


@case
def watchdogs_can_be_turned_off(d):
    """`service-watchdogs no`: a service that misses its watchdog, and the actions of a failed one, have no effect."""
    d.unit("quiet.service", "[Service]\nNotifyAccess=all\nWatchdogSec=200ms\nExecStart=/bin/sleep 600\n")
    d.unit("bad.service", "[Unit]\nFailureAction=exit-force\n[Service]\nExecStart=/bin/false\n")
    d.start()
    assert d.ctl("service-watchdogs").stdout == "yes\n"
    d.ctl("service-watchdogs", "no", check=True)
    assert d.ctl("service-watchdogs").stdout == "no\n"
    d.ctl("start", "quiet.service", "bad.service", check=True)
    d.logged("quiet.service: This is ignored: service-watchdogs is off")
    d.logged("bad.service: It failed, and its action is left out: service-watchdogs is off")
    assert d.show("quiet.service", "ActiveState") == "active"
    d.ctl("daemon-reload", check=True)
    assert d.ctl("service-watchdogs").stdout == "no\n", "a reload changes nothing about it"
    d.ctl("service-watchdogs", "yes", check=True)
    d.ctl("restart", "quiet.service", check=True)
    eventually(lambda: d.show("quiet.service", "Result") == "watchdog", "the watchdog counts again")


@case
def in_order(d):
    assert begin(d, "FailureAction=exit\nFailureActionExitStatus=9\nOnFailure=helper.service") == 9
    lines = d.log().splitlines()
    order = [next(i for i, line in enumerate(lines) if text in line) for text in
             ("bad.service: Failed with result", "bad.service: Failed to start",
              "late.service: Dependency failed", "bad.service: It failed: exiting.",
              "helper.service: Stopped helper.service", "Reached target shutdown.target")]
    assert order == sorted(order), "\n".join(lines)


# With no status of its own, the action ends usherd with that of the main process.
STATUSES = [
    ("FailureAction=exit", "exit 42", 42),
    ("FailureAction=exit-force", "exit 43", 43),
    ("SuccessAction=exit", "exit 0", 0),
    ("SuccessAction=exit\nSuccessActionExitStatus=5", "exit 0", 5),
    ("FailureAction=exit\nFailureActionExitStatus=6", "exit 42", 6),
    ("FailureAction=exit", "kill -9 $$", 1),  # there is none
    ("SuccessAction=exit", "exit 44", None),  # it has failed: usherd stays
]


@case
def status_of_the_service(d):
    for action, script, expected in STATUSES:
        d.unit("a.service", f"[Unit]\n{action}\n[Service]\nExecStart=/bin/sh -c '{script.replace('$$', '$$$$')}'\n")
        d.start()
        d.ctl("start", "--no-block", "a.service", check=True)
        if expected is None:
            d.logged("a.service: Failed with result")
            d.stop()
            continue
        code = d.process.wait(PATIENCE)
        d.process = None
        assert code == expected, (action, script, code)


@case
def start_limit(d):
    d.unit("often.service", "[Unit]\nStartLimitBurst=1\nStartLimitAction=exit\n[Service]\nExecStart=/bin/true\n")
    # Else its counter would go with it.
    d.unit("keeper.service", "[Unit]\nAfter=often.service\n[Service]\nExecStart=/bin/sleep 1000\n")
    d.start()
    d.ctl("start", "keeper.service", "often.service", check=True)
    d.logged("often.service: Deactivated successfully")
    d.ctl("start", "--no-block", "often.service")
    code = d.process.wait(PATIENCE)
    d.process = None
    assert code == 1, code


main()
