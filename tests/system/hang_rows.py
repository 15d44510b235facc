"""Paths that a unit names on a file system that does not answer: every other service goes on, the unit
waits in its ordinary state, can be stopped, and goes on when there is an answer. What the tests *hang* share.

    Row("environment_file", service="EnvironmentFile={m}/env\\n" + SLEEP)
    main()
"""

import os
import subprocess

import daemon
from daemon import PATIENCE, Skip, eventually, own_folder, talk
from fuse_hang import Hanging, Unsupported

OTHER = ("127.0.0.1", 7001)
SLEEP = "ExecStart=/bin/sleep 1000\n"
SCRIPT = "#!/bin/sh\nexec /bin/sleep 1000\n"
TREE = {
    "env": "A=1\n", "dir": {"file": "text"}, "empty": {}, "bin": {"prog": SCRIPT},
    "link": ("link", "env"),
}


class Row:
    """One path of a unit. {m} in its texts is the mount, {f} the folder of the test (on a disk), {f}/to-m a
    symbolic link to the mount.

    service, unit: sections of v.service. socket: that of v.socket, which is the victim then.
    first: the unit is started, and stopped, while there are answers (what is cached then stays so for long).
    live: the unit runs when the answers end, and it is `act` that comes to the path: "stop", or a new text of
        v.socket and a daemon-reload.
    state: ActiveState while it waits (None: whatever). done: when there are answers again.
    local: nothing waits at all. told: status shows what is waited for."""

    def __init__(self, name, *, service="", unit="", socket="", first=False, live=False, act="stop",
                 state="activating", done="active", local=False, told=False, tree=None, keeps=False, at="hang",
                 folder=None, what=None):
        self.name, self.service, self.unit, self.socket = name, service, unit, socket
        self.first, self.live, self.act, self.state, self.done = first, live, act, state, done
        self.local, self.told = local, told
        self.tree, self.keeps, self.at, self.folder = tree or TREE, keeps, at, folder
        self.valid = 1000 if first else 0
        daemon.case(make_case(self, what or check))


class World:
    """usherd with the victim of a row and another service, and the file system."""

    def __init__(self, d, row):
        self.d, self.row = d, row
        if row.folder:
            own_folder(row.folder)
        self.mount = row.at if row.at.startswith("/") else f"{d.folder}/{row.at}"
        os.makedirs(self.mount)
        os.symlink(self.mount, f"{d.folder}/to-m")
        d.file("fork", f"#!/bin/sh\nsleep 1000 <&- >&- 2>&- &\necho $! >{d.folder}/pid\n")
        d.unit("other.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
        d.unit("other@.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n")
        d.unit("plain.service", f"[Unit]\nStartLimitIntervalSec=0\n[Service]\n{SLEEP}")
        d.unit("v.service", self.fill(f"[Unit]\nStartLimitIntervalSec=0\n{row.unit if not row.socket else ''}"
                                      f"[Service]\nTimeoutStopSec=1\n{row.service or SLEEP}"))
        self.victim = "v.socket" if row.socket else "v.service"
        if row.socket:
            self.write_socket(row.socket)
        self.fs = None

    def fill(self, text):
        return text.replace("{m}", self.mount).replace("{f}", self.d.folder)

    def write_socket(self, lines):
        self.d.unit("v.socket", self.fill(f"[Unit]\n{self.row.unit}[Socket]\nTimeoutSec=1000\n{lines}"))

    def fill_tree(self, tree):
        return {name: self.fill_tree(what) if isinstance(what, dict)
                else ("link", self.fill(what[1])) if isinstance(what, tuple) else what
                for name, what in tree.items()}

    def mount_it(self):
        self.fs = Hanging(self.mount, self.fill_tree(self.row.tree), self.row.valid, self.row.keeps)

    def start_usherd(self, *args):
        self.d.start("--units", self.d.units, "--target", "basic.target", *args)
        self.ctl("start", "other.socket", "plain.service")

    def ctl(self, *args, check=True):
        """usherctl, which must come back."""
        return self.d.ctl(*args, timeout=PATIENCE, check=check)

    def state(self):
        return self.d.show(self.victim, "ActiveState")

    def others_go_on(self):
        assert talk(OTHER, b"x") == b"x"
        self.ctl("restart", "plain.service")
        assert self.d.show("plain.service", "SubState") == "running"

    def has_job(self):
        return bool(self.d.show(self.victim, "Job").strip("0"))

    def is_over(self):
        return not self.has_job() and self.state() in ("inactive", "failed")

    def tells(self):
        return f"Waiting for {self.mount} (fuse.hang)" in self.ctl("status", self.victim, check=False).stdout


def start(w):
    """Up to the moment when the victim waits."""
    row = w.row
    w.start_usherd()
    if row.first or row.live:
        w.ctl("start", w.victim)
        eventually(lambda: w.state() == "active", "the first start")
    if row.first:
        w.ctl("stop", w.victim)
        w.ctl("show", w.victim)
    if not w.fs:
        w.mount_it()
    w.fs.hang()
    act(w)


def act(w):
    if not w.row.live:
        w.ctl("start", "--no-block", w.victim)
    elif w.row.act == "stop":
        w.ctl("stop", w.victim)
    else:
        w.write_socket(w.row.act)
        w.ctl("daemon-reload")


def waits(w):
    """The others go on meanwhile, and usherctl has its answers."""
    row = w.row
    if not row.local and row.state:
        eventually(lambda: w.fs.waiting() > 0, "somebody at the file system")
    w.others_go_on()
    if row.state and not row.live:
        eventually(lambda: w.state() == row.state, row.state)
    if row.told:
        eventually(w.tells, "a status that tells what is waited for")
    for verb in (("list-units",), ("status", w.victim), ("show", w.victim), ("list-jobs",), ("daemon-reload",)):
        w.ctl(*verb, check=verb[0] != "status")
    w.others_go_on()


def goes_on(w):
    w.fs.answer()
    if w.row.live:
        w.ctl("start", w.victim)
    eventually(lambda: w.state() == w.row.done and not w.has_job(), w.row.done)


def check(w):
    if not w.row.folder or w.row.name != "mount_in_runtime_directory":
        w.mount_it()
    start(w)
    waits(w)
    w.ctl("stop", w.victim)
    eventually(w.is_over, "the stop")
    w.others_go_on()
    if not w.row.live:
        w.ctl("start", "--no-block", w.victim)
        waits(w)
    goes_on(w)
    if w.row.done == "active":
        w.fs.hang()
        w.d.stop()


def make_case(row, what=check):
    def function(d):
        if os.geteuid() != 0:
            raise Skip("needs to be root: mounts")
        w = World(d, row)
        try:
            what(w)
        except Unsupported as why:
            raise Skip(str(why)) from None
        finally:
            if w.fs:
                w.fs.close()
            if row.folder:
                subprocess.run(["umount", "-R", "-l", row.folder], check=False)
    function.__name__ = row.name
    return function


def world_case(name, **options):
    """For a function of a World that is a case of its own."""
    def wrap(function):
        Row(name, what=function, **options)
        return function
    return wrap


def main():
    daemon.main()
