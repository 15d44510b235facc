#!/usr/bin/env python3
"""Nothing is declared in vain: each function of a table of functions (struct NAME_ops and the like) is
called, the variable that an option sets is read outside the file that parses options, and so is each field of
struct settings (usher.conf)."""

import glob
import re
import sys

STRUCT = re.compile(r"^struct (\w+) \{\n(.*?)^\}", re.M | re.S)
MEMBER = re.compile(r"^\s+[\w][^;()]*\(\*(?:const )?(\w+)(?:\[\w*\])?\)\(", re.M)
OPTIONS = {  # the structs that contain options: the file that fills them
    "options": "src/daemon/options.c",
    "ctl": "src/ctl/options.c",
}
NO_EFFECT = {"NO_PAGER": "there is no pager; systemctl has the option"}


def is_for_tests(path, member):
    """Does the comment above say that tests call it?"""
    with open(path, encoding="utf-8") as f:
        above = f.read().partition(f"(*{member})")[0].split("\n")[:-1]
    while above and above[-1].lstrip().startswith("//"):
        if re.search(r"\btests\b", above.pop(), re.I):
            return True
    return False


def read(path):
    with open(path, encoding="utf-8") as f:
        return re.sub(r"//[^\n]*", "", f.read())


def unread_settings(sources):
    """A copy of one struct settings to another is no reading."""
    path = "src/conf/settings.h"
    body = re.search(r"^struct settings \{\n(.*?)^\}", sources[path], re.M | re.S).group(1)
    for field in re.findall(r"(\w+)(?=[;,])", body):
        copy = re.compile(rf"(?:->|\.){field} = \w+->{field};")
        if not any(re.search(rf"(?:->|\.){field}\b", copy.sub("", text))
                   for p, text in sources.items() if p not in (path, "src/conf/settings.c")):
            yield f"{path}: nothing reads {field} of struct settings"


def main():
    sources = {p: read(p) for p in glob.glob("src/**/*.[ch]", recursive=True)}
    bad = []
    everything = "\n".join(sources.values())
    for path, text in sorted(sources.items()):
        for name, body in STRUCT.findall(text):
            if name.startswith("sys_"):
                continue  # structs of the kernel
            for member in MEMBER.findall(body):
                if not re.search(rf"(?:->|\.){member}\b\s*(?:\[|\)|\(|&&|\?|;|,|!=|==)", everything):
                    if not is_for_tests(path, member):
                        bad.append(f"{path}: nothing calls {member}() of struct {name}")
            if name in OPTIONS:
                for field in re.findall(r"(\w+)(?:\[\w+\])?(?=[;,])", body):
                    users = [p for p, t in sources.items()
                             if re.search(rf"(?:->|\.){field}\b" if p != OPTIONS[name] else
                                          rf"(?:->|\.){field}\b(?! = )", t)]
                    if not users:
                        bad.append(f"{path}: nothing reads {field} of struct {name}")
    bad += unread_settings(sources)
    for table, source, prefix in (("src/daemon/options.def", "src/daemon/options.c", "OPT_"),
                                  ("src/ctl/options.def", "src/ctl/options.c", "OPTION_")):
        for name in re.findall(r"^\w*OPTION\((\w+),", read(table), re.M):
            if name not in NO_EFFECT and not re.search(rf"\b{prefix}{name}\b", sources[source]):
                bad.append(f"{source}: does not handle {prefix}{name}")
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
