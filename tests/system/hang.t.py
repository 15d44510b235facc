#!/usr/bin/env python3
"""Paths that a unit names on a file system that does not answer: every other service goes on, the unit
waits in its ordinary state, can be stopped, and goes on when there is an answer."""

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
ROWS = []


class Row:
    """One path of a unit. {m} in its texts is the mount, {f} the folder of the test (on a disk), {f}/to-m a
    symbolic link to the mount.

    first: the unit is started, and stopped, while there are answers (what is cached then stays so for long).
    live: the unit runs when the answers end, and it is its stop that comes to the path.
    state: ActiveState while it waits (None: whatever). done: when there are answers again.
    local: nothing waits at all."""

    def __init__(self, name, *, service, first=False, live=False, state="activating", done="active",
                 local=False, tree=None, keeps=False, at="hang", folder=None):
        self.name, self.service, self.first, self.live = name, service, first, live
        self.state, self.done, self.local = state, done, local
        self.tree, self.keeps, self.at, self.folder = tree or TREE, keeps, at, folder
        self.valid = 1000 if first else 0
        ROWS.append(self)


# ---- EnvironmentFile=, programs
Row("environment_file", service="EnvironmentFile={m}/env\n" + SLEEP)
Row("environment_file_optional", service="EnvironmentFile=-{m}/none\n" + SLEEP)
Row("environment_file_glob", service="EnvironmentFile={m}/d*/f*\n" + SLEEP)
Row("environment_file_by_link", service="EnvironmentFile={f}/to-m/env\n" + SLEEP)
Row("environment_file_cached", service="EnvironmentFile={m}/env\n" + SLEEP, first=True)
Row("environment_file_cached_by_link", service="EnvironmentFile={f}/to-m/env\n" + SLEEP, first=True)
Row("search_path", service="ExecSearchPath={m}/bin\nExecStart=prog\n")
Row("search_path_cached", service="ExecSearchPath={m}/bin\nExecStart=prog\n", first=True, state=None)
Row("search_path_of_start_post", service=SLEEP + "ExecSearchPath={m}/bin:/bin\nExecStartPost=true\n")
Row("program", service="Type=exec\nExecStart={m}/bin/prog\n")
Row("program_of_start_pre", service="ExecStartPre={m}/bin/none\n" + SLEEP, done="failed")
Row("program_of_condition", service="ExecCondition={m}/bin/none\n" + SLEEP, done="inactive")
# ---- what the process itself opens
Row("working_directory", service="Type=exec\nWorkingDirectory={m}/dir\n" + SLEEP)
Row("working_directory_waited", service="Type=exec\nWorkingDirectory={m}/dir\nOOMScoreAdjust=100\n" + SLEEP)
Row("working_directory_of_user", service="Type=exec\nUser=nobody\nWorkingDirectory={m}/dir\n" + SLEEP)
Row("standard_input", service="Type=exec\nStandardInput=file:{m}/env\n" + SLEEP)
Row("standard_output", service="Type=exec\nStandardOutput=append:{m}/out\n" + SLEEP)
Row("standard_error", service="Type=exec\nStandardError=truncate:{m}/out\n" + SLEEP)
Row("terminal", service="Type=exec\nStandardInput=tty\nTTYPath={m}/env\n" + SLEEP, done="failed")
# ---- folders made for it
for kind, root in (("Runtime", "/run"), ("State", "/var/lib"), ("Cache", "/var/cache"), ("Logs", "/var/log")):
    Row(f"{kind.lower()}_directory", service=f"Type=exec\n{kind}Directory=hang/v:to-v\n" + SLEEP, folder=root,
        at=root + "/hang")
Row("runtime_directory_removed", service="RuntimeDirectory=hang/v\n" + SLEEP, folder="/run", at="/run/hang",
    live=True)
Row("mount_in_runtime_directory", service="RuntimeDirectory=v\nExecStartPre=+mkdir -p /run/v/a\n" + SLEEP,
    folder="/run", at="/run/v/a", live=True, local=True)
# ---- PID files; the file itself is the script's to write, and lies on the disk
FORKING = "Type=forking\nPIDFile={m}/pid\nExecStart={f}/fork\n"
Row("pid_file", service=FORKING, tree={"pid": ("link", "{f}/pid")}, keeps=True)
Row("pid_file_removed", service=FORKING, tree={"pid": ("link", "{f}/pid")}, keeps=True, live=True)
# ---- OpenFile=
Row("open_file", service="OpenFile={m}/env:data:read-only\n" + SLEEP)
Row("open_file_optional", service="OpenFile={m}/none:data:read-only,graceful\n" + SLEEP)
Row("open_file_cached", service="OpenFile={m}/env:data:read-only\n" + SLEEP, first=True)


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
        d.unit("v.service", "[Unit]\nStartLimitIntervalSec=0\n"
               + self.fill(f"[Service]\nTimeoutStopSec=1\n{row.service}"))
        self.fs = None

    def fill(self, text):
        return text.replace("{m}", self.mount).replace("{f}", self.d.folder)

    def fill_tree(self, tree):
        return {name: self.fill_tree(what) if isinstance(what, dict)
                else ("link", self.fill(what[1])) if isinstance(what, tuple) else what
                for name, what in tree.items()}

    def mount_it(self):
        self.fs = Hanging(self.mount, self.fill_tree(self.row.tree), self.row.valid, self.row.keeps)

    def ctl(self, *args, check=True):
        """usherctl, which must come back."""
        return self.d.ctl(*args, timeout=PATIENCE, check=check)

    def state(self):
        return self.d.show("v.service", "ActiveState")

    def others_go_on(self):
        assert talk(OTHER, b"x") == b"x"
        self.ctl("restart", "plain.service")
        assert self.d.show("plain.service", "SubState") == "running"

    def is_over(self):
        return not self.d.show("v.service", "Job").strip("0") and self.state() in ("inactive", "failed")


def start(w):
    """Up to the moment when the victim waits."""
    d, row = w.d, w.row
    d.start("--units", d.units, "--target", "basic.target")
    w.ctl("start", "other.socket", "plain.service")
    if row.first or row.live:
        w.ctl("start", "v.service")
        eventually(lambda: w.state() == "active", "the first start")
    if row.first:
        w.ctl("stop", "v.service")
        w.ctl("show", "v.service")
    if not w.fs:
        w.mount_it()
    w.fs.hang()
    act(w)


def act(w):
    if w.row.live:
        w.ctl("stop", "v.service")
    else:
        w.ctl("start", "--no-block", "v.service")


def waits(w):
    """The others go on meanwhile, and usherctl has its answers."""
    row = w.row
    if not row.local and row.state:
        eventually(lambda: w.fs.waiting() > 0, "somebody at the file system")
    w.others_go_on()
    if row.state and not row.live:
        eventually(lambda: w.state() == row.state, row.state)
    for verb in (("list-units",), ("status", "v.service"), ("show", "v.service"), ("list-jobs",), ("daemon-reload",)):
        w.ctl(*verb, check=verb[0] != "status")
    w.others_go_on()


def goes_on(w):
    w.fs.answer()
    if w.row.live:
        w.ctl("start", "v.service")
    eventually(lambda: w.state() == w.row.done and not w.d.show("v.service", "Job").strip("0"), w.row.done)


def check(w):
    if not w.row.folder or w.row.name != "mount_in_runtime_directory":
        w.mount_it()
    start(w)
    waits(w)
    w.ctl("stop", "v.service")
    eventually(w.is_over, "the stop")
    w.others_go_on()
    if not w.row.live:
        w.ctl("start", "--no-block", "v.service")
        waits(w)
    goes_on(w)
    if w.row.done == "active":
        w.fs.hang()
        w.d.stop()


def make_case(row):
    def function(d):
        if os.geteuid() != 0:
            raise Skip("needs to be root: mounts")
        w = World(d, row)
        try:
            check(w)
        except Unsupported as why:
            raise Skip(str(why)) from None
        finally:
            if w.fs:
                w.fs.close()
            if row.folder:
                subprocess.run(["umount", "-R", "-l", row.folder], check=False)
    function.__name__ = row.name
    return daemon.case(function)


for one in ROWS:
    make_case(one)

daemon.main()
