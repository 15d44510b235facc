#!/usr/bin/env python3
"""The largest possible chain of units that depend on one another: a failure of the last unit
reaches the first, and usherd survives."""

import os

from daemon import WRAPPER, case, eventually, main, own_folder

LONG, SHORT = (3000, 1000) if WRAPPER else (120000, 20000)
# Loading and failing so many is a matter of seconds; with sanitizers of a minute.
PATIENCE = 180.0


def write(d, name, *lines):
    with open(os.path.join(d.units, name), "w", encoding="ascii") as file:
        file.write("[Unit]\nDefaultDependencies=no\n" + "\n".join(lines) + "\n")


def chain(d, n, needs, *common, program="/bin/false"):
    """c0.target needs c1.target, and so on, by one of `needs` in turn; the last is a service."""
    own_folder(d.units)
    last = f"c{n - 1}.service"
    for i in range(n - 1):
        other = f"c{i + 1}.target" if i + 2 < n else last
        write(d, f"c{i}.target", f"After={other}", *(f"{k}={other}" for k in needs[i % len(needs)]), *common)
    write(d, last, *common, "[Service]", "Type=oneshot", "RemainAfterExit=yes", f"ExecStart={program}")


def count_failed(d):
    return sum("Dependency failed for c" in line for line in d.log().splitlines())


def start(d, n):
    d.start("--units", d.units, "--target", "c0.target", wait=False)
    eventually(lambda: count_failed(d) == n - 1, f"{n - 1} failed jobs", PATIENCE)


@case
def as_many_as_there_may_be(d):
    chain(d, LONG, [["Requires"]])
    start(d, LONG)
    lines = [line for line in d.log().splitlines() if "Dependency failed" in line]
    # From the end to the begin, each once.
    assert lines[0].startswith(f"c{LONG - 2}.target:") and lines[-1].startswith("c0.target:"), lines[:1]
    assert d.ctl("is-failed", f"c{LONG - 1}.service").stdout == "failed\n"
    assert "No jobs" in d.ctl("list-jobs").stdout
    # Nobody needs the others any more, and they go as quickly.
    eventually(lambda: "c0.target" not in d.ctl("list-units", "--all").stdout, "units to be unloaded", PATIENCE)


@case
def of_all_kinds(d):
    chain(d, SHORT, [["Requires"], ["BindsTo"], ["Requires", "PartOf"], ["BindsTo", "PropagatesStopTo"]],
          "OnFailure=handler.service")
    write(d, "handler.service", "[Service]", "Type=oneshot", "RemainAfterExit=yes", "ExecStart=/bin/true")
    start(d, SHORT)
    eventually(lambda: d.show("handler.service", "ActiveState") == "active", "the handler")
    assert d.ctl("is-failed", f"c{SHORT - 1}.service").stdout == "failed\n"
    # All over again, though some may be unloaded by now: a unit is never there without what it needs.
    d.ctl("start", "--no-block", "c5.target", timeout=PATIENCE)
    eventually(lambda: count_failed(d) == 2 * (SHORT - 1) - 5, "as many once more", PATIENCE)


@case
def up_and_down(d):
    chain(d, SHORT, [["Requires"], ["BindsTo"]], program="/bin/true")
    d.start("--units", d.units, "--target", "c0.target", wait=False)
    d.logged("Reached target c0.target", patience=PATIENCE)
    write(d, "c7.target", "After=c8.target", "Requires=c8.target", "Description=seven")
    d.ctl("daemon-reload", timeout=PATIENCE, check=True)
    d.ctl("restart", "--no-block", f"c{SHORT - 1}.service", timeout=PATIENCE)
    d.logged("Reached target c0.target", 2, patience=PATIENCE)
    d.logged("Reached target c7.target - seven", patience=PATIENCE)
    d.stop()
    assert f"Stopped c{SHORT - 1}.service" in d.log()


@case
def shown_as_a_tree(d):
    for i in range(100):
        write(d, f"c{i}.target", f"Wants=c{i + 1}.target")
    d.start("--units", d.units, "--target", "c0.target")
    lines = d.ctl("list-dependencies", "c0.target", check=True).stdout.splitlines()
    assert len(lines) == 65 and "c63.target" in lines[-2] and lines[-1].split() == ["..."], lines[-3:]


main()
