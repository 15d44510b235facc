#!/usr/bin/env python3
"""A child that has changed its user, but has not executed its program yet, is under that user's control: the user may
stop it, signal it, try to read its memory. This must not affect usherd or the services of other users."""

import ctypes
import os
import signal
import subprocess
import sys
import threading

from daemon import PATIENCE, WRAPPER, answer, case, connect, eventually, main, need_root, run

NOBODY = 65534
SOCKET = "[Socket]\nListenStream=127.0.0.1:{}\nAccept=yes\nTriggerLimitBurst=0\nMaxConnections=1000\n"
SERVICE = "[Service]\nUser=nobody\nExecStart=/bin/cat\nStandardInput=socket\nTimeoutStopSec=5\n{}"
# What runs as the other user: the last pid that was given out, and those that come next.
NEXT_PIDS = """
import os, signal, sys
usherd = sys.argv[1]
print("ready", flush=True)
def next_pids():
    while True:
        with open("/proc/loadavg") as file:
            last = int(file.read().split()[4])
        for _ in range(50):
            yield from range(last, last + 4)
def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""
def comm(pid):
    return read(f"/proc/{pid}/comm")
def stat(pid):
    return read(f"/proc/{pid}/stat").rpartition(")")[2].split()
"""
# Stops what it may stop: with the exec done, or where it is no child of usherd, it goes on.
STOPPER = NEXT_PIDS + """
for pid in next_pids():
    if pid == os.getpid():
        continue
    try:
        os.kill(pid, signal.SIGSTOP)
    except OSError:
        continue
    while stat(pid)[:1] not in (["T"], ["Z"], []):
        pass
    if stat(pid)[:2] == ["T", usherd] and comm(pid) == comm(usherd):
        print(pid, flush=True)
        continue
    try:
        os.kill(pid, signal.SIGCONT)
    except OSError:
        pass
"""
READER = NEXT_PIDS + """
for pid in next_pids():
    try:
        fd = os.open(f"/proc/{pid}/mem", os.O_RDWR)
    except OSError:
        continue
    if stat(pid)[1:2] == [usherd] and comm(pid) == comm(usherd):
        print(f"the memory of {pid} is open", flush=True)
    os.close(fd)
"""
# Root that lacks a right: may it look into usherd for a moment?
LOOKER = """
import os, sys
print("ready", flush=True)
while True:
    try:
        print("usherd is dumpable:", os.readlink(f"/proc/{sys.argv[1]}/exe"), flush=True)
    except OSError:
        pass
"""
KCMP_VM = 1
SYS_KCMP = {"x86_64": 312, "aarch64": 272}.get(os.uname().machine)


class Other:
    """A program that tries something on usherd as long as the block runs; what it says is what it got."""

    def __init__(self, d, text, options):
        self.process = subprocess.Popen(["setpriv", *options, sys.executable, "-c", text, str(d.process.pid)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.lines = []
        self.thread = threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True)

    def __enter__(self):
        assert self.process.stdout.readline() == "ready\n"
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.thread.join()


def as_nobody(d, text):
    return Other(d, text, [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"])


class Load:
    """Connections to a port, one after the other."""

    def __init__(self, port):
        self.is_over, self.count = False, 0
        self.thread = threading.Thread(target=self._run, args=(port,), daemon=True)

    def _run(self, port):
        while not self.is_over:
            try:
                with connect(("127.0.0.1", port)):
                    self.count += 1
            except OSError:
                pass

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join()


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def shares_memory(a, b):
    """Do two processes have one memory? None: this kernel does not say."""
    result = ctypes.CDLL(None, use_errno=True).syscall(SYS_KCMP, a, b, KCMP_VM, 0, 0) if SYS_KCMP else -1
    return None if result < 0 else result == 0


def where(pid):
    """The step at which a process was stopped, as the number of its system call (ausyscall(8) has the names)."""
    return f"pid {pid}, which its user has stopped at system call {read(f'/proc/{pid}/syscall').split()[0]}"


def stop_one(d, more):
    """A child that its user has stopped before it came to its program."""
    d.unit("a.socket", SOCKET.format(7001))
    slow = d.folder + "/slow0"
    for i in range(15):  # links, and long ones: the child is on its way for a while
        os.symlink("slow/../" * 500 + ("slow" if i == 14 else f"slow{i + 1}"), d.folder + f"/slow{i}")
    os.mkdir(d.folder + "/slow")
    d.unit("a@.service", SERVICE.format(f"CPUSchedulingPolicy=idle\nWorkingDirectory={slow}\n{more}"))
    d.unit("other.socket", SOCKET.format(7002))
    d.unit("other@.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n")
    d.start()
    with as_nobody(d, STOPPER) as other, Load(7001):
        eventually(lambda: other.lines, "a child that has been stopped", 3 * PATIENCE)
    return int(other.lines[0])


def check_stopped(d, more, shares=None):
    pid = stop_one(d, more)
    assert os.stat(f"/proc/{pid}/stat").st_uid == 0, f"dumpable: {where(pid)}"
    for _ in range(80):  # more than there are launch slots
        assert answer(("127.0.0.1", 7002)) == b"x", f"usherd does not answer beside {where(pid)}"
    assert d.ctl("is-active", "other.socket").stdout == "active\n"
    assert shares in (None, shares_memory(pid, d.process.pid)) or shares_memory(pid, pid) is None, where(pid)
    d.stop()


@case
def stopped_children(d):
    need_root()
    check_stopped(d, "")


@case
def stopped_children_with_a_memory_of_their_own(d):
    """The kernel gives an OOM score to all processes that share a memory: it is set in a copy."""
    need_root()
    check_stopped(d, "OOMScoreAdjust=100\n", shares=False)


@case
def suid_dumpable(d):
    """Where the kernel would open a memory with the change of the user, it is not shared: fs.suid_dumpable=1."""
    need_root()
    fake = d.file("suid_dumpable", "1\n")
    run("mount", "--bind", fake, "/proc/sys/fs/suid_dumpable", check=True)
    try:
        check_stopped(d, "", shares=False)
    finally:
        run("umount", "-l", "/proc/sys/fs/suid_dumpable", check=True)


@case
def memory(d):
    """During many starts nobody opens a child's memory, nor usherd's own."""
    need_root()
    starts = 100 if WRAPPER else 3000
    for port in (7001, 7002):
        d.unit(f"a{port}.socket", SOCKET.format(port))
        d.unit(f"a{port}@.service", SERVICE.format("Group=nogroup\n"))
    d.start(wrapper=["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"])
    lacks = ["--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]
    with as_nobody(d, READER) as reader, Other(d, LOOKER, lacks) as looker, Load(7001) as a, Load(7002) as b:
        eventually(lambda: a.count + b.count > starts or reader.lines or looker.lines, "starts", 3 * PATIENCE)
    assert not reader.lines and not looker.lines, (reader.lines + looker.lines)[:3]


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    main()
