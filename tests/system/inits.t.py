#!/usr/bin/env python3
"""contrib/init: usherd under other inits, started, reloaded and stopped by their own tools."""

import os
import shutil
import signal
import subprocess

from daemon import SRC, USHERCTL, USHERD, Skip, case, eventually, main, need, need_root, run, talk

INIT = os.path.join(SRC, "contrib/init")
RUNTIME = "/run/usher"


def installed(d):
    """What "make install" and the administrator bring, in folders that only this test sees."""
    need_root()
    for folder in ("/run", "/usr/local/sbin", "/usr/local/bin", "/var/log", "/etc"):
        if folder == "/etc":
            work = os.path.join(d.folder, "etc")
            os.mkdir(work)
            run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", work, check=True)
            run("cp", "-a", "/etc/.", work)
            run("mount", "--move", work, "/etc", check=True)
        else:
            run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", folder, check=True)
    for program, where in ((USHERD, "sbin"), (USHERCTL, "bin")):
        shutil.copy(program, f"/usr/local/{where}/")
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    os.environ.pop("USHER_RUNTIME_DIR", None)
    os.makedirs("/etc/usher", exist_ok=True)
    unit("echo.socket", "[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n")
    unit("echo@.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n")


def unit(name, text):
    with open(f"/etc/usher/{name}", "w", encoding="ascii") as file:
        file.write(text)


def put(name, path):
    """Where the comment of the file says that it goes; executable as in the checkout."""
    source = os.path.join(INIT, name)
    with open(source, encoding="utf-8") as file:
        assert path in file.read(), f"{name} does not name {path}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shutil.copy(source, path)


def is_served():
    try:
        return talk(("127.0.0.1", 7001), b"x") == b"x"
    except OSError:
        return False


def is_gone():
    return run("pidof", "usherd").returncode != 0 and not is_served()


def check(reload, stop):
    """It serves; a reload opens what was added; the stop ends it."""
    eventually(is_served, "usherd to serve")
    unit("more.socket", "[Socket]\nListenStream=127.0.0.1:7002\nAccept=yes\n")
    unit("more@.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n")
    run(*reload, check=True)
    eventually(lambda: run("usherctl", "show", "-P", "LoadState", "more.socket").stdout == "loaded\n")
    run("usherctl", "start", "more.socket", check=True)
    assert talk(("127.0.0.1", 7002), b"y") == b"y"
    run(*stop, check=True, timeout=200)
    eventually(is_gone, "usherd to be gone")


@case
def syntax(d):
    for name in os.listdir(INIT):
        with open(os.path.join(INIT, name), encoding="utf-8") as file:
            is_script = file.readline().startswith("#!")
        if is_script:
            assert os.access(os.path.join(INIT, name), os.X_OK), name
            run("sh", "-n", os.path.join(INIT, name), check=True)
    names = ("openrc", "runit-run", "runit-log-run", "s6-run", "dinit", "finit.conf", "sysvinit")
    assert sorted(os.listdir(INIT)) == sorted(names), "each of them is tried here, or said to be untried"


@case
def sysvinit(d):
    need("start-stop-daemon")
    installed(d)
    script = "/etc/init.d/usherd"
    put("sysvinit", script)
    assert run(script, "status").returncode == 3
    answer = run(script, "start")
    with open("/var/log/usherd.log", encoding="utf-8") as file:
        assert answer.returncode == 0, (answer, file.read())
    assert is_served(), "start returns when the sockets listen"
    run(script, "start", check=True)
    assert run(script, "status").returncode == 0
    run(script, "restart", check=True)
    assert is_served()
    assert os.stat("/var/log/usherd.log").st_mode & 0o077 == 0
    check([script, "reload"], [script, "stop"])
    assert run(script, "status").returncode == 3 and not os.path.exists("/run/usherd.pid")
    run(script, "stop", check=True)


@case
def runit(d):
    for program in ("runsvdir", "sv", "svlogd"):
        need(program)
    installed(d)
    put("runit-run", "/etc/sv/usherd/run")
    put("runit-log-run", "/etc/sv/usherd/log/run")
    os.makedirs("/run/service")
    os.symlink("/etc/sv/usherd", "/run/service/usherd")
    os.environ["SVDIR"] = "/run/service"
    with subprocess.Popen(["runsvdir", "/run/service"], stdin=subprocess.DEVNULL) as runsvdir:
        eventually(is_served, "usherd to serve")
        with open("/var/log/usherd/current", encoding="utf-8") as file:
            eventually(lambda: file.seek(0) == 0 and "Listening on echo.socket" in file.read(), "its log")
        check(["sv", "reload", "usherd"], ["sv", "-w", "60", "down", "usherd"])
        run("sv", "exit", "usherd")
        runsvdir.send_signal(signal.SIGHUP)


@case
def s6(d):
    for program in ("s6-svscan", "s6-svc"):
        need(program)
    installed(d)
    put("s6-run", "/etc/s6/sv/usherd")
    scan = "/run/scan"
    os.makedirs(f"{scan}/usherd")
    shutil.copy(os.path.join(INIT, "s6-run"), f"{scan}/usherd/run")
    with open(f"{scan}/usherd/timeout-kill", "w", encoding="ascii") as file:
        file.write("180000\n")
    with subprocess.Popen(["s6-svscan", scan], stdin=subprocess.DEVNULL):
        check(["s6-svc", "-h", f"{scan}/usherd"], ["s6-svc", "-wD", "-d", f"{scan}/usherd"])
        run("s6-svscanctl", "-t", scan, check=True)


@case
def openrc(d):
    if not shutil.which("openrc-run", path="/sbin:/usr/sbin"):
        raise Skip("this machine has no OpenRC")
    installed(d)
    put("openrc", "/etc/init.d/usherd")
    # As after a boot with it.
    for folder in ("started", "starting", "stopping", "inactive", "failed", "options", "exclusive", "daemons", "tmp",
                   "hotplugged", "wasinactive", "scheduled", "init.d"):
        os.makedirs(f"/run/openrc/{folder}")
    with open("/run/openrc/softlevel", "w", encoding="ascii") as file:
        file.write("default\n")
    script = ["openrc-run", "/etc/init.d/usherd", "--nodeps"]
    run(*script, "start", check=True)
    check([*script, "reload"], [*script, "stop"])


if __name__ == "__main__":
    main()
