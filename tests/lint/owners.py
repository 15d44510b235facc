#!/usr/bin/env python3
"""The table of directives is true: the file that a row names as its owner reads the row's field, few
others do, and a row whose field nothing reads is marked as inert.

The compiler finds the readers of a field: if asked, conf/unit_conf.h marks each field as deprecated."""

import collections
import glob
import os
import re
import subprocess
import sys

CONFIG = "build/config.h"
MARK = '-DCONF_FIELD(section,name)=__attribute__((deprecated("FIELD " #section " " #name)))'
SHOWS_ALL = "bus/property.c"  # some rows exist only to be shown
READERS_MAX = 3  # besides the owner; files that only show or check a value (conf, bus, ctl) do not count
# Fields that many files have to read.
WIDE = {
    ("Service", "Type"): "how a service starts and stops",
    ("Socket", "Accept"): "one service, or one for each connection",
    ("Socket", "ListenStream"): "the ports: opened, named, watched, passed on",
}
ROW = re.compile(r"^(DIRECTIVE|MORE)\((\w+), ([\w-]+), (\w+), (\w+),(.*?)\)$", re.M | re.S)


def rows():
    for path in sorted(glob.glob("src/conf/directives/*.def")):
        with open(path, encoding="utf-8") as f:
            for m in ROW.finditer(f.read()):
                yield path, m.groups()


def readers():
    """{(section, first directive of the field): files below src}"""
    sources = [p for p in sorted(glob.glob("src/**/*.c", recursive=True)) if not p.startswith("src/gen/")]
    command = ["gcc", "-std=gnu11", "-include", CONFIG, "-Isrc", "-Ibuild/gen", MARK, "-fsyntax-only",
               "-fdiagnostics-plain-output"]
    found = collections.defaultdict(set)
    half = len(sources) // 2
    jobs = [subprocess.Popen(command + part, stderr=subprocess.PIPE, text=True)
            for part in (sources[:half], sources[half:])]
    for text in [j.communicate()[1] for j in jobs]:
        for m in re.finditer(r"^src/([^:]+):\d+:\d+: warning: .* deprecated: FIELD (\w+) ([\w-]+)", text, re.M):
            found[m.group(2), m.group(3)].add(m.group(1))
    if any(j.returncode for j in jobs):
        sys.exit("the sources do not compile")
    return found


def main():
    if not os.path.exists(CONFIG):
        print("run ./configure in the source tree first")
        return 77
    found, bad, first, names = readers(), [], {}, collections.defaultdict(set)
    every = list(rows())
    for _, (form, section, name, field, _, rest) in every:
        first.setdefault((section, field), (section, name))
        names[section, field].add(name)
    for path, (form, section, name, field, _, rest) in every:
        who = found[first[section, field]] - {"conf/directive.c"}  # the table itself
        acting = {p for p in who if not p.startswith(("conf/", "bus/", "ctl/"))}
        where = f"{path}: {name}="
        owner = re.search(r'\.owner = "([^"]*)"', rest)
        argument = re.search(r"\.arg = (\w+)", rest)
        if "DIRECTIVE_INERT" in rest:
            if acting and not (owner and owner.group(1) in acting):
                bad.append(f"{where} is marked as inert, but is read by {' '.join(sorted(acting))}")
            if owner and not acting:
                bad.append(f"{where} is inert, so that it has no owner")
            continue
        if not owner:
            bad.append(f"{where} has no owner: it is read by {' '.join(sorted(who)) or 'nothing'}")
            continue
        owner = owner.group(1)
        if ".sockopt" in rest:
            if owner != "net/sockopt.c":
                bad.append(f"{where} is set by net/sockopt.c, not by {owner}")
            continue
        if owner == SHOWS_ALL and not acting:
            continue
        if owner not in who:
            # Several rows share the field, or it is read by name: the owner contains this row's name or argument.
            sort = argument.group(1).replace("PORT_ARG_", "PORT_") if argument else "-"
            with open("src/" + owner, encoding="utf-8") as f:
                if not re.search(rf"\b{sort}\b" if len(names[section, field]) > 1 else f'"{name}"', f.read()):
                    bad.append(f"{where} {owner} does not read it; {' '.join(sorted(who)) or 'nothing'} does")
            continue
        if len(acting - {owner}) > READERS_MAX and first[section, field] not in WIDE:
            bad.append(f"{where} is read in too many places: {' '.join(sorted(acting))}")
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
