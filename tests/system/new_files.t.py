#!/usr/bin/env python3
"""A unit file that was added after the last reload is found: by start, show, Wants=, enable, a socket and its template."""

import os

from daemon import answer, case, eventually, main

SLEEP = "[Service]\nExecStart=/bin/sleep 600\n"
CAT = "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n"


def is_active(d, unit):
    return d.show(unit, "ActiveState") == "active"


@case
def verbs(d):
    d.unit("wants.target", "[Unit]\nWants=wanted.service\n")
    d.unit("needs.service", "[Unit]\nRequires=required.service\nAfter=required.service\n" + SLEEP)
    d.start()
    d.unit("started.service", SLEEP)
    assert d.ctl("start", "started.service").returncode == 0
    assert is_active(d, "started.service")
    # Asked for in vain before: it is in memory as one that was not found.
    for unit in ("again.service", "required.service", "wanted.service"):
        assert d.show(unit, "LoadState") == "not-found", unit
    assert d.ctl("start", "again.service").returncode == 5
    assert d.ctl("start", "needs.service").returncode != 0
    for unit in ("again.service", "required.service", "wanted.service"):
        d.unit(unit, "[Unit]\nDescription=It is there\n" + SLEEP)
    assert d.show("again.service", "Description") == "It is there"
    assert d.ctl("restart", "again.service").returncode == 0
    assert d.ctl("start", "needs.service", "wants.target").returncode == 0
    for unit in ("again.service", "needs.service", "required.service"):
        assert is_active(d, unit), unit
    eventually(lambda: is_active(d, "wanted.service"), "what the target wants")
    # With drop-ins that are new, too.
    d.unit("dropped.service", SLEEP)
    d.unit("dropped.service.d/a.conf", "[Unit]\nDescription=With a drop-in\n")
    assert d.show("dropped.service", "Description") == "With a drop-in"


@case
def name_becomes_an_alias(d):
    """A link to an existing unit, under a name that was asked for in vain."""
    path = d.unit("real.service", SLEEP)
    d.start()
    assert d.ctl("start", "real.service").returncode == 0
    for name in ("shown.service", "started.service"):
        assert d.show(name, "LoadState") == "not-found", name
        assert d.ctl("start", name).returncode == 5, name
        os.symlink(path, os.path.join(d.units, name))
        assert d.show(name, "Id") == "real.service", name
        assert is_active(d, name) and d.ctl("restart", name).returncode == 0, name


@case
def enabled_at_once(d):
    d.start()
    d.unit("new.socket", f"[Socket]\nListenStream={d.folder}/new\n[Install]\nWantedBy=sockets.target\n")
    d.unit("new.service", SLEEP)
    assert d.ctl("enable", "--now", "new.socket").returncode == 0
    assert is_active(d, "new.socket")


@case
def of_a_socket(d):
    """Its service, and the template of its connections."""
    d.unit("one.socket", f"[Socket]\nListenStream={d.folder}/one\n")
    d.unit("echo.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    d.start()
    assert not is_active(d, "one.socket") and is_active(d, "echo.socket")
    d.unit("one.service", SLEEP)
    d.unit("echo@.service", CAT)
    assert d.ctl("start", "one.socket").returncode == 0
    assert answer(("127.0.0.1", 7001)) == b"x"


@case
def loaded_units_stay(d):
    path = d.unit("old.service", SLEEP)
    d.start()
    assert d.ctl("start", "old.service").returncode == 0
    d.unit("old.service", "[Unit]\nDescription=Changed\n" + SLEEP)
    later = os.stat(path).st_mtime + 5
    os.utime(path, (later, later))
    d.unit("new.service", SLEEP)
    assert d.ctl("start", "new.service").returncode == 0
    assert d.show("old.service", "Description") == "old.service"
    assert d.show("old.service", "NeedDaemonReload") == "yes"
    # A reload still names what nobody has started.
    d.unit("other.service", SLEEP)
    assert d.ctl("start", "new.service", "nobody.service").returncode == 5
    result = d.ctl("daemon-reload")
    assert "other.service: is new" in result.stderr and "new.service: is new" not in result.stderr, result
    assert d.show("old.service", "Description") == "Changed"


@case
def file_of_an_enabled_unit_is_gone(d):
    """disable removes the link all the same; what is nowhere is an error."""
    path = d.unit("gone.service", "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n")
    link = os.path.join(d.units, "multi-user.target.wants/gone.service")
    d.start()
    assert d.ctl("enable", "gone.service").returncode == 0 and os.path.islink(link)
    os.unlink(path)
    assert d.ctl("disable", "gone.service").returncode == 0
    assert not os.path.lexists(link)
    assert d.ctl("disable", "gone.service").returncode == 1


main()
