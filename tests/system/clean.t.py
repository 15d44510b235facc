#!/usr/bin/env python3
"""CleanUnit: what it removes and what it keeps, which jobs wait for it, links, large folders, clients without permission."""

import contextlib
import os
import shutil
import socket

from daemon import USHERCTL, case, eventually, main, need, need_root, run

FOLDERS = {"runtime": ("Runtime", "/run"), "state": ("State", "/var/lib"), "cache": ("Cache", "/var/cache"),
           "logs": ("Logs", "/var/log"), "configuration": ("Configuration", "/etc")}
NAME = "usher-test-clean"


def unit(d, more="", name="a.service", folder=NAME):
    lines = "".join(f"{key}Directory={folder}\n" for key, _ in FOLDERS.values())
    d.unit(name, f"[Service]\nType=oneshot\nRuntimeDirectoryPreserve=yes\n{lines}ExecStart=/bin/true\n{more}")


def begin(_):
    """Folders of the machine are hidden, so that only the test's are there."""
    need_root()
    for _, root in FOLDERS.values():
        if os.path.exists(f"{root}/usher-test-mount"):
            continue
        kept = {}
        for name in ("passwd", "group", "nsswitch.conf", "ld.so.cache", "localtime") if root == "/etc" else ():
            with contextlib.suppress(OSError), open(f"/etc/{name}", "rb") as file:
                kept[name] = file.read()
        run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", root, check=True)
        for name, text in {**kept, "usher-test-mount": b""}.items():
            with open(f"{root}/{name}", "wb") as file:
                file.write(text)
    for _, root in FOLDERS.values():
        path = f"{root}/{NAME}"
        if os.path.islink(path):
            os.unlink(path)
        elif os.path.exists(path):
            shutil.rmtree(path)


def made(d, name):
    path = os.path.join(d.folder, name)
    os.makedirs(path, exist_ok=True)
    return path


def there():
    return {kind for kind, (_, root) in FOLDERS.items() if os.path.lexists(f"{root}/{NAME}")}


ALL = set(FOLDERS)
# --what, and what is left.
ROWS = [
    ((), ALL - {"runtime", "cache"}),
    (("--what=state",), ALL - {"state"}),
    (("--what=logs,cache",), ALL - {"logs", "cache"}),
    (("--what=configuration",), ALL - {"configuration"}),
    (("--what=all",), set()),
]


@case
def what_is_removed(d):
    begin(d)
    unit(d)
    d.start()
    assert d.show("a.service", "CanClean").split() == ["runtime", "state", "cache", "logs", "configuration"]
    for words, left in ROWS:
        d.ctl("start", "a.service", check=True)
        assert there() == ALL, there()
        for _, root in FOLDERS.values():
            os.makedirs(f"{root}/{NAME}/deep/er", exist_ok=True)
        result = d.ctl("clean", "a.service", *words)
        assert result.returncode == 0 and not result.stderr, result
        assert there() == left, (words, there())
        assert d.show("a.service", "SubState") == "dead" and d.show("a.service", "CleanResult") == "success"


@case
def what_is_refused(d):
    begin(d)
    unit(d, "RemainAfterExit=yes\n")
    d.unit("plain.service", "[Service]\nExecStart=/bin/true\n")
    d.unit("a.target", "[Unit]\n")
    d.unit("masked.service", "")
    d.start()
    d.ctl("start", "a.service", check=True)
    rows = [(("a.service",), "Failed to clean unit a.service: Unit is not inactive or has pending job."),
            (("plain.service",), "No matching resources found."),
            (("a.service", "--what=tea"), "Invalid resource type: tea"),
            (("a.target",), "Unit 'a.target' does not support cleaning."),
            (("masked.service",), "Unit masked.service is masked."),
            (("none.service",), "Unit none.service not found.")]
    for words, text in rows:
        result = d.ctl("clean", *words)
        assert result.returncode != 0 and text in result.stderr, (words, result)
    assert there() == ALL
    result = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", USHERCTL, "--runtime-dir", d.runtime,
                 "clean", "a.service")
    assert result.returncode != 0 and there() == ALL, result
    # One that can be cleaned is, though another one cannot.
    d.ctl("stop", "a.service", check=True)
    assert d.ctl("clean", "plain.service", "a.service", "--what=all").returncode == 1
    assert there() == set()


@case
def links_are_not_followed(d):
    begin(d)
    victim = made(d, "victim")
    with open(f"{victim}/precious", "w", encoding="utf-8"):
        pass
    unit(d, f"User=65534\nStateDirectory={NAME}/sub/deep\n")
    d.start()
    d.ctl("start", "a.service", check=True)
    state = f"/var/lib/{NAME}"
    # Its user has put links in the place of what usherd will remove.
    os.rmdir(f"{state}/sub/deep")
    os.rmdir(f"{state}/sub")
    os.symlink(victim, f"{state}/sub")
    os.lchown(f"{state}/sub", 65534, 65534)
    made(d, "victim/deep")
    with open(f"{victim}/deep/precious", "w", encoding="utf-8"):
        pass
    os.symlink(victim, f"{state}/link")
    os.rmdir(f"/var/cache/{NAME}")
    os.symlink(victim, f"/var/cache/{NAME}")
    d.ctl("clean", "a.service", "--what=all")
    assert os.path.exists(f"{victim}/precious") and os.path.exists(f"{victim}/deep/precious")
    assert not os.path.lexists(f"/var/cache/{NAME}")


@case
def a_start_waits(d):
    """A large folder: the loop answers, the unit is in maintenance, a start is not lost, a stop ends it."""
    begin(d)
    unit(d)
    d.unit("a.socket", "[Socket]\nListenStream=127.0.0.1:7001\n")
    d.start()
    d.ctl("start", "a.service", check=True)
    for i in range(200):
        os.makedirs(f"/var/lib/{NAME}/{i}")
        for j in range(100):
            with open(f"/var/lib/{NAME}/{i}/{j}", "w", encoding="utf-8"):
                pass
    d.ctl("clean", "--no-block", "--what=state", "a.service", check=True)
    state = d.show("a.service", "ActiveState")
    assert state in ("maintenance", "inactive"), state
    if state == "maintenance":
        assert d.show("a.service", "SubState") in ("cleaning", "dead")
        again = d.ctl("clean", "a.service")
        assert again.returncode == 0 or "Unit is not inactive" in again.stderr, again
    assert d.show("a.socket", "SubState") == "listening"
    d.ctl("start", "a.service", check=True)
    assert os.listdir(f"/var/lib/{NAME}") == [], "what the new start made is not removed"


@case
def time_limit(d):
    begin(d)
    unit(d, "TimeoutCleanSec=1us\n")
    d.start()
    d.ctl("start", "a.service", check=True)
    for i in range(3000):
        os.mkdir(f"/var/lib/{NAME}/{i}")
    result = d.ctl("clean", "--what=state", "a.service")
    assert result.returncode == 1 and "timeout" in result.stderr, result
    assert d.show("a.service", "ActiveState") == "inactive"
    assert d.show("a.service", "CleanResult") == "timeout"
    d.logged("Cleaning timed out")
    assert "name service" not in d.log()
    d.ctl("reset-failed", "a.service", check=True)
    assert d.show("a.service", "CleanResult") == "success"
    d.ctl("start", "a.service", check=True)


@case
def stored_descriptors(d):
    d.unit("f.service", "[Service]\nType=notify\nNotifyAccess=all\nFileDescriptorStoreMax=4\n"
           f"FileDescriptorStorePreserve=yes\nExecStart={d.file('store', STORE)}\n")
    d.start()
    d.ctl("start", "f.service", check=True)
    eventually(lambda: d.show("f.service", "NFileDescriptorStore") == "1", "the descriptor")
    d.ctl("stop", "f.service", check=True)
    assert d.show("f.service", "SubState") == "dead-resources-pinned"
    assert d.show("f.service", "CanClean") == "fdstore"
    d.ctl("clean", "f.service", check=True)
    assert d.show("f.service", "SubState") == "dead" and d.show("f.service", "NFileDescriptorStore") == "0"


STORE = """#!/usr/bin/env python3
import array, os, socket, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
path = os.environ["NOTIFY_SOCKET"]
s.connect("\\0" + path[1:] if path[0] == "@" else path)
s.sendmsg([b"READY=1\\nFDSTORE=1\\nFDPOLL=0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [os.open("/dev/null", 0)]))])
time.sleep(600)
"""


@case
def busctl(d):
    """systemctl asks the bus daemon for this, and never the private socket: busctl can be given an address."""
    need("busctl")
    begin(d)
    unit(d, "RemainAfterExit=yes\n")
    d.start()
    d.ctl("start", "a.service", check=True)
    call = ("busctl", f"--address=unix:path={d.runtime}/systemd/private", "call", "org.freedesktop.systemd1")
    manager = ("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "CleanUnit", "sas", "a.service", "1")
    object_ = ("/org/freedesktop/systemd1/unit/a_2eservice", "org.freedesktop.systemd1.Unit", "Clean", "as", "1")
    for method in (manager, object_):
        assert "Unit is not inactive" in run(*call, *method, "all").stderr
        d.ctl("stop", "a.service", check=True)
        assert "Invalid resource type: tea" in run(*call, *method, "tea").stderr
        other = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *call, *method, "all")
        assert other.returncode != 0 and there() == ALL, other
        result = run(*call, *method, "all")
        assert result.returncode == 0, result
        eventually(lambda: there() == set(), "the folders to go")
        eventually(lambda: d.show("a.service", "ActiveState") == "inactive", "the end of cleaning")
        d.ctl("start", "a.service", check=True)
    assert "CanClean=runtime state cache logs configuration" in d.systemctl("show", "a.service", "-p", "CanClean").stdout


@case
def marked_units(d):
    """reload-or-restart --marked restarts what packages have marked, and nothing else."""
    need("busctl")
    for name in ("m", "n"):
        d.unit(f"{name}.service", "[Service]\nExecStart=/bin/sleep 600\n")
    d.start()
    d.ctl("start", "m.service", "n.service", check=True)
    before = {name: d.show(f"{name}.service", "MainPID") for name in ("m", "n")}
    run("busctl", f"--address=unix:path={d.runtime}/systemd/private", "call", "org.freedesktop.systemd1",
        "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "SetUnitProperties", "sba(sv)", "m.service",
        "true", "1", "Markers", "as", "1", "needs-restart", check=True)
    d.ctl("reload-or-restart", "--marked", check=True)
    after = {name: d.show(f"{name}.service", "MainPID") for name in ("m", "n")}
    assert before["m"] != after["m"] and before["n"] == after["n"], (before, after)
    assert d.ctl("reload-or-restart").returncode == 1
    assert "either units or --marked" in d.ctl("reload-or-restart", "--marked", "m.service").stderr


main()
