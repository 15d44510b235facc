#!/usr/bin/env python3
"""A reload never stops what works: units whose files have become invalid keep their configuration."""

import os

from daemon import answer, case, eventually, main

CAT = "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n"


def pair(d, more="", port=7001):
    d.unit("echo.socket", f"[Socket]\nListenStream=127.0.0.1:{port}\nAccept=yes\n{more}")
    d.unit("echo@.service", CAT)


def is_served(port=7001):
    return answer(("127.0.0.1", port)) == b"x"


def reload(d, code, *expected):
    result = d.ctl("daemon-reload")
    assert result.returncode == code, result
    for text in expected:
        assert text in result.stderr, result.stderr
    return result.stderr


def is_kept(d, unit):
    return "It keeps its settings" in d.ctl("status", "--lines=0", unit).stdout


# Each makes a working pair wrong; what the terminal must show.
BREAKS = (
    ("the only address", "echo.socket", "[Socket]\nListenStream=127.0.0.1:99999\nAccept=yes\n", "echo.socket:2"),
    ("one of two addresses", "echo.socket", "[Socket]\nListenStream=127.0.0.1:7OO1\nListenStream=127.0.0.1:7009\n"
     "Accept=yes\n", "echo.socket:2"),
    ("no address", "echo.socket", "[Socket]\nAccept=yes\n", "Nothing to listen on"),
    ("a section", "echo.socket", "[Socket\nListenStream=127.0.0.1:7001\nAccept=yes\n", "echo.socket:1"),
    ("a drop-in", "echo.socket.d/a.conf", "[Socket]\nListenStream=\nListenStream=wrong address\n", "a.conf:3"),
    ("the template", "echo@.service", "[Service]\nStandardInput=socket\n", "Nothing to run"),
    ("a drop-in of the template", "echo@.service.d/a.conf", "[Service]\nExecStart=\n", "Nothing to run"),
)


# Difference: reload-keeps-bad-unit
@case
def what_works_goes_on(d):
    for is_used in (False, True):
        for what, name, text, complaint in BREAKS:
            pair(d)
            d.start()
            if is_used:
                assert is_served(), what
            path = d.unit(name, text)
            reload(d, 1, "It keeps its settings", complaint)
            assert is_served(), what
            assert is_kept(d, "echo.socket"), d.ctl("status", "echo.socket").stdout
            assert "It keeps its settings" in d.systemctl("status", "echo.socket").stdout, what
            d.logged(r"echo\.socket: It keeps its settings")
            if name.startswith("echo.socket"):
                assert d.show("echo.socket", "NeedDaemonReload") == "yes", what
            # An old fault is no news, and nothing is lost by it.
            assert "It keeps" not in reload(d, 0), what
            assert is_served() and is_kept(d, "echo.socket"), what
            assert d.ctl("restart", "echo.socket").returncode == 0
            assert is_served(), f"{what}: it is lost by a restart"
            assert d.systemctl("daemon-reload").returncode == 0
            os.unlink(path)
            pair(d, port=7002)
            reload(d, 0)
            assert is_served(7002) and not is_served() and not is_kept(d, "echo.socket"), what
            d.stop()


@case
def stock_systemctl_gets_success(d):
    pair(d)
    d.start()
    d.unit("echo.socket", "[Socket]\n")
    assert d.systemctl("daemon-reload").returncode == 0
    assert is_served()


@case
def service_of_a_socket(d):
    d.unit("one.socket", f"[Socket]\nListenStream={d.folder}/one\n")
    d.unit("one.service", "[Service]\nExecStart=/bin/sleep 600\n")
    d.start()
    d.unit("one.service", "[Service]\nExecStart=relative/path\n")
    reload(d, 1, "one.service", "It keeps its settings")
    assert d.ctl("start", "one.service").returncode == 0
    assert d.show("one.service", "ActiveState") == "active"


@case
def warnings_are_no_failure(d):
    pair(d)
    d.start()
    pair(d, more="Backlog=many\nNonsense=1\n")
    reload(d, 0, "Nonsense", "Backlog")
    assert is_served() and not is_kept(d, "echo.socket")
    # What a file says on purpose is done.
    d.unit("echo.socket", "[Socket]\nListenStream=127.0.0.1:7002\nAccept=yes\n")
    reload(d, 0)
    assert is_served(7002) and not is_served()


@case
def as_systemd_it_is_refused(d):
    pair(d)
    d.start("--compat=systemd", "--units", d.units)
    d.unit("echo.socket", "[Socket]\nAccept=yes\n")
    reload(d, 1, "Nothing to listen on")
    assert d.show("echo.socket", "LoadState") == "bad-setting"


@case
def block_and_settings(d):
    """The same of usher.conf: of a block, and of the file as a whole."""
    conf = "socket \"echo\" {{\n ListenStream = \"127.0.0.1:{}\"\n Accept = yes\n}}\n" \
           "service \"echo@\" {{\n ExecStart = '/bin/cat'\n StandardInput = socket\n}}\n"
    path = d.file("usher.conf", conf.format(7001), 0o644)
    d.start("--units", d.units, "--config", path)
    assert is_served()
    d.file("usher.conf", conf.format(70000), 0o644)
    reload(d, 1, "It keeps its settings")
    assert is_served() and is_kept(d, "echo.socket")
    d.file("usher.conf", "socket broken {\n", 0o644)
    reload(d, 1, "usher.conf:")
    assert is_served()
    d.file("usher.conf", conf.format(7002), 0o644)
    reload(d, 0)
    assert is_served(7002)


@case
def new_files_are_named(d):
    pair(d)
    d.start()
    d.unit("new.socket", "[Socket]\nListenStream=127.0.0.1:7003\n")
    d.unit("new.service", "[Service]\nExecStart=/bin/sleep 600\n")
    d.unit("alone.service", "[Service]\nExecStart=/bin/sleep 600\n")
    d.unit("template@.service", CAT)
    os.symlink("/dev/null", os.path.join(d.units, "masked.service"))
    told = reload(d, 0, "new.socket: is new: usherctl start new.socket",
                  "alone.service: is new: usherctl start alone.service")
    assert told.count("is new") == 2, told
    d.logged(r"new\.socket: is new: usherctl start new\.socket")
    assert "is new" not in reload(d, 0)
    assert d.ctl("start", "new.socket").returncode == 0
    eventually(lambda: d.show("new.socket", "ActiveState") == "active", "the new socket")


main()
