#!/usr/bin/env python3
"""What usherd inherits from its parent: signals, descriptors, limits. None of it may change how usherd works, or reach
a service by accident; and no process of another uid may inspect usherd. These cases do not run usherd under valgrind,
which would change what it inherits."""

import os
import resource
import shutil
import signal

from daemon import case, eventually, main, need_root, run


def ignore_everything():
    """As a careless launcher does: every signal that can be is ignored and blocked."""
    for signo in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(signo, signal.SIG_IGN)
        except OSError:  # one of the C library's
            pass
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


@case
def signals(d):
    """An exit status is known, SIGTERM is heard, and services begin with nothing ignored and nothing blocked."""
    d.unit("fails.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n")
    d.unit("masks.service", "[Service]\nType=oneshot\nIgnoreSIGPIPE=no\nStandardOutput=truncate:"
           f"{d.folder}/masks\nExecStart=/bin/grep -E ^Sig(Blk|Ign): /proc/self/status\n")
    d.start(wrapper=(), preexec_fn=ignore_everything)
    assert d.ctl("start", "fails.service").returncode != 0
    assert d.show("fails.service", "Result") == "exit-code"
    assert d.show("fails.service", "ExecMainStatus") == "1"
    d.ctl("start", "masks.service", check=True)
    with open(f"{d.folder}/masks", encoding="ascii") as file:
        masks = dict(line.split() for line in file)
    assert masks == {"SigBlk:": "0" * 16, "SigIgn:": "0" * 16}, masks
    d.stop()


@case
def closed_streams(d):
    """No file of usherd's gets the number of a standard stream."""
    d.start(wrapper=(), preexec_fn=lambda: os.closerange(0, 3))
    assert [os.readlink(f"/proc/{d.process.pid}/fd/{fd}") for fd in range(3)] == 3 * ["/dev/null"]


def limits_of(path):
    """Resource -> (soft, hard) out of a /proc/PID/limits."""
    names = {"Max cpu time": "CPU", "Max file size": "FSIZE", "Max data size": "DATA", "Max open files": "NOFILE",
             "Max address space": "AS"}
    with open(path, encoding="ascii") as file:
        return {name: tuple(line[26:].split()[:2]) for line in file for head, name in names.items()
                if line.startswith(head + " ")}


@case
def limits(d):
    """Those of a shell do not hold for usherd, and reach its services as they were."""
    gib = 1 << 30
    given = {"CPU": (3600, 7200), "FSIZE": (8192, 8 * gib), "NOFILE": (512, 2048)}

    def limit():
        for name, values in given.items():
            resource.setrlimit(getattr(resource, "RLIMIT_" + name), values)
    d.unit("a.service", f"[Service]\nType=oneshot\nExecStart=/bin/cp /proc/self/limits {d.folder}/limits\n")
    d.unit("b.service", "[Service]\nType=oneshot\nLimitNOFILE=100:200\nLimitFSIZE=1M\n"
           f"ExecStart=/bin/cp /proc/self/limits {d.folder}/limits-b\n")
    d.start(wrapper=(), preexec_fn=limit)
    own = limits_of(f"/proc/{d.process.pid}/limits")
    for name, (_, hard) in given.items():
        assert all(v == "unlimited" or int(v) >= hard for v in own[name]), (name, own)
    d.ctl("start", "a.service", "b.service", check=True)
    got = limits_of(f"{d.folder}/limits")
    assert got["CPU"] == ("3600", "7200") and got["FSIZE"] == ("8192", str(8 * gib)), got
    assert got["NOFILE"] == ("1024", "2048"), got
    got = limits_of(f"{d.folder}/limits-b")
    assert got["NOFILE"] == ("100", "200") and got["FSIZE"] == (str(1 << 20), str(1 << 20)), got


# How usherd is started -> is it dumpable?
STARTED = {
    "as root": ([], False),
    "as an ordinary user": (["--reuid=65534", "--regid=65534", "--clear-groups"], True),
    "as a user who may change uids": (["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+setuid",
                                       "--ambient-caps=+setuid"], False),
}


@case
def dumpable(d):
    """Who may change uids cannot be looked into; an ordinary user's supervisor can. What it starts always can."""
    need_root()
    d.unit("a.service", "[Service]\nExecStart=/bin/sleep 1000\n")
    for how, (options, expected) in STARTED.items():
        shutil.rmtree(d.runtime, ignore_errors=True)
        os.mkdir(d.runtime)
        os.chown(d.runtime, *(2 * [65534 if options else 0]))
        # Root that lacks the right to look into everything, so that the flag counts for it, too.
        lacks = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]
        started = [*lacks, *(["setpriv", *options] if options else [])]
        d.start(wrapper=started, env={"HOME": d.folder})
        d.ctl("start", "a.service", check=True)
        service = int(d.show("a.service", "MainPID"))
        eventually(lambda p=service: "sleep" in os.readlink(f"/proc/{p}/exe"), "the exec")
        for pid, is_dumpable in ((d.process.pid, expected), (service, True)):
            reader = run(*started, "readlink", f"/proc/{pid}/exe")
            assert (reader.returncode == 0) == is_dumpable, (how, pid, reader)
        d.stop()


if __name__ == "__main__":
    main()
