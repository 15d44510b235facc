#!/usr/bin/env python3
"""Which units usherd starts: those of its folders, those of systemd's, but never those that boot a machine."""

import os

from daemon import USHERD, WRAPPER, Skip, answer, case, eventually, main, own_folder, run

CAT = "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n"
VENDOR = "/usr/lib/systemd/system"
ADMINISTRATOR = "/etc/systemd/system"


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def link(folder, name, target):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.symlink(target, path)


def echo(folder, name, port, install=""):
    write(folder, f"{name}.socket", f"[Socket]\nListenStream=127.0.0.1:{port}\nAccept=yes\n{install}")
    write(folder, f"{name}@.service", CAT)


def enable(folder, unit):
    link(folder, f"sockets.target.wants/{unit}", f"../{unit}")


def mark(d, name, more=""):
    return f"[Unit]\nDefaultDependencies=no\n{more}[Service]\nType=oneshot\nRemainAfterExit=yes\n" \
           f"ExecStart=/bin/sh -c 'echo x >>{d.folder}/{name}'\n"


def has_run(d, name):
    return os.path.exists(os.path.join(d.folder, name))


def image(d):
    """A machine with systemd's folders, whose boot would leave marks."""
    for folder in (VENDOR, ADMINISTRATOR):
        if not os.path.isdir(folder):
            raise Skip(f"there is no {folder} to cover")
        own_folder(folder)
    write(VENDOR, "sysinit.target", "[Unit]\nDefaultDependencies=no\n")
    write(VENDOR, "multi-user.target", "[Unit]\nRequires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n")
    link(VENDOR, "default.target", "multi-user.target")
    for name in ("systemd-tmpfiles-setup", "systemd-sysctl", "package-early"):
        write(VENDOR, f"{name}.service", mark(d, name))
        link(VENDOR, f"sysinit.target.wants/{name}.service", f"../{name}.service")
    write(VENDOR, "systemd-initctl.socket", f"[Socket]\nListenFIFO={d.folder}/initctl\n")
    link(VENDOR, "sockets.target.wants/systemd-initctl.socket", "../systemd-initctl.socket")
    write(VENDOR, "package-late.service", mark(d, "package-late"))
    link(ADMINISTRATOR, "multi-user.target.wants/package-late.service", f"{VENDOR}/package-late.service")
    echo(VENDOR, "package", 7101, "[Install]\nWantedBy=sockets.target\n")
    return {"SYSTEMD_UNIT_PATH": d.units + ":"}


def start_first(d, env):
    """usherd as PID 1 of a pid namespace."""
    d.start("--log-level=info", env=env, wrapper=["unshare", "-p", "-f", "--kill-child", "--mount-proc", *WRAPPER])


# ---- beside another init

@case
def systemd_units_needs_names(d):
    env = dict(os.environ, **image(d))
    result = run(USHERD, "--runtime-dir", d.runtime, "--systemd-units", env=env)
    assert result.returncode == 2, result
    assert "--target=ssh.socket" in result.stderr, result.stderr
    config = d.file("usher.conf", "SystemdUnits = yes\n", 0o644)
    result = run(USHERD, "--runtime-dir", d.runtime, "--config", config, "--log-target=stderr", env=dict(
        env, SYSTEMD_UNIT_PATH=""))
    assert result.returncode == 1, result
    assert "--target=ssh.socket" in result.stderr, result.stderr
    assert not has_run(d, "systemd-tmpfiles-setup") and not has_run(d, "package-late")


@case
def machine_is_not_booted_twice(d):
    env = image(d)
    write(VENDOR, "needs.service", mark(d, "needs", "Requires=systemd-sysctl.service helper.service\n"
                                                    "After=systemd-sysctl.service helper.service\n"))
    write(VENDOR, "helper.service", mark(d, "helper"))
    d.start("--systemd-units", "--target=package.socket", "needs.service", env=env)
    assert answer(("127.0.0.1", 7101)) == b"x"
    eventually(lambda: has_run(d, "needs"), "a service whose needs count as reached")
    assert has_run(d, "helper"), "what is needed is run"
    for name in ("systemd-tmpfiles-setup", "systemd-sysctl", "package-early", "package-late"):
        assert not has_run(d, name), f"{name} was run"
    assert d.show("sysinit.target", "ActiveState") == "active"
    assert d.show("systemd-sysctl.service", "ActiveState") == "active"
    assert "kernel" in d.show("systemd-sysctl.service", "Description")
    result = d.ctl("start", "systemd-tmpfiles-setup.service")
    assert result.returncode != 0 and not has_run(d, "systemd-tmpfiles-setup"), result


@case
def all_that_is_asked_for_but_the_boot(d):
    d.start("--systemd-units", "default.target", env=image(d))
    eventually(lambda: has_run(d, "package-late"), "what the machine's default.target wants")
    assert not has_run(d, "systemd-tmpfiles-setup") and not has_run(d, "package-early")
    assert d.show("systemd-initctl.socket", "ActiveState") == "active", "it counts as reached"
    assert not os.path.exists(os.path.join(d.folder, "initctl"))
    assert "systemd-initctl.service" not in d.ctl("list-units", "--all").stdout, "it triggers no service"


@case
def unit_that_is_not_run_still_has_its_file(d):
    d.start("--units", VENDOR, "--units", d.units, "multi-user.target", env=image(d))
    assert d.show("systemd-sysctl.service", "FragmentPath") == f"{VENDOR}/systemd-sysctl.service"
    assert f"echo x >>{d.folder}/systemd-sysctl" in d.ctl("cat", "systemd-sysctl.service", check=True).stdout
    assert not has_run(d, "systemd-sysctl")


@case
def folder_of_systemd_is_given(d):
    image(d)
    d.start("--units", VENDOR, "--units", d.units, "multi-user.target")
    assert d.show("multi-user.target", "ActiveState") == "active"
    assert not has_run(d, "systemd-tmpfiles-setup") and not has_run(d, "package-early")


@case
def file_of_usher_is_run_whatever_its_name(d):
    env = image(d)
    write(d.units, "systemd-sysctl.service", mark(d, "own"))
    d.start("--systemd-units", "systemd-sysctl.service", env=env)
    eventually(lambda: has_run(d, "own"), "a file of usher's own folder")


# ---- as PID 1

@case
def first_process_serves_both(d):
    env = image(d)
    echo(d.units, "own", 7102, "[Install]\nWantedBy=sockets.target\n")
    enable(d.units, "own.socket")
    echo(d.units, "plain", 7103)
    echo(d.units, "off", 7104, "[Install]\nWantedBy=sockets.target\n")
    start_first(d, env)
    eventually(lambda: has_run(d, "package-late"), "the image's default.target")
    eventually(lambda: answer(("127.0.0.1", 7102)) == b"x", "the enabled socket of usher's own folder")
    assert answer(("127.0.0.1", 7103)) == b"x"
    assert answer(("127.0.0.1", 7104)) == b"" and answer(("127.0.0.1", 7101)) == b"", "both are disabled"
    d.logged(r"off\.socket .*usherctl enable --now off\.socket")
    assert "package.socket" not in d.log()
    assert has_run(d, "systemd-tmpfiles-setup") and has_run(d, "package-early"), "a container has no other init"
    assert not has_run(d, "systemd-sysctl"), "the kernel is the machine's"
    d.kill()


@case
def first_process_has_a_target_of_its_own(d):
    env = image(d)
    write(d.units, "default.target", "[Unit]\nDefaultDependencies=no\nWants=mine.service\n")
    write(d.units, "mine.service", mark(d, "mine"))
    start_first(d, env)
    eventually(lambda: has_run(d, "mine"), "what the own default.target wants")
    assert not has_run(d, "package-late")
    d.kill()


# Difference: environment-in-container
@case
def first_process_passes_its_environment(d):
    env = image(d)
    write(d.units, "default.target", "[Unit]\nDefaultDependencies=no\nWants=mine.service\n")
    write(d.units, "mine.service", mark(d, "mine") + f"ExecStartPre=/bin/sh -c 'echo $$FLAVOUR >{d.folder}/flavour'\n")
    start_first(d, {**env, "FLAVOUR": "sweet"})
    eventually(lambda: has_run(d, "mine"), "the service")
    with open(f"{d.folder}/flavour", encoding="utf-8") as f:
        assert f.read() == "sweet\n"
    d.kill()


# ---- without a target

def three(d):
    echo(d.units, "on", 7111, "[Install]\nWantedBy=sockets.target\n")
    enable(d.units, "on.socket")
    echo(d.units, "off", 7112, "[Install]\nWantedBy=sockets.target\n")
    echo(d.units, "static", 7113)
    return {"SYSTEMD_UNIT_PATH": d.units}


def served(ports):
    return [port for port in ports if answer(("127.0.0.1", port)) == b"x"]


# Difference: disabled-stays-off
@case
def disabled_stays_off(d):
    d.start("--log-level=info", env=three(d))
    assert served((7111, 7112, 7113)) == [7111, 7113]
    assert d.show("off.socket", "ActiveState") == "inactive"
    d.logged(r"Not started.*: off\.socket \(usherctl enable --now off\.socket\)")
    assert d.ctl("enable", "--now", "off.socket").returncode == 0
    assert served((7112,)) == [7112]
    d.stop()
    assert d.ctl("--units", d.units, "disable", "off.socket").returncode == 0
    d.start("--log-level=info", env={"SYSTEMD_UNIT_PATH": d.units})
    assert served((7111, 7112, 7113)) == [7111, 7113], "it was disabled"


# Difference: mask-above
@case
def own_file_is_masked(d):
    """A file in the folder of the links, and one that only a mask of the runtime folder could hide."""
    three(d)
    d.start("--units", d.units)
    for words in ((), ("--runtime",)):
        result = d.ctl("mask", *words, "--now", "static.socket")
        assert result.returncode == 0, result
        assert f"{d.runtime}/units.control/static.socket" in result.stdout + result.stderr, result
        assert served((7113,)) == []
        result = d.ctl("start", "static.socket")
        assert result.returncode != 0 and "masked" in result.stderr, result
        d.stop()
        d.start("--units", d.units)
        assert served((7111, 7113)) == [7111], "it is masked at the next start, too"
        assert d.ctl("unmask", *words, "static.socket").returncode == 0
        assert d.ctl("start", "static.socket").returncode == 0
        assert served((7113,)) == [7113]
    d.stop()
    d.start("--units", d.units, "--compat=systemd")
    assert d.ctl("mask", "static.socket").returncode != 0


@case
def disabled_of_given_folder_is_started(d):
    three(d)
    d.start("--units", d.units)
    assert served((7111, 7112, 7113)) == [7111, 7112, 7113]
    assert "Not started" not in d.log()


@case
def compat_starts_what_links_want(d):
    d.start("--compat=systemd", env=three(d))
    assert served((7111, 7112, 7113)) == [7111]


@case
def names_are_operands(d):
    three(d)
    d.start(d.units, "off.socket", "static.socket")
    assert served((7111, 7112, 7113)) == [7112, 7113]


main()
