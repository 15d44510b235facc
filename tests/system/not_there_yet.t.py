#!/usr/bin/env python3
"""What a socket needs and is not there yet: it waits, says for what, and goes on by itself."""

import grp
import os
import re
import stat
import subprocess
import sys

from daemon import SERVER_OF_ALL, answer, case, eventually, main, need_root, run, talk

WAITING = r"Waiting for %s.* \((trying now|retry in \d+\w+), tried (once|\d+ times)\)"


def server(d):
    return f"[Service]\nExecStart={sys.executable} {d.file('server.py', SERVER_OF_ALL)}\n"


def begin(d, *args):
    d.start("--units", d.units, "--target", "basic.target", *args)


def waits(d, unit, what):
    text = d.show(unit, "StatusText")
    assert re.search(WAITING % what, text), text


class Accounts:
    """/etc/passwd and /etc/group of this namespace, to which lines can be added."""

    def __init__(self, d):
        need_root()
        self.files = {}
        for name in "passwd", "group", "nsswitch.conf":
            text = "".join(line for line in open(f"/etc/{name}", encoding="ascii")
                           if not line.startswith("late"))
            self.files[name] = d.file(name, "passwd: files\ngroup: files\n" if "nss" in name else text, 0o644)

    def __enter__(self):
        for name, path in self.files.items():
            run("mount", "--bind", path, f"/etc/{name}", check=True)
        return self

    def __exit__(self, *args):
        for name in self.files:
            run("umount", f"/etc/{name}", check=True)

    def add(self, name, line):
        with open(self.files[name], "a", encoding="ascii") as file:
            file.write(line + "\n")


def owner(path):
    node = os.lstat(path)
    return node.st_uid, node.st_gid, stat.S_IMODE(node.st_mode)


# Difference: not-there-yet
@case
def group_and_user_that_come_later(d):
    d.unit("a.service", server(d))
    d.unit("a.socket", f"[Socket]\nListenStream={d.folder}/s\nListenFIFO={d.folder}/fifo\nListenStream=127.0.0.1:7001\n"
           "SocketUser=lateuser\nSocketGroup=lategroup\nSocketMode=0660\n")
    with Accounts(d) as accounts:
        begin(d)
        d.ctl("start", "a.socket", check=True)  # as for an address
        assert talk(("127.0.0.1", 7001)) == b"x"  # the others work
        d.ctl("stop", "a.service", check=True)
        waits(d, "a.socket", "user lateuser")
        assert "lateuser" in d.ctl("list-sockets", "--wide").stdout
        assert not os.path.lexists(f"{d.folder}/s") and not os.path.lexists(f"{d.folder}/fifo")
        accounts.add("passwd", "lateuser:x:4241:4241::/:/bin/false")
        eventually(lambda: "group lategroup" in d.show("a.socket", "StatusText"))
        assert not os.path.lexists(f"{d.folder}/s")
        accounts.add("group", "lategroup:x:4242:")
        eventually(lambda: d.show("a.socket", "StatusText") == "")
        for name in "s", "fifo":
            assert owner(f"{d.folder}/{name}") == (4241, 4242, 0o660), name
        assert talk(f"{d.folder}/s") == b"x"
    for name in "user lateuser", "group lategroup":
        assert len(re.findall(f"a.socket: Waiting for {name}", d.log())) == 1, d.log()
    assert len(re.findall(f"Listening on {d.folder}/s at last", d.log())) == 1
    assert "No such process" not in d.log()


@case
def start_tries_at_once_and_stop_ends_it(d):
    d.unit("a.service", server(d))
    d.unit("a.socket", f"[Socket]\nListenStream={d.folder}/s\nSocketGroup=lategroup\n")
    with Accounts(d) as accounts:
        begin(d)
        d.ctl("start", "a.socket", check=True)
        for _ in range(8):  # so that the next try is far away
            d.ctl("start", "a.socket", check=True)
        eventually(lambda: "tried 9 times" in d.show("a.socket", "StatusText"))
        accounts.add("group", "lategroup:x:4242:")
        d.ctl("start", "a.socket", check=True)
        eventually(lambda: os.path.exists(f"{d.folder}/s"))
        eventually(lambda: owner(f"{d.folder}/s")[1] == 4242)  # given a moment after it was made
        d.unit("b.service", server(d))
        d.unit("b.socket", f"[Socket]\nListenStream={d.folder}/b\nSocketGroup=laterstill\n")
        d.ctl("start", "b.socket", check=True)
        waits(d, "b.socket", "group laterstill")
        d.ctl("stop", "b.socket", check=True)
        assert d.show("b.socket", "StatusText") == ""
        accounts.add("group", "laterstill:x:4243:")
        run("sleep", "2.5")
        assert d.show("b.socket", "ActiveState") == "inactive" and not os.path.exists(f"{d.folder}/b")


@case
def insisted_on(d):
    """X-BindRetry=no and --compat=systemd: it fails at once, and leaves no node."""
    with Accounts(d):
        for more, args in ("X-BindRetry=no\n", ()), ("", ("--compat=systemd",)):
            d.unit("a.service", server(d))
            d.unit("a.socket", f"[Socket]\nListenStream={d.folder}/s\nListenFIFO={d.folder}/f\nSocketGroup=lategroup\n{more}")
            d.unit("n.socket", f"[Socket]\nListenSpecial={d.folder}/none\n{more}")
            d.unit("n.service", server(d))
            begin(d, *args)
            assert d.ctl("start", "a.socket").returncode == 1
            assert d.show("a.socket", "Result") == "exit-code"
            d.logged("There is no group named lategroup")
            assert d.ctl("start", "n.socket").returncode == 1
            assert d.show("n.socket", "Result") == "resources"
            assert not [name for name in "sf" if os.path.lexists(f"{d.folder}/{name}")]
            assert "No such process" not in d.log()
            d.stop()


@case
def group_over_a_reload(d):
    d.unit("a.service", server(d))
    unit = f"[Socket]\nListenStream={d.folder}/s\n"
    with Accounts(d) as accounts:
        d.unit("a.socket", unit)
        begin(d)
        d.ctl("start", "a.socket", check=True)
        inode = os.stat(f"{d.folder}/s").st_ino
        # The one that is there is kept as it is until the group exists.
        d.unit("a.socket", f"{unit}SocketGroup=lategroup\nListenStream={d.folder}/t\n")
        d.ctl("daemon-reload", check=True)
        eventually(lambda: "group lategroup" in d.show("a.socket", "StatusText"))
        assert talk(f"{d.folder}/s") == b"x" and not os.path.exists(f"{d.folder}/t")
        d.ctl("stop", "a.service", check=True)
        accounts.add("group", "lategroup:x:4242:")
        eventually(lambda: os.path.exists(f"{d.folder}/t"))
        eventually(lambda: [owner(f"{d.folder}/{n}")[1] for n in "st"] == [4242, 4242])
        assert os.stat(f"{d.folder}/s").st_ino == inode
        # A reload that asks for what is there ends the wait.
        d.unit("a.socket", f"{unit}SocketGroup=laterstill\nListenStream={d.folder}/u\n")
        d.ctl("daemon-reload", check=True)
        eventually(lambda: "group laterstill" in d.show("a.socket", "StatusText"))
        d.unit("a.socket", f"{unit}SocketGroup={grp.getgrgid(1).gr_name}\nListenStream={d.folder}/u\n")
        d.ctl("daemon-reload", check=True)
        eventually(lambda: d.show("a.socket", "StatusText") == "")
        assert [owner(f"{d.folder}/{n}")[1] for n in "su"] == [1, 1]


@case
def special_file_and_folders_that_come_later(d):
    need_root()
    d.unit("a.service", server(d))
    os.mkdir(f"{d.folder}/ro")
    run("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", f"{d.folder}/ro", check=True)
    os.symlink("/proc/nowhere", f"{d.folder}/link")  # where no folder can be made
    waiting = {
        "special": (f"ListenSpecial={d.folder}/dev/mountinfo", f"file {d.folder}/dev/mountinfo"),
        "unix": (f"ListenStream={d.folder}/ro/sub/s", f"a writable file system at {d.folder}/ro/sub/s"),
        "fifo": (f"ListenFIFO={d.folder}/ro/fifo", f"a writable file system at {d.folder}/ro/fifo"),
        "parent": (f"ListenStream={d.folder}/link/s", f"the folder of {d.folder}/link/s"),
    }
    for name, (line, _) in waiting.items():
        d.unit(f"{name}.socket", f"[Socket]\n{line}\nListenStream=@{name}\nService=a.service\n")
    begin(d)
    for name, (_, what) in waiting.items():
        d.ctl("start", f"{name}.socket", check=True)
        waits(d, f"{name}.socket", re.escape(what))
    run("mount", "-o", "remount,rw", f"{d.folder}/ro", check=True)
    os.unlink(f"{d.folder}/link")
    os.symlink("/proc/self", f"{d.folder}/dev")
    for name in waiting:
        eventually(lambda: d.show(f"{name}.socket", "StatusText") == "", name)
    assert stat.S_ISSOCK(os.stat(f"{d.folder}/ro/sub/s").st_mode)
    assert stat.S_ISFIFO(os.stat(f"{d.folder}/ro/fifo").st_mode)
    assert stat.S_ISSOCK(os.stat(f"{d.folder}/link/s").st_mode)
    d.stop()
    run("umount", f"{d.folder}/ro", check=True)


@case
def real_errors(d):
    """What nobody but the administrator can mend, by a change of the unit or of what is in the way, fails at once."""
    d.unit("a.service", server(d))
    open(f"{d.folder}/file", "w", encoding="ascii").close()
    rows = [f"ListenStream={d.folder}/file", f"ListenStream={d.folder}/file/s", f"ListenSpecial={d.folder}",
            f"ListenFIFO={d.folder}/file"]
    begin(d)
    for i, line in enumerate(rows):
        d.unit(f"{i}.socket", f"[Socket]\n{line}\nService=a.service\n")
        assert d.ctl("start", f"{i}.socket").returncode == 1, line
        assert d.show(f"{i}.socket", "Result") == "resources", line


@case
def never_another_owner(d):
    """From its first moment in the folder, a node is of its owner, or open to the supervisor alone."""
    d.unit("a.service", server(d))
    for name, key in (("a", "ListenStream"), ("b", "ListenFIFO")):
        d.unit(f"{name}.socket", f"[Socket]\n{key}={d.folder}/sub/{name}\nSocketGroup=lategroup\nSocketMode=0666\n"
               "RemoveOnStop=yes\nService=a.service\n")
    os.mkdir(f"{d.folder}/sub")
    with Accounts(d) as accounts:
        accounts.add("group", "lategroup:x:4242:")
        begin(d)
        code = ("import os, sys\nwhile True:\n for path in sys.argv[1:]:\n  try:\n   s = os.lstat(path)\n"
                "  except OSError:\n   continue\n"
                "  if s.st_gid != 4242 and s.st_mode & 0o077:\n   sys.exit(f'{path} {s.st_mode:o} {s.st_gid}')\n")
        nodes = [f"{d.folder}/sub/a", f"{d.folder}/sub/b"]
        watcher = subprocess.Popen([sys.executable, "-c", code, *nodes], stderr=subprocess.PIPE)
        try:
            for _ in range(60):
                d.ctl("start", "a.socket", "b.socket", check=True)
                assert [owner(node)[1:] for node in nodes] == [(4242, 0o666)] * 2
                d.ctl("stop", "a.socket", "b.socket", check=True)
            assert watcher.poll() is None, watcher.stderr.read()
        finally:
            watcher.kill()
            watcher.wait()
            watcher.stderr.close()


@case
def many_wait_for_one_group(d):
    """(That one look-up serves all of them is test_owners.)"""
    d.unit("a.service", server(d))
    n = 300
    for i in range(n):
        d.unit(f"s{i}.socket", f"[Socket]\nListenStream={d.folder}/s{i}\nSocketGroup=lategroup\nService=a.service\n")
    with Accounts(d) as accounts:
        with open(accounts.files["nsswitch.conf"], "w", encoding="ascii") as file:
            file.write("passwd: files systemd\ngroup: files systemd\n")
        d.start("--units", d.units)
        eventually(lambda: d.show("s0.socket", "StatusText").startswith("Waiting for group lategroup"))
        accounts.add("group", "lategroup:x:4242:")
        eventually(lambda: all(os.path.exists(f"{d.folder}/s{i}") for i in range(n)), patience=70)
        eventually(lambda: {owner(f"{d.folder}/s{i}")[1] for i in range(n)} == {4242})


# ---- units

@case
def required_unit_that_comes_later(d):
    d.unit("a.service", server(d))
    d.unit("a.socket", f"[Unit]\nRequires=late.service\nAfter=late.service\n[Socket]\nListenStream={d.folder}/s\n")
    begin(d)
    assert d.ctl("start", "a.socket").returncode == 5  # as systemctl
    waits(d, "a.socket", "unit late.service")
    assert d.show("a.socket", "ActiveState") == "inactive"
    assert "late.service" in d.ctl("list-sockets", "--wide", "--all").stdout
    d.unit("late.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n")
    eventually(lambda: d.show("a.socket", "ActiveState") == "active")
    assert d.show("a.socket", "StatusText") == "" and d.show("late.service", "ActiveState") == "active"
    assert len(re.findall("a.socket: Waiting for unit late.service", d.log())) == 1


@case
def its_service_that_comes_later(d):
    d.unit("a.socket", f"[Socket]\nListenStream={d.folder}/s\n")
    d.unit("b.socket", f"[Socket]\nListenStream={d.folder}/b\n")
    d.start("--units", d.units)
    eventually(lambda: re.search(WAITING % "unit a.service", d.show("a.socket", "StatusText")))
    eventually(lambda: re.search(WAITING % "unit b.service", d.show("b.socket", "StatusText")))
    d.ctl("stop", "b.socket", check=True)
    assert d.show("b.socket", "StatusText") == ""
    for name in "ab":
        d.unit(f"{name}.service", server(d))
    eventually(lambda: answer(f"{d.folder}/s", b"") == b"x")
    assert d.show("b.socket", "ActiveState") == "inactive"


@case
def units_that_are_insisted_on(d):
    d.unit("a.socket", f"[Unit]\nRequires=late.service\n[Socket]\nListenStream={d.folder}/s\nX-BindRetry=no\n")
    d.unit("a.service", server(d))
    d.unit("m.socket", f"[Unit]\nRequires=masked.service\n[Socket]\nListenStream={d.folder}/m\nService=a.service\n")
    os.symlink("/dev/null", f"{d.units}/masked.service")
    begin(d)
    assert d.ctl("start", "a.socket").returncode == 5
    assert d.ctl("start", "m.socket").returncode != 0
    for name in "am":
        assert d.show(f"{name}.socket", "StatusText") == ""


@case
def template_that_comes_later(d):
    d.unit("a.socket", f"[Socket]\nListenStream={d.folder}/s\nAccept=yes\n")
    begin(d)
    d.ctl("start", "a.socket", check=True)
    waits(d, "a.socket", "unit a@.service")
    d.unit("a@.service", "[Service]\nStandardInput=socket\n")
    eventually(lambda: re.search("a@.service.*Nothing to run", d.log()))
    waits(d, "a.socket", "unit a@.service")
    d.unit("a@.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n")
    eventually(lambda: d.show("a.socket", "StatusText") == "")
    assert talk(f"{d.folder}/s", b"there") == b"there"


if __name__ == "__main__":
    main()
