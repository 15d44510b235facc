#!/usr/bin/env python3
"""Paths of which a service's user can change components: nothing that root does there affects files of other
users. Each attack is made in a way that always succeeds, if there is one, and as a race, in which a process of the
user exchanges names repeatedly while usherd works."""

import os
import signal
import socket
import stat
import subprocess
import time

from daemon import BUILD, WRAPPER, case, eventually, main, need_root, own_folder, run

USER, UID = "nobody", 65534
OTHER, OTHER_UID = "daemon", 1
SWAP = os.path.join(BUILD, "tests", "helpers", "swap")
STARTS = 3 if WRAPPER else 10  # of a race
LIB = "/var/lib"


def look(path):
    """What must not change of a file: all that lstat() tells but times, and what is in it."""
    st = os.lstat(path)
    kind = stat.S_IFMT(st.st_mode)
    if kind == stat.S_IFREG:
        with open(path, "rb") as file:
            content = file.read()
    else:
        content = os.readlink(path) if kind == stat.S_IFLNK else None
    return oct(st.st_mode), st.st_uid, st.st_gid, st.st_ino, content


def snapshot(top):
    found = {top: look(top)}
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            found[path] = look(path)
    return found


class Outside:
    """Things of root's beside a service's folder. They have to be the same afterwards."""

    def __init__(self, parent=LIB):
        self.path = os.path.join(parent, "outside")
        os.makedirs(f"{self.path}/sub/b/c", mode=0o755)
        for name in ("f", "sub/f", "sub/b/f", "sock", "sub/sock.pid"):
            self.file(name, f"of root: {name}\n", 0o600)
        os.symlink("sub", f"{self.path}/link")
        self.before = snapshot(self.path)

    def file(self, name, text, mode=0o600):
        with open(f"{self.path}/{name}", "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(f"{self.path}/{name}", mode)

    def check(self):
        after = snapshot(self.path)
        assert after == self.before, sorted(set(after.items()) ^ set(self.before.items()), key=str)


class Swapper:
    """with Swapper(uid, a, b, ...): the names of each pair change places all the time."""

    def __init__(self, uid, *names):
        self.command = [SWAP, str(uid), *names]
        self.process = None
        self.n = 0

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *exc):
        self.process.send_signal(signal.SIGTERM)
        self.n = int(self.process.communicate()[0])


def own(path, uid=UID):
    os.lchown(path, uid, uid)


def folder(path, uid=UID, mode=0o755):
    os.makedirs(path, mode)
    own(path, uid)
    return path


def link(target, path, uid=UID):
    os.symlink(target, path)
    own(path, uid)


def service(more, command="/bin/true", n=1, user=USER, prefix=""):
    """A oneshot service that makes its folders again before each of n commands."""
    return (f"[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\n{f'User={user}' if user else ''}\n{more}\n" +
            f"ExecStart={prefix}{command}\n" * n)


def start(d, unit):
    return d.ctl("start", unit).returncode


# ---- folders

def try_folders(d, kind, base):
    need_root()
    own_folder(base)
    outside = Outside(base)
    d.unit("s.service", service(f"{kind}=a a/b a/b/c", "/bin/sh -c ':'"))
    d.start()
    assert start(d, "s.service") == 0 or kind == "RuntimeDirectory"
    for swapped, target in (("a/b", "../outside"), ("a/b", "../outside/sub"), ("a/b", f"{base}/outside"),
                            ("a/b", "../outside/link"), ("a/b/c", "../../outside"), ("a/b", ".."),
                            ("a/b", "../../lib/outside")):
        run("rm", "-rf", f"{base}/a")
        folder(f"{base}/a/b/c")
        for name in ("a", "a/b", "a/b/c"):
            own(f"{base}/{name}")
        run("rm", "-rf", f"{base}/{swapped}")
        link(target, f"{base}/{swapped}")
        assert start(d, "s.service") != 0, (swapped, target)
        outside.check()
    if kind != "RuntimeDirectory":  # which is no link at all
        d.logged(r"Failed at step .*a link of user 65534 leads to")
    # A race: the folder is there, and is a link, and is there...
    run("rm", "-rf", f"{base}/a")
    folder(f"{base}/a/b/c")
    own(f"{base}/a")
    own(f"{base}/a/b")
    link("../outside/sub", f"{base}/a/l")
    d.unit("s.service", service(f"{kind}=a a/b a/b/c\n{kind}Preserve=yes" if kind == "RuntimeDirectory" else
                                f"{kind}=a a/b a/b/c", n=40, prefix="-"))
    d.ctl("daemon-reload", check=True)
    with Swapper(UID, f"{base}/a/b", f"{base}/a/l") as swapper:
        for _ in range(STARTS):
            start(d, "s.service")
    assert swapper.n > 0
    outside.check()


@case
def state_directory(d):
    """`StateDirectory=a a/b`, of which the user that owns a swaps b."""
    try_folders(d, "StateDirectory", LIB)


@case
def runtime_directory(d):
    """The same; besides, it is removed at the end."""
    try_folders(d, "RuntimeDirectory", "/run")


@case
def logs_directory(d):
    try_folders(d, "LogsDirectory", "/var/log")


@case
def a_tree_changes_hands(d):
    """While root gives a tree to another user, the old owner swaps what is in it for links."""
    need_root()
    own_folder(LIB)
    outside = Outside()
    for name, user in (("s", USER), ("t", OTHER)):
        d.unit(f"{name}.service", service("StateDirectory=a", user=user))
    d.start()
    assert start(d, "s.service") == 0
    pairs = []
    for i in range(20):
        folder(f"{LIB}/a/{i}/deep/er")
        with open(f"{LIB}/a/{i}/deep/er/file", "w", encoding="ascii"):
            pass
        for name in (f"{i}", f"{i}/deep", f"{i}/deep/er", f"{i}/deep/er/file"):
            own(f"{LIB}/a/{name}")
        link("../outside/sub", f"{LIB}/a/l{i}")
        link("../../outside", f"{LIB}/a/{i}/l")
        pairs += [f"{LIB}/a/{i}", f"{LIB}/a/l{i}", f"{LIB}/a/{i}/deep", f"{LIB}/a/{i}/l"]
    with Swapper(UID, *pairs), Swapper(OTHER_UID, *pairs):
        for _ in range(STARTS):
            start(d, "t.service")
            start(d, "s.service")
    outside.check()
    # Without anybody in between it arrives whole, links too.
    assert start(d, "t.service") == 0
    assert {owner[1] for owner in snapshot(f"{LIB}/a").values()} == {OTHER_UID}
    outside.check()


@case
def what_is_not_given_away(d):
    """A file with a name elsewhere; a device; and a set-user-ID bit does not survive."""
    need_root()
    own_folder(LIB)
    outside = Outside()
    d.unit("s.service", service("StateDirectory=a"))
    d.unit("t.service", service("StateDirectory=a", user=OTHER))
    d.start()
    assert start(d, "s.service") == 0
    program = f"{LIB}/a/program"
    with open(program, "w", encoding="ascii"):
        pass
    own(program)
    os.chmod(program, 0o4755)
    os.mknod(f"{LIB}/a/null", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    os.mkfifo(f"{LIB}/a/fifo")
    assert start(d, "t.service") == 0
    assert look(program)[:2] == ("0o100755", OTHER_UID)
    assert look(f"{LIB}/a/null")[1] == 0
    assert look(f"{LIB}/a/fifo")[1] == OTHER_UID
    # Their owner's own further names are fine; root's file, which somebody linked in, is not.
    os.link(program, f"{LIB}/a/program2")
    assert start(d, "s.service") == 0
    assert look(program)[1] == UID
    os.link(f"{outside.path}/f", f"{LIB}/a/f")
    assert start(d, "t.service") != 0
    d.logged(r"the file f in it has several names")
    os.unlink(f"{LIB}/a/f")
    assert start(d, "t.service") == 0
    assert {owner[1] for path, owner in snapshot(f"{LIB}/a").items() if "null" not in path} == {OTHER_UID}
    assert start(d, "s.service") == 0
    os.mkdir(f"{LIB}/a/shared")
    os.chmod(f"{LIB}/a/shared", 0o1777)
    os.link(f"{outside.path}/link", f"{LIB}/a/shared/l", follow_symlinks=False)
    assert start(d, "t.service") != 0
    outside.check()


@case
def what_stands_in_the_way(d):
    """A FIFO, a file or a device instead of the folder: the start fails, at once."""
    need_root()
    own_folder(LIB)
    outside = Outside()
    d.unit("s.service", service("StateDirectory=a a/b a/b/c"))
    d.start()
    assert start(d, "s.service") == 0
    for name in ("a/b/c", "a/b"):
        for make in (os.mkfifo, lambda path: os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5)),
                     lambda path: os.link(f"{outside.path}/f", path)):
            run("rm", "-rf", f"{LIB}/{name}")
            make(f"{LIB}/{name}")
            before = look(f"{LIB}/{name}")
            assert start(d, "s.service") != 0
            assert look(f"{LIB}/{name}") == before
        os.unlink(f"{LIB}/{name}")
    outside.check()


@case
def what_an_administrator_may_have(d):
    """Links of root's, mounts, and links of the user to what is the user's own."""
    need_root()
    own_folder(LIB)
    os.makedirs(f"{LIB}/big/disk/a")
    os.symlink("big/disk/a", f"{LIB}/a")
    os.makedirs(f"{LIB}/mounted")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", f"{LIB}/mounted"], check=True)
    folder(f"{LIB}/home/data")
    own(f"{LIB}/home/data")
    folder(f"{LIB}/u")
    link(f"{LIB}/home/data", f"{LIB}/u/data")
    os.symlink(f"{LIB}/big", f"{LIB}/u/admins")
    d.unit("s.service", service("StateDirectory=a a/b mounted u/data u/data/new u/admins/made"))
    d.unit("again.service", service("StateDirectory=a a/b mounted u/data u/data/new u/admins/made"))
    d.start()
    assert start(d, "s.service") == 0, d.log()
    assert start(d, "again.service") == 0, d.log()
    for name in ("big/disk/a", "big/disk/a/b", "mounted", "home/data/new", "big/made"):
        assert look(f"{LIB}/{name}")[1] == UID, name
    assert look(f"{LIB}/big")[1] == 0


@case
def runtime_directory_is_removed(d):
    """Removal follows no link, whatever is in the folder and whoever swaps it meanwhile."""
    need_root()
    own_folder("/run")
    outside = Outside("/run")
    d.unit("s.service", service("RuntimeDirectory=a a/b", "/bin/sh -c 'ln -s ../../outside /run/a/b/l; "
                                "ln -s ../outside /run/a/l'"))
    d.start()
    assert start(d, "s.service") == 0
    eventually(lambda: not os.path.lexists("/run/a"), "the removal of /run/a")
    outside.check()
    d.unit("s.service", service("RuntimeDirectory=a a/b", "/bin/sh -c 'mv /run/a/b /run/a/c; ln -s ../outside "
                                "/run/a/b; mkdir -p /run/a/x/y/z'"))
    d.ctl("daemon-reload", check=True)
    start(d, "s.service")
    eventually(lambda: not os.path.lexists("/run/a"), "the removal of /run/a")
    outside.check()
    # A race: below the folder, and the folder itself.
    d.unit("s.service", service("RuntimeDirectory=a/b a/b/c", "/bin/sh -c ':'", prefix="-"))
    d.ctl("daemon-reload", check=True)
    for _ in range(STARTS):
        run("rm", "-rf", "/run/a")
        folder("/run/a/b/c")
        own("/run/a")
        own("/run/a/b")
        folder("/run/a/l-folder")
        link("../outside/sub", "/run/a/l")
        with Swapper(UID, "/run/a/b", "/run/a/l"):
            start(d, "s.service")
    outside.check()


@case
def links_of_folders(d):
    """The name behind the colon, in a folder of the service's user."""
    need_root()
    own_folder(LIB)
    outside = Outside()
    d.unit("s.service", service("StateDirectory=a data:a/dir/name", n=20, prefix="-"))
    d.start()
    start(d, "s.service")
    assert os.readlink(f"{LIB}/a/dir/name") == f"{LIB}/data"
    run("rm", "-rf", f"{LIB}/a/dir")
    link("../outside", f"{LIB}/a/dir")
    start(d, "s.service")
    outside.check()
    os.unlink(f"{LIB}/a/dir")
    folder(f"{LIB}/a/dir")
    link("../outside", f"{LIB}/a/l")
    with Swapper(UID, f"{LIB}/a/dir", f"{LIB}/a/l"):
        for _ in range(STARTS):
            start(d, "s.service")
    outside.check()


# ---- files

@case
def files_of_root(d):
    """What root opens for a service is not what the service's user has linked there."""
    need_root()
    own_folder(LIB)
    outside = Outside()
    outside.file("env", "SECRET=known\n")
    outside.before = snapshot(outside.path)
    d.unit("make.service", service("StateDirectory=a"))
    for name, setting in (("append", "StandardOutput=append:{}"), ("truncate", "StandardOutput=truncate:{}"),
                          ("file", "StandardOutput=file:{}"), ("error", "StandardError=append:{}"),
                          ("input", "StandardInput=file:{}\nStandardOutput=truncate:/var/lib/a/copy"),
                          ("open", "OpenFile={}"), ("opentruncate", "OpenFile={}:x:truncate")):
        d.unit(f"{name}.service", service(setting.format(f"{LIB}/a/f"), "/bin/sh -c 'cat; echo said; echo said >&2; "
                                          "cat <&3 >/var/lib/a/copy; echo >&3'"))
    d.unit("env.service", service(f"EnvironmentFile={LIB}/a/env", "/bin/sh -c 'echo $SECRET >/var/lib/a/copy'"))
    d.start()
    assert start(d, "make.service") == 0
    names = ("append", "truncate", "file", "error", "input", "open", "opentruncate", "env")
    for target in ("../outside/f", f"{LIB}/outside/f", "../outside/link/f", "../outside/new", "/proc/self/fd/1"):
        for name in names:
            run("rm", "-f", f"{LIB}/a/f", f"{LIB}/a/env", f"{LIB}/a/copy")
            link(target, f"{LIB}/a/f")
            link("../outside/env", f"{LIB}/a/env")
            assert start(d, f"{name}.service") != 0, (target, name)
            outside.check()
            assert not os.path.exists(f"{LIB}/a/copy") or not os.path.getsize(f"{LIB}/a/copy"), (target, name)
    # The folder on the way.
    os.unlink(f"{LIB}/a/f")
    os.unlink(f"{LIB}/a/env")
    own(f"{LIB}/a", UID)
    for name in names[:-1]:
        d.unit(f"{name}.service", d_unit_text(d, name).replace("/a/f", "/a/dir/f"))
    d.unit("env.service", d_unit_text(d, "env").replace("/a/env", "/a/dir/env"))
    d.ctl("daemon-reload", check=True)
    link("../outside", f"{LIB}/a/dir")
    for name in names:
        assert start(d, f"{name}.service") != 0, name
    outside.check()


def d_unit_text(d, name):
    with open(os.path.join(d.units, f"{name}.service"), encoding="ascii") as file:
        return file.read()


@case
def files_in_a_race(d):
    need_root()
    own_folder(LIB)
    outside = Outside()
    folder(f"{LIB}/a/dir")
    own(f"{LIB}/a")
    link("../outside", f"{LIB}/a/l")
    with open(f"{LIB}/a/dir/f", "w", encoding="ascii"):
        pass
    own(f"{LIB}/a/dir/f")
    link("../outside/f", f"{LIB}/a/link-to-f")
    with open(f"{LIB}/a/f", "w", encoding="ascii"):
        pass
    own(f"{LIB}/a/f")
    d.unit("s.service", service(f"StandardOutput=truncate:{LIB}/a/dir/f\nStandardError=append:{LIB}/a/f",
                                "/bin/sh -c 'echo said; echo said >&2'", n=40, prefix="-"))
    d.start()
    with Swapper(UID, f"{LIB}/a/dir", f"{LIB}/a/l", f"{LIB}/a/f", f"{LIB}/a/link-to-f"):
        for _ in range(STARTS):
            start(d, "s.service")
    outside.check()


@case
def files_that_are_fine(d):
    """Links of root's, a log of root's in the user's folder, and the user's links to own files."""
    need_root()
    own_folder(LIB)
    folder(f"{LIB}/a/logs")
    own(f"{LIB}/a")
    own(f"{LIB}/a/logs")
    os.mkdir(f"{LIB}/admin")
    os.symlink(f"{LIB}/admin/log", f"{LIB}/a/admins-log")
    link("logs", f"{LIB}/a/current")
    d.unit("s.service", service(f"StandardOutput=append:{LIB}/a/current/log\nStandardError=append:{LIB}/a/admins-log",
                                "/bin/sh -c 'echo out; echo err >&2'"))
    d.start()
    for _ in range(2):
        assert start(d, "s.service") == 0, d.log()
    for name, text in (("a/logs/log", "out\nout\n"), ("admin/log", "err\nerr\n")):
        with open(f"{LIB}/{name}", encoding="ascii") as file:
            assert file.read() == text, name
        assert look(f"{LIB}/{name}")[1] == 0


# ---- PID files

@case
def pid_files(d):
    """No link, and no further name of a file, makes a process of root's the main one (CVE-2018-16888)."""
    need_root()
    own_folder("/run")
    outside = Outside("/run")
    victim = subprocess.Popen(["sleep", "1000"])
    outside.file("sub/sock.pid", f"{victim.pid}\n", 0o644)
    outside.before = snapshot(outside.path)
    ways = {
        "link": "ln -sf ../outside/sub/sock.pid /run/a/p.pid",
        "abs": "ln -sf /run/outside/sub/sock.pid /run/a/p.pid",
        "chain": "ln -sf x /run/a/p.pid; ln -sf ../outside/sub/sock.pid /run/a/x",
        "file": f"echo {victim.pid} >/run/a/p.pid",
        "folder": "rmdir /run/a/dir; ln -s ../outside/sub /run/a/dir",
    }
    paths = {"folder": "/run/a/dir/sock.pid"}
    for name, way in ways.items():
        d.unit(f"{name}.service", f"[Service]\nType=forking\nUser={USER}\nTimeoutStartSec=1\n"
               f"PIDFile={paths.get(name, '/run/a/p.pid')}\nExecStart=/bin/sh -c 'sleep 1000 & {way}'\n")
    d.unit("hard.service", f"[Service]\nType=forking\nUser={USER}\nTimeoutStartSec=1\nPIDFile=/run/a/p.pid\n"
           "ExecStart=/bin/sh -c 'sleep 1000 &'\n")
    d.start()
    for name in [*ways, "hard"]:
        run("rm", "-rf", "/run/a")
        folder("/run/a/dir")
        own("/run/a")
        if name == "hard":
            os.link("/run/outside/sub/sock.pid", "/run/a/p.pid")
            outside.before = snapshot(outside.path)
        assert start(d, f"{name}.service") != 0, name
        assert d.show(f"{name}.service", "MainPID") != str(victim.pid), name
        d.ctl("stop", f"{name}.service")
        assert victim.poll() is None, name
        if name != "hard":
            outside.check()


@case
def pid_files_that_are_fine(d):
    """The daemon's own pid, by whatever it writes it; and root's word about a process elsewhere."""
    need_root()
    own_folder("/run")
    folder("/run/a")
    os.symlink("/run", "/run/admins")
    sleeper = "setsid sleep 1000 & pid=$!; "
    d.unit("own.service", f"[Service]\nType=forking\nUser={USER}\nPIDFile=/run/a/own.pid\n"
           f"ExecStart=/bin/sh -c '{sleeper} echo $pid >/run/a/own.pid'\n")
    d.unit("link.service", f"[Service]\nType=forking\nUser={USER}\nPIDFile=/run/admins/a/link.pid\n"
           f"ExecStart=/bin/sh -c '{sleeper} echo $pid >/run/a/x; ln -s x /run/a/link.pid'\n")
    d.unit("root.service", "[Service]\nType=forking\nPIDFile=/run/root.pid\n"
           f"ExecStart=/bin/sh -c '{sleeper} echo $pid >/run/root.pid'\n")
    d.start()
    for name in ("own", "link", "root"):
        assert start(d, f"{name}.service") == 0, d.log()
        assert int(d.show(f"{name}.service", "MainPID")) > 1
        d.ctl("stop", f"{name}.service", check=True)


# ---- sockets

def answers(path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        try:
            sock.connect(path)
            return True
        except OSError:
            return False


@case
def nodes(d):
    """The folder of a socket is its user's: what is swapped in for the folder or the node stays as it is."""
    need_root()
    own_folder("/run")
    outside = Outside("/run")
    os.unlink("/run/outside/sock")
    outside.before = snapshot(outside.path)
    d.unit("s.socket", f"[Socket]\nListenStream=/run/a/dir/sock\nSocketUser={USER}\nSocketMode=0600\nRemoveOnStop=yes\n"
           "Symlinks=/run/a/dir/name\n")
    d.unit("s.service", "[Service]\nExecStart=/bin/cat\n")
    d.unit("f.socket", f"[Socket]\nListenFIFO=/run/a/dir/fifo\nSocketUser={USER}\nRemoveOnStop=yes\nService=s.service\n")
    d.start()
    run("rm", "-rf", "/run/a")
    d.ctl("stop", "s.socket", "f.socket")
    folder("/run/a/dir")
    own("/run/a")
    assert start(d, "s.socket") == 0 and start(d, "f.socket") == 0
    assert look("/run/a/dir/sock")[:2] == ("0o140600", UID)
    assert look("/run/a/dir/fifo")[1] == UID
    assert os.readlink("/run/a/dir/name") == "/run/a/dir/sock"
    assert answers("/run/a/dir/sock")
    # While it listens: node and folder become others. Then a new mode, a new owner, the end.
    os.rename("/run/a/dir", "/run/a/was")
    link("../outside", "/run/a/dir")
    outside.file("sock", "of root\n")
    outside.file("fifo", "of root\n")
    outside.before = snapshot(outside.path)
    for name in ("s.socket", "f.socket"):
        d.unit(name, d_text(d, name).replace(f"User={USER}", f"User={OTHER}") + "SocketMode=0666\n")
    d.ctl("daemon-reload", check=True)
    outside.check()
    d.ctl("stop", "s.socket", "f.socket")
    outside.check()
    assert start(d, "s.socket") != 0 and start(d, "f.socket") != 0
    outside.check()
    # Root's FIFO under another name.
    os.unlink("/run/a/dir")
    folder("/run/a/dir")
    os.mkfifo("/run/outside/control", 0o666)
    os.chmod("/run/outside/control", 0o666)
    os.link("/run/outside/control", "/run/a/dir/fifo")
    outside.before = snapshot(outside.path)
    assert start(d, "f.socket") != 0
    outside.check()


def d_text(d, name):
    with open(os.path.join(d.units, name), encoding="ascii") as file:
        return file.read()


@case
def nodes_in_a_race(d):
    need_root()
    own_folder("/run")
    outside = Outside("/run")
    folder("/run/a/dir")
    own("/run/a")
    link("../outside/sub", "/run/a/l")
    head = "[Unit]\nStartLimitIntervalSec=0\n[Socket]\nRemoveOnStop=yes\nService=s.service\n"
    d.unit("s.socket", f"{head}ListenStream=/run/a/dir/sock\nListenFIFO=/run/a/dir/fifo\nSocketUser={USER}\n")
    d.unit("t.socket", f"{head}ListenStream=/run/a/dir/other\nSocketUser={USER}\nSymlinks=/run/a/dir/name\n")
    d.unit("s.service", "[Service]\nExecStart=/bin/cat\n")
    d.start()
    with Swapper(UID, "/run/a/dir", "/run/a/l") as swapper:
        for _ in range(STARTS * 10):
            d.ctl("restart", "s.socket", "t.socket")
    assert swapper.n > 0
    d.ctl("stop", "s.socket", "t.socket")
    outside.check()


@case
def special_files(d):
    """ListenSpecial= opens with root's rights."""
    need_root()
    own_folder("/run")
    outside = Outside("/run")
    folder("/run/a")
    link("../outside", "/run/a/dir")
    d.unit("s.socket", "[Socket]\nListenSpecial=/run/a/dir/f\nWritable=yes\n")
    d.unit("s.service", "[Service]\nExecStart=/bin/cat\n")
    d.start()
    assert start(d, "s.socket") != 0
    d.logged(r"a link of user 65534 leads to \.\./outside, which user 0 owns")
    outside.check()


if __name__ == "__main__":
    main()
