#!/usr/bin/env python3
"""Attributes of a process that a unit sets, seen from inside the service and on the bus."""

import os

from daemon import case, main, need_root

LOOK = "/bin/sh -c '%s'"
CPUS = sorted(os.sched_getaffinity(0))
LAST = str(CPUS[-1])
# lines of the unit, command, what it prints
ROWS = [
    ("affinity", f"CPUAffinity={LAST}", "grep Cpus_allowed_list /proc/self/status", f"Cpus_allowed_list:\t{LAST}"),
    ("affinity-merged", f"CPUAffinity={CPUS[0]}\nCPUAffinity={LAST},{LAST}",
     "nproc", str(len({CPUS[0], CPUS[-1]}))),
    ("affinity-reset", f"CPUAffinity={LAST}\nCPUAffinity=", "nproc", str(len(CPUS))),
    ("affinity-bad", f"CPUAffinity={LAST}\nCPUAffinity=0-", "grep Cpus_allowed_list /proc/self/status",
     f"Cpus_allowed_list:\t{LAST}"),
    ("core", "CoredumpFilter=private-anonymous elf-headers\nCoredumpFilter=100", "cat /proc/self/coredump_filter",
     "00000111"),
    ("core-all", "CoredumpFilter=all", "cat /proc/self/coredump_filter", "000001ff"),
    ("core-bad", "CoredumpFilter=default\nCoredumpFilter=elf-headers moon", "cat /proc/self/coredump_filter", "00000033"),
]
if os.uname().machine == "x86_64":
    ROWS += [
        ("personality", "Personality=x86", "uname -m", "i686"),
        ("personality-same", "Personality=x86-64", "uname -m", "x86_64"),
        ("personality-locked", "Personality=x86\nLockPersonality=yes", "uname -m; setarch x86_64 true 2>&- || echo locked",
         "i686\nlocked"),
    ]


@case
def attributes(d):
    for name, lines, command, _ in ROWS:
        d.unit(f"{name}.service", f"[Service]\nType=oneshot\n{lines}\nStandardOutput=file:{d.folder}/{name}\n"
               f"ExecStart={LOOK % command}\n")
    d.start()
    with open(f"/proc/{d.process.pid}/coredump_filter", encoding="ascii") as file:
        own = file.read()
    for name, lines, _, expected in ROWS:
        assert d.ctl("start", name).returncode == 0, d.log()
        with open(f"{d.folder}/{name}", encoding="ascii") as file:
            seen = file.read().strip()
        assert seen == expected, (lines, seen, d.log())
    # A child of the same memory would have changed usherd's, too.
    with open(f"/proc/{d.process.pid}/coredump_filter", encoding="ascii") as file:
        assert file.read() == own


@case
def secure_bits(d):
    need_root()
    d.unit("a.service", "[Service]\nType=oneshot\nSecureBits=noroot\nSecureBits=noroot-locked unknown\n"
           f"StandardOutput=file:{d.folder}/out\nExecStart=/bin/grep CapEff /proc/self/status\n")
    d.unit("b.service", "[Service]\nType=oneshot\nUser=nobody\nSecureBits=noroot\n"
           f"StandardOutput=file:{d.folder}/out-b\nExecStart=/bin/grep -E Cap(Eff|Prm|Inh|Amb) /proc/self/status\n")
    d.start()
    assert d.ctl("start", "a").returncode == 0, d.log()
    with open(f"{d.folder}/out", encoding="ascii") as file:
        assert file.read().split()[1] == "0000000000000000"
    # Setting them needs a capability, which a change of user does not take away before.
    assert d.ctl("start", "b").returncode == 0, d.log()
    with open(f"{d.folder}/out-b", encoding="ascii") as file:
        assert set(line.split()[1] for line in file) == {"0000000000000000"}


@case
def shown(d):
    d.unit("a.service", "[Service]\nExecStart=/bin/true\nCPUAffinity=0-2 5 70\nSecureBits=noroot keep-caps\n"
           "CoredumpFilter=elf-headers\nMemoryKSM=yes\n")
    d.unit("b.service", "[Service]\nExecStart=/bin/true\n")
    d.start()
    rows = {"CPUAffinity": ("0-2 5 70", ""), "SecureBits": ("17", "0"), "MemoryKSM": ("yes", "no"),
            "CoredumpFilter": ("0x10", "0x33"), "Personality": ("", "")}
    for key, values in rows.items():
        for name, value in zip("ab", values):
            assert d.ctl("show", "--value", "-p", key, f"{name}.service").stdout == value + "\n", (name, key)


if __name__ == "__main__":
    main()
