#!/usr/bin/env python3
"""No function is dead or needlessly public: another object of src uses each global symbol of src. One that
only tests use has a comment in its header that says "tests"."""

import collections
import glob
import os
import re
import subprocess
import sys

OBJECTS = "build/obj"
FOR_TESTS = re.compile(r"\btests?\b", re.I)


def symbols(paths):
    """(path, kind, name) of each symbol"""
    out = subprocess.run(["nm", "-A", "-P"] + paths, capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        path, name, kind = line.split()[:3]
        yield path.rstrip(":"), kind, name


def is_declared_for_tests(name):
    """Is one of the declarations in a header headed, or followed, by a comment about tests?"""
    for path in glob.glob("src/**/*.h", recursive=True):
        with open(path, encoding="utf-8") as f:
            lines = f.read().split("\n")
        for i, line in enumerate(lines):
            if not re.search(rf"\b{name}\b[\[(;]", line) or line.startswith(("//", " ")):
                continue
            above = i
            while above > 0 and lines[above - 1].startswith("//"):
                above -= 1
            if FOR_TESTS.search("\n".join(lines[above:i])) or FOR_TESTS.search(line.partition("//")[2]):
                return True
    return False


def main():
    ours = glob.glob(OBJECTS + "/src/**/*.o", recursive=True)
    # An old build still has the objects of files that have moved.
    ours = [o for o in ours if os.path.exists(o[len(OBJECTS) + 1:-2] + ".c")]
    if len(ours) < len(glob.glob("src/**/*.c", recursive=True)):
        print("run make tests-build first")
        return 77
    others = glob.glob(OBJECTS + "/tests/**/*.o", recursive=True)
    defined, used, used_by_tests = {}, collections.defaultdict(set), set()
    for path, kind, name in symbols(ours):
        if kind in "TDBRVW":
            defined[name] = path
        elif kind in "Uuvw":
            used[name].add(path)
    for _, kind, name in symbols(others):
        if kind in "Uuvw":
            used_by_tests.add(name)
    bad = []
    for name, path in sorted(defined.items(), key=lambda item: (item[1], item[0])):
        if name == "main" or used[name]:
            continue
        source = path[len(OBJECTS) + 1:-2] + ".c"
        with open(source, encoding="utf-8") as f:
            is_used_inside = len(re.findall(rf"^\s+.*\b{name}\b|\b{name}\b,|= .*\b{name}\b", f.read(), re.M)) > 0
        if name in used_by_tests:
            if not is_declared_for_tests(name):
                bad.append(f"{source}: only tests use {name}, and its header does not say so")
        else:
            bad.append(f"{source}: {name} " + ("is used in this file only: make it static" if is_used_inside else
                                               "is used by nobody"))
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
