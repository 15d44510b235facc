#!/usr/bin/env python3
"""The runtime folder: who must own it, and who can lock it."""

import fcntl
import os
import stat
import subprocess
import time

from daemon import USHERD, case, eventually, main, need_root, run
from raw_bus import somebody

NOBODY = 65534


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def start(d):
    return run(USHERD, "--runtime-dir", d.runtime, "--units", d.units)


def lock_path(d):
    return os.path.join(d.runtime, "lock")


@case
def only_the_lock_is_private(d):
    """Services of other users reach the notify socket."""
    d.unit("n.service", "[Service]\nType=notify\nNotifyAccess=all\n" +
           ("User=nobody\n" if somebody() else "") +
           "ExecStart=/bin/sh -c 'systemd-notify --ready; exec sleep 600'\n")
    d.start()
    assert mode(lock_path(d)) == 0o600, oct(mode(lock_path(d)))
    assert mode(d.runtime) == 0o755 and mode(os.path.join(d.runtime, "systemd")) == 0o755
    assert d.ctl("start", "n.service").returncode == 0
    answer = start(d)
    assert answer.returncode == 1 and f"pid {d.process.pid}" in answer.stderr, answer
    assert "--runtime-dir" in answer.stderr, answer


# What exists in place of the folder, and what usherd reports about it; None: it starts.
FOLDERS = [
    ("is fine", lambda d: None, None),
    ("searchable", lambda d: os.chmod(d.runtime, 0o711), None),
    ("all may write", lambda d: os.chmod(d.runtime, 0o777), "chmod go-w"),
    ("sticky, too", lambda d: os.chmod(d.runtime, 0o1777), "chmod go-w"),
    ("its group may write", lambda d: os.chmod(d.runtime, 0o775), "chmod go-w"),
    ("a stranger's", lambda d: os.chown(d.runtime, NOBODY, NOBODY), "belongs to user 65534"),
    ("a link", lambda d: (os.rename(d.runtime, d.runtime + "2"), os.symlink(d.runtime + "2", d.runtime)), "is a symbolic link"),
    ("a file", lambda d: (os.rmdir(d.runtime), open(d.runtime, "w", encoding="ascii").close()), "run"),
    ("a folder in it is a link", lambda d: os.symlink("/tmp", os.path.join(d.runtime, "systemd")), "is a symbolic link"),
    ("a folder in it is a stranger's",
     lambda d: (os.mkdir(os.path.join(d.runtime, "units")), os.chown(os.path.join(d.runtime, "units"), NOBODY, 0)),
     "belongs to user"),
    ("all may write to a folder in it",
     lambda d: (os.mkdir(os.path.join(d.runtime, "systemd")), os.chmod(os.path.join(d.runtime, "systemd"), 0o777)),
     "chmod go-w"),
    ("the lock is a link", lambda d: os.symlink("/tmp/x", lock_path(d)), "lock: "),
    ("the lock is a stranger's",
     lambda d: (open(lock_path(d), "w", encoding="ascii").close(), os.chown(lock_path(d), NOBODY, 0)), "lock: "),
    ("the lock is a FIFO", lambda d: os.mkfifo(lock_path(d)), "lock: "),
]


@case
def a_folder_that_is_there(d):
    need_root()
    for i, (name, make, words) in enumerate(FOLDERS):
        d.runtime = os.path.join(d.folder, f"run{i}")
        os.mkdir(d.runtime, 0o755)
        make(d)
        if words is None:
            d.start()
            assert d.ctl("list-units").returncode == 0, name
            d.stop()
        else:
            answer = start(d)
            assert answer.returncode == 1 and words in answer.stderr, (name, answer)
            assert d.folder in answer.stderr, (name, answer)


HOLD = "import fcntl, sys, time\nf = open(sys.argv[1])\nfcntl.flock(f, fcntl.LOCK_EX)\nprint(1, flush=True)\ntime.sleep(600)"


def hold(path, **options):
    process = subprocess.Popen(["/usr/bin/env", "python3", "-c", HOLD, path], stdout=subprocess.PIPE, **options)
    process.stdout.read(1)
    return process


def old_lock(d, pid):
    """As an earlier version made it."""
    os.makedirs(d.runtime, exist_ok=True)
    with open(lock_path(d), "w", encoding="ascii") as file:
        file.write(f"{pid}\n")
    os.chmod(lock_path(d), 0o644)


@case
def strangers_hold_an_old_lock(d):
    need_root()
    old_lock(d, 4194303)
    holder = hold(lock_path(d), user=NOBODY, group=NOBODY, extra_groups=[])
    d.start()
    assert mode(lock_path(d)) == 0o600
    answer = start(d)
    assert answer.returncode == 1 and f"pid {d.process.pid}" in answer.stderr, answer
    holder.kill()
    holder.wait()
    # Nor does one count who has it open, and waits.
    d.stop()
    os.chmod(lock_path(d), 0o644)
    waiting = open(lock_path(d), encoding="ascii")
    d.start()
    fcntl.flock(waiting, fcntl.LOCK_EX | fcntl.LOCK_NB)
    answer = start(d)
    assert answer.returncode == 1 and f"pid {d.process.pid}" in answer.stderr, answer
    d.stop()
    d.start()
    assert not os.path.exists(os.path.join(d.runtime, "lock.new"))


@case
def an_older_usherd_holds_the_lock(d):
    old_lock(d, 0)
    holder = hold(lock_path(d))
    old_lock(d, holder.pid)
    answer = start(d)
    assert answer.returncode == 1 and f"pid {holder.pid}" in answer.stderr, answer
    assert mode(lock_path(d)) == 0o644
    holder.kill()
    holder.wait()
    d.start()


@case
def many_starts_at_once(d):
    """One of them gets the lock, whatever stood there."""
    for _ in range(5):
        old_lock(d, 4194303)
        started = [subprocess.Popen([USHERD, "--runtime-dir", d.runtime, "--units", d.units], stderr=subprocess.DEVNULL)
                   for _ in range(8)]
        eventually(lambda: sum(p.poll() is None for p in started) <= 1, "all but one to end")
        eventually(lambda: os.path.exists(os.path.join(d.runtime, "systemd/private")), "the control socket")
        time.sleep(0.2)
        alive = [p for p in started if p.poll() is None]
        assert len(alive) == 1, [p.returncode for p in started]
        assert open(lock_path(d), encoding="ascii").read() == f"{alive[0].pid}\n"
        alive[0].terminate()
        assert alive[0].wait(20) == 0


main()
