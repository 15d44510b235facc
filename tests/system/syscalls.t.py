#!/usr/bin/env python3
"""Which system calls a service may make: each directive that restricts them, seen from inside.
The expected results are those of systemd with the same units and the same probe."""

import os
import re

from daemon import WRAPPER, Skip, case, main, need_root

PROBE = r"""
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(f, *a):
    ctypes.set_errno(0)
    r = f(*a)
    return "ok" if r not in (-1, ctypes.c_void_p(-1).value) else errno.errorcode[ctypes.get_errno()]
def opened(*a):
    try:
        os.close(os.open(*a))
        return "ok"
    except OSError as e:
        return errno.errorcode[e.errno]
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
param = (ctypes.c_int * 1)(1)
name = b"%s/file-%d" % (sys.argv[1].encode(), os.getpid())
open(name, "w").close()
page = libc.mmap(None, 4096, 3, 0x22, -1, 0)
seen = {
    "unix": call(libc.socket, 1, 1, 0), "inet": call(libc.socket, 2, 1, 0), "netlink": call(libc.socket, 16, 3, 0),
    "write-exec": call(libc.mmap, None, 4096, 7, 0x22, -1, 0), "exec": call(libc.mmap, None, 4096, 5, 0x22, -1, 0),
    "become-exec": call(libc.mprotect, ctypes.c_void_p(page), 4096, 5),
    "fifo": call(libc.sched_setscheduler, 0, 1, param),
    "suid": call(libc.chmod, name, 0o4755), "sgid": call(libc.chmod, name, 0o2755), "mode": call(libc.chmod, name, 0o755),
    "suid-file": opened(name + b"x", os.O_CREAT | os.O_WRONLY, 0o4600),
    "newnet": call(libc.unshare, 0x40000000), "newuts": call(libc.unshare, 0x04000000),
    "setns": call(libc.setns, -1, 0), "personality": call(libc.personality, 0xffffffff),
    "uname": call(libc.uname, ctypes.create_string_buffer(1024)),
}
status = open("/proc/self/status").read()
for key in ("NoNewPrivs", "Seccomp"):
    seen[key] = status.split(key + ":")[1].split()[0]
print(*("%s=%s" % item for item in seen.items()))
"""

# Everything that is not named in a row below is as in a service without any of it.
PLAIN = {
    "unix": "ok", "inet": "ok", "netlink": "ok", "write-exec": "ok", "exec": "ok", "become-exec": "ok", "fifo": "ok",
    "suid": "ok", "sgid": "ok", "mode": "ok", "suid-file": "ok", "newnet": "ok", "newuts": "ok", "setns": "EBADF",
    "personality": "ok", "uname": "ok", "NoNewPrivs": "0", "Seccomp": "0",
}
NO_INET = {"inet": "EAFNOSUPPORT"}
ROWS = [
    ("families", "RestrictAddressFamilies=AF_UNIX AF_INET6", NO_INET | {"netlink": "EAFNOSUPPORT"}),
    ("families-denied", "RestrictAddressFamilies=~AF_INET", NO_INET),
    ("families-none", "RestrictAddressFamilies=none",
     NO_INET | {"unix": "EAFNOSUPPORT", "netlink": "EAFNOSUPPORT"}),
    ("write-execute", "MemoryDenyWriteExecute=yes", {"write-exec": "EPERM", "become-exec": "EPERM"}),
    ("realtime", "RestrictRealtime=yes", {"fifo": "EPERM"}),
    ("suid", "RestrictSUIDSGID=yes", {"suid": "EPERM", "sgid": "EPERM", "suid-file": "EPERM"}),
    ("namespaces", "RestrictNamespaces=yes", {"newnet": "EPERM", "newuts": "EPERM", "setns": "EPERM"}),
    ("namespaces-net", "RestrictNamespaces=net", {"newuts": "EPERM", "setns": "EPERM"}),
    ("namespaces-not-net", "RestrictNamespaces=~net", {"newnet": "EPERM", "setns": "EPERM"}),
    ("personality", "LockPersonality=yes", {"personality": "EPERM"}),
    ("deny", "SystemCallFilter=~uname\nSystemCallErrorNumber=EXDEV", {"uname": "EXDEV"}),
    ("deny-own-error", "SystemCallFilter=~uname:EILSEQ", {"uname": "EILSEQ"}),
    ("deny-taken-back", "SystemCallFilter=~uname:EILSEQ @swap\nSystemCallFilter=uname", {}),
    ("allow", "SystemCallFilter=@system-service\nSystemCallFilter=~uname\nSystemCallErrorNumber=EACCES",
     {"uname": "EACCES"}),
    ("allow-own-error", "SystemCallFilter=@system-service uname:EILSEQ", {"uname": "EILSEQ"}),
    ("reset", "SystemCallFilter=~uname\nSystemCallFilter=\nSystemCallErrorNumber=EPERM", {"Seccomp": "0"}),
    ("architectures", "SystemCallArchitectures=native", {}),
    ("log", "SystemCallLog=uname", {}),
    ("log-rest", "SystemCallLog=~@known", {}),
    # Without CAP_SYS_ADMIN a filter brings NoNewPrivileges=.
    ("user", "User=nobody\nSystemCallFilter=~uname:EPERM",
     {"uname": "EPERM", "NoNewPrivs": "1", "fifo": "EPERM", "newnet": "EPERM", "newuts": "EPERM"}),
    ("user-plain", "User=nobody", {"Seccomp": "0", "fifo": "EPERM", "newnet": "EPERM", "newuts": "EPERM"}),
    # A command with + has full privileges.
    ("full", "SystemCallFilter=~uname:EPERM", {"Seccomp": "0"}),
    ("elevated", "SystemCallFilter=~uname:EPERM", {"uname": "EPERM"}),
]
PREFIX = {"full": "+", "elevated": "!"}


def need_filters():
    need_root()
    if WRAPPER:
        raise Skip("a filter would be valgrind's, too")
    with open("/proc/self/status", encoding="ascii") as file:
        if "Seccomp:" not in file.read():
            raise Skip("this kernel has no filters of system calls")


def look(d, name):
    with open(f"{d.folder}/out/{name}", encoding="ascii") as file:
        return dict(re.findall(r"(\S+)=(\S+)", file.read()))


def start(d):
    d.file("probe.py", PROBE)
    os.chmod(d.folder, 0o755)
    os.mkdir(f"{d.folder}/out")
    os.chmod(f"{d.folder}/out", 0o777)
    d.start()


def service(d, name, lines, command, prefix=""):
    d.unit(f"{name}.service", f"[Service]\nType=oneshot\n{lines}\nStandardOutput=file:{d.folder}/out/{name}\n"
           f"ExecStart={prefix}{command}\n")


@case
def calls_of_services(d):
    need_filters()
    for name, lines, _ in ROWS:
        service(d, name, lines, f"/usr/bin/python3 {d.folder}/probe.py {d.folder}/out", PREFIX.get(name, ""))
    start(d)
    wrong = []
    for name, lines, expected in ROWS:
        d.ctl("start", name)
        wanted = PLAIN | {"Seccomp": "2"} | expected
        seen = look(d, name)
        for key, value in wanted.items():
            if seen.get(key) != value:
                wrong.append(f"{name} ({lines!r}): {key} gives {seen.get(key)}, not {value}")
    assert not wrong, "\n".join(wrong) + "\n" + d.log()


@case
def forbidden_call_ends_the_process(d):
    """Also where it is the exec itself, or what a child does that fails: usherd goes on."""
    need_filters()
    rows = (
        ("killed", "SystemCallFilter=~uname", "/bin/uname", "signal", "31"),
        ("no-exec", "SystemCallFilter=~execve", "/bin/true", "signal", "31"),
        ("refused-exec", "SystemCallFilter=~execve:EPERM", "/bin/true", "exit-code", "203"),
        ("no-exit", "SystemCallFilter=~exit_group execve:EPERM", "/bin/true", "signal", "31"),
        ("refused-exit", "SystemCallFilter=~exit_group:EPERM execve:EPERM", "/bin/true", "exit-code", "203"),
        ("nothing-left", "SystemCallFilter=~exit_group:EPERM exit:EPERM execve:EPERM", "/bin/true", "signal", None),
        ("no-call", "SystemCallFilter=nosuchcall", "/bin/true", "signal", "31"),
    )
    for name, lines, command, *_ in rows:
        service(d, name, lines, command)
    start(d)
    for name, lines, _, result, status in rows:
        assert d.ctl("start", name).returncode == 1, name
        seen = dict(line.split("=", 1) for line in
                    d.ctl("show", "-p", "Result", "-p", "ExecMainStatus", name).stdout.splitlines())
        assert seen["Result"] in (result, "core-dump" if result == "signal" else result), (lines, seen, d.log())
        assert status in (None, seen["ExecMainStatus"]), (lines, seen)
    assert "Unknown system call 'nosuchcall'" in d.log()


@case
def shown_as_systemctl_shows_it(d):
    d.unit("a.service", "[Service]\nExecStart=/bin/true\nSystemCallFilter=~swapon uname:EPERM\n"
           "SystemCallErrorNumber=ENOSYS\nSystemCallArchitectures=native\nSystemCallLog=swapoff\n"
           "RestrictAddressFamilies=~AF_UNIX AF_INET\nRestrictNamespaces=~net\n")
    d.unit("b.service", "[Service]\nExecStart=/bin/true\n")
    d.start()
    for name, expected in (
            ("a", ["~AF_INET AF_UNIX", "cgroup ipc mnt pid user uts", "native", "38", "~swapon uname:EPERM", "swapoff"]),
            ("b", ["~", "no", "", "2147483646", "~", "~"])):
        for key, value in zip(("RestrictAddressFamilies", "RestrictNamespaces", "SystemCallArchitectures",
                               "SystemCallErrorNumber", "SystemCallFilter", "SystemCallLog"), expected):
            assert d.ctl("show", "--value", "-p", key, f"{name}.service").stdout == value + "\n", (name, key)


if __name__ == "__main__":
    main()
