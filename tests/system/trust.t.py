#!/usr/bin/env python3
"""Unit files that users other than root can write: the system supervisor refuses them, says so, and starts the others."""

import os
import shutil
import subprocess

from daemon import BUILD, USHERCTL, USHERD, answer, case, main, need_root, run

UID = 65534
SERVICE = "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n"


def configured(d, more=""):
    """usherd whose units are in the folder that usher.conf names: root's."""
    conf = d.file("usher.conf", f"UnitPath = '{d.units}'\n{more}", 0o644)
    return ("--config", conf)


# Difference: writable-units
@case
def refused(d):
    """Files, drop-ins and links of others: each says why, and every verb shows it."""
    need_root()
    for name in ("good", "owned", "group", "dropin", "wanted"):
        d.unit(f"{name}.service", SERVICE)
    os.chown(f"{d.units}/owned.service", UID, UID)
    os.chmod(f"{d.units}/group.service", 0o664)
    os.chown(d.unit("dropin.service.d/x.conf", "[Service]\nExecStartPre=/bin/true\n"), UID, UID)
    elsewhere = d.file("linked.service", SERVICE, 0o644)
    os.chown(elsewhere, UID, UID)
    os.symlink(elsewhere, f"{d.units}/linked.service")
    os.mkdir(f"{d.units}/multi-user.target.wants")
    os.symlink("../wanted.service", f"{d.units}/multi-user.target.wants/wanted.service")
    os.chown(f"{d.units}/multi-user.target.wants", UID, UID)
    d.start(*configured(d))
    reasons = {"owned": "user 65534 owns it (chown root)", "group": "its group may write it (chmod g-w)",
               "dropin": "user 65534 owns it (chown root)", "linked": "user 65534 owns it (chown root)"}
    for name, reason in reasons.items():
        assert d.ctl("start", f"{name}.service").returncode != 0, name
        assert d.show(f"{name}.service", "LoadState") == "error", name
        assert reason in d.ctl("status", f"{name}.service").stdout, name
        assert reason in d.ctl("cat", f"{name}.service").stderr, name
        assert reason in d.ctl("enable", f"{name}.service").stderr, name
        assert d.ctl("is-enabled", f"{name}.service").stdout == "bad\n", name
    listed = d.ctl("list-unit-files").stdout
    assert "usherctl lint says" in listed and "bad" in listed, listed
    d.logged(r"owned\.service: Refused: user 65534 owns it .*RefuseWritableUnits=no in usher\.conf allows it")
    d.logged(r"multi-user\.target\.wants: Refused: user 65534 owns it")
    assert d.show("wanted.service", "ActiveState") == "inactive"
    assert d.ctl("start", "good.service").returncode == 0
    lint = d.ctl("lint", "--config", f"{d.folder}/usher.conf")
    assert lint.returncode == 1 and lint.stderr.count("Refused: ") == 4, lint.stderr


@case
def offline_verbs(d):
    """The same without a supervisor."""
    need_root()
    conf = configured(d)
    os.chown(d.unit("owned.service", SERVICE), UID, UID)
    for verb in ("cat", "enable", "lint"):
        result = run(USHERCTL, *conf, "--runtime-dir", f"{d.folder}/none", verb, "owned.service")
        assert "user 65534 owns it" in result.stderr, (verb, result)
        assert (result.returncode == 0) == (verb == "cat"), (verb, result)
    listed = run(USHERCTL, *conf, "--runtime-dir", f"{d.folder}/none", "list-unit-files").stdout
    assert "bad" in listed, listed
    os.makedirs(f"{d.units}-preset")
    with open(f"{d.units}-preset/x.preset", "w", encoding="ascii") as file:
        file.write("enable *\n")
    os.chmod(f"{d.units}-preset/x.preset", 0o666)
    preset = run(USHERCTL, *conf, "--runtime-dir", f"{d.folder}/none", "preset", "owned.service")
    assert preset.returncode != 0 and "everybody may write it" in preset.stderr, preset
    assert not os.path.exists(f"{d.units}/multi-user.target.wants")


@case
def a_folder_of_units(d):
    """What a folder has that is not to be trusted is refused, and hides nothing but itself."""
    need_root()
    d.unit("a.service", SERVICE)
    os.symlink("/dev/null", f"{d.units}/masked.service")
    later = f"{d.folder}/later"
    os.mkdir(later)
    for name in ("a", "b", "masked"):
        shutil.copy(f"{d.units}/a.service", f"{later}/{name}.service")
    os.chmod(d.units, 0o775)
    conf = d.file("usher.conf", f"UnitPath = '{d.units} {later}'\n", 0o644)
    d.start("--config", conf)
    d.logged(r"units: Refused: its group may write it \(chmod g-w\)")
    assert d.ctl("start", "a.service").returncode != 0
    assert d.show("a.service", "FragmentPath") == f"{d.units}/a.service"
    assert d.show("masked.service", "LoadState") == "masked"
    assert d.ctl("start", "b.service").returncode == 0
    os.chmod(d.units, 0o755)
    d.ctl("daemon-reload", check=True)
    assert d.ctl("start", "a.service").returncode == 0


@case
def given_folders(d):
    """The command line trusts a folder with its owner, but not with whoever may write to it."""
    need_root()
    os.chown(d.unit("a.service", SERVICE), UID, UID)
    os.chown(d.units, UID, UID)
    d.unit("root.service", SERVICE)
    os.chown(d.unit("other.service", SERVICE), 1, 1)
    d.start(d.units)
    assert d.ctl("start", "a.service", "root.service").returncode == 0
    assert d.ctl("start", "other.service").returncode != 0
    d.stop()
    os.chmod(d.units, 0o777)
    d.start(d.units)
    assert d.ctl("start", "a.service").returncode != 0
    d.logged(r"units: Refused: everybody may write it")


@case
def read_only_mounts(d):
    """ConfigMaps of Kubernetes: 0777 on a mount that is read-only, files behind two links."""
    need_root()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0777", "tmpfs", d.units], check=True)
    os.mkdir(f"{d.units}/..2026", 0o777)
    os.chmod(f"{d.units}/..2026", 0o777)
    with open(f"{d.units}/..2026/a.service", "w", encoding="ascii") as file:
        file.write(SERVICE)
    os.chmod(f"{d.units}/..2026/a.service", 0o666)
    os.symlink("..2026", f"{d.units}/..data")
    os.symlink("..data/a.service", f"{d.units}/a.service")
    subprocess.run(["mount", "-o", "remount,ro", d.units], check=True)
    d.start(*configured(d))
    assert d.ctl("start", "a.service").returncode == 0, d.log()
    d.stop()
    subprocess.run(["umount", d.units], check=True)


@case
def sticky_folders(d):
    """Where everybody may put something nobody else's counts, by whatever name."""
    need_root()
    d.unit("a.service", SERVICE)
    os.chmod(d.units, 0o1777)
    os.symlink("a.service", f"{d.units}/alias.service")
    os.chown(f"{d.units}/alias.service", UID, UID, follow_symlinks=False)
    os.symlink(d.file("root.service", SERVICE, 0o644), f"{d.units}/link.service")
    os.chown(f"{d.units}/link.service", UID, UID, follow_symlinks=False)
    os.chown(d.unit("own.service", SERVICE), UID, UID)
    d.start(*configured(d))
    assert d.ctl("start", "a.service").returncode == 0
    for name in ("alias", "link", "own"):
        assert d.ctl("start", f"{name}.service").returncode != 0, name


@case
def usher_conf(d):
    """The file itself: neither its own word nor a reload helps it, and what counted before stays."""
    need_root()
    d.unit("a.service", SERVICE)
    os.makedirs("/etc/usher", exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/etc/usher"], check=True)
    conf = "/etc/usher/usher.conf"
    with open(conf, "w", encoding="ascii") as file:
        file.write(f"UnitPath = '{d.units}'\nRefuseWritableUnits = no\n")
    command = (USHERD, "--runtime-dir", d.runtime)
    for owner, mode, reason in ((UID, 0o644, "user 65534 owns it"), (0, 0o664, "its group may write it")):
        os.chown(conf, owner, owner)
        os.chmod(conf, mode)
        failed = run(*command)
        assert failed.returncode == 1 and reason in failed.stderr, failed
    os.chmod(conf, 0o644)
    os.chmod("/etc/usher", 0o777)
    failed = run(*command)
    assert failed.returncode == 1 and "everybody may write it" in failed.stderr, failed
    os.chmod("/etc/usher", 0o755)
    d.start("--log-level=info")
    assert d.ctl("start", "a.service").returncode == 0
    os.chown(conf, UID, UID)
    assert d.ctl("daemon-reload").returncode != 0
    assert d.show("a.service", "ActiveState") == "active"
    d.stop()
    # Named on the command line it is trusted with its owner.
    d.start("--config", conf)
    d.stop()
    subprocess.run(["umount", "/etc/usher"], check=True)


@case
def allowed(d):
    """RefuseWritableUnits=no, systemd's way, and a user's own supervisor: a notice, no more."""
    need_root()
    path = d.unit("a.service", SERVICE)
    for more, *args in (("RefuseWritableUnits = no\n",), ("", "--compat=systemd")):
        os.chown(path, UID, UID)
        os.chmod(path, 0o666)
        d.start(*args, *configured(d, more))
        assert d.ctl("start", "a.service").returncode == 0, d.log()
        d.logged("is marked world-writable")
        d.stop()
        os.unlink(d.log_path)
    os.chmod(d.folder, 0o777)
    shutil.rmtree(d.runtime, ignore_errors=True)
    subprocess.run(["chmod", "-R", "a+rX", BUILD], check=False)
    if run("setpriv", "--reuid=1", "--regid=1", "--clear-groups", "test", "-x", USHERD).returncode == 0:
        d.start(*configured(d), preexec_fn=lambda: (os.setgid(1), os.setuid(1)))
        assert d.ctl("start", "a.service").returncode == 0, d.log()


@case
def a_reload(d):
    """A file that becomes somebody else's takes nothing down, and what it says now does not count."""
    need_root()
    d.unit("echo.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    d.unit("echo@.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n")
    path = d.unit("a.service", SERVICE)
    d.start(*configured(d))
    assert d.ctl("start", "a.service").returncode == 0
    pid = d.show("a.service", "MainPID")
    os.chown(path, UID, UID)
    d.unit("a.service", SERVICE.replace("[Service]", "[Unit]\nDescription=Not to be trusted\n[Service]"))
    result = d.ctl("daemon-reload")
    assert result.returncode == 1 and "owns it" in result.stderr, result
    assert d.show("a.service", "Description") == "a.service"
    assert "owns it" in d.show("a.service", "LoadError")
    assert d.show("a.service", "MainPID") == pid
    os.kill(int(pid), 0)
    assert answer(("127.0.0.1", 7001), b"hi") == b"hi"
    os.chown(path, 0, 0)
    d.ctl("daemon-reload", check=True)
    assert d.show("a.service", "Description") == "Not to be trusted"
    assert "owns it" not in d.show("a.service", "LoadError")


if __name__ == "__main__":
    main()
