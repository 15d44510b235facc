#!/usr/bin/env python3
"""To which service a process belongs: descendants of the service do, whatever they do; other processes never do."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time

from daemon import USHERCTL, Skip, case, connect, eventually, main, need, need_root, talk
from stuck_memory import StuckMemory

DAEMON, NOBODY = 1, 65534  # users
# One that other users can run, too.
PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
# Sends what it is given to the notify socket, and goes on for a moment, so that it can be asked who it is.
TELL = "import os, socket, sys, time\n" \
       "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n" \
       "s.sendto(sys.argv[1].replace('SELF', str(os.getpid())).encode(), os.environ['NOTIFY_SOCKET'])\n" \
       "time.sleep(float(sys.argv[2]))\n"
# Runs the rest of its words as an orphan in a session of its own, and waits until that has begun.
DAEMONIZE = "#!/bin/sh\nsetsid sh -c '\"$@\" </dev/null >/dev/null 2>&1 &' sh \"$@\"\n"


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def pids_of(*words):
    """Of the processes with just this command line."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                if entry.isdigit() and file.read() == b"".join(w.encode() + b"\0" for w in words):
                    found.append(int(entry))
        except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
            pass
    return found


def pids_named(comm):
    """As above, by what is not part of their memory."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/comm", encoding="ascii", errors="replace") as file:
                if entry.isdigit() and file.read() == comm + "\n":
                    found.append(int(entry))
        except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
            pass
    return found


def become(user):
    return {"user": user, "group": user, "extra_groups": []}


def as_user(user):
    return f"User={user}\n" if os.geteuid() == 0 else ""


def started(d, unit):
    d.ctl("start", unit, check=True)
    return int(d.show(unit, "MainPID"))


def tell_as_stranger(d, unit, text, user=None):
    """Of a process that descends from no service, with the unit's ids in its environment."""
    env = dict(os.environ, NOTIFY_SOCKET=d.runtime + "/notify", INVOCATION_ID=d.show(unit, "InvocationID"))
    subprocess.run([PYTHON, "-c", TELL, text, "0.5"], env=env, check=True, timeout=20,
                   **({} if user is None else become(user)))


@case
def a_copied_id_makes_no_member(d):
    """A stranger with the INVOCATION_ID of a service, be he of its user, says nothing for it."""
    d.unit("a.service", f"[Service]\n{as_user(NOBODY)}NotifyAccess=all\nExecStart=/bin/sleep 600\n")
    d.start()
    pid = started(d, "a.service")
    for user in ((None, NOBODY, DAEMON) if os.geteuid() == 0 else (None,)):
        tell_as_stranger(d, "a.service", "STATUS=spoofed\nMAINPID=SELF", user)
    d.logged("it belongs to no service", 3 if os.geteuid() == 0 else 1)
    assert d.show("a.service", "StatusText") == ""
    assert d.show("a.service", "MainPID") == str(pid)


@case
def a_copied_id_does_not_kill(d):
    """A stop ends no stranger that has the service's id and its number in his environment."""
    d.unit("a.service", "[Service]\nExecStart=/bin/sleep 600\n")
    d.start()
    started(d, "a.service")
    with subprocess.Popen(["sleep", "601"], env={"INVOCATION_ID": d.show("a.service", "InvocationID")}) as stranger:
        d.ctl("stop", "a.service", check=True)
        assert stranger.poll() is None
        stranger.kill()


@case
def another_services_process_is_no_member(d):
    """An orphan of one service that says it is another's: not where its user is not that one's."""
    need_root()
    d.file("daemonize", DAEMONIZE)
    d.file("tell.py", TELL)
    d.unit("robbed.service", "[Service]\nUser=1\nNotifyAccess=all\nExecStart=/bin/sleep 600\n")
    d.unit("root.service", "[Service]\nNotifyAccess=all\nExecStart=/bin/sleep 602\n")
    d.unit("thief.service", f"[Service]\nUser={NOBODY}\nEnvironment=NOTIFY_SOCKET={d.runtime}/notify\nKillMode=process\n"
           f"ExecStart=/bin/sh -c 'for id in $$(cat {d.folder}/ids); do INVOCATION_ID=$$id {d.folder}/daemonize "
           f"{PYTHON} {d.folder}/tell.py STATUS=stolen 600; done; exec sleep 601'\n")
    d.start()
    started(d, "robbed.service")
    started(d, "root.service")
    d.file("ids", d.show("robbed.service", "InvocationID") + "\n" + d.show("root.service", "InvocationID"), 0o644)
    started(d, "thief.service")
    d.logged("it belongs to no service", 2)
    for unit in ("robbed.service", "root.service"):
        assert d.show(unit, "StatusText") == ""
    said = pids_of(PYTHON, d.folder + "/tell.py", "STATUS=stolen", "600")
    assert len(said) == 2
    for unit in ("robbed.service", "root.service"):
        d.ctl("stop", unit, check=True)
    assert all(is_alive(pid) for pid in said)


@case
def an_orphan_speaks_for_its_service(d):
    """READY=1 of a process that left its session, and whose parents are gone."""
    d.file("daemonize", DAEMONIZE)
    d.file("tell.py", TELL)
    d.unit("a.service", f"[Service]\nType=notify\n{as_user(NOBODY)}NotifyAccess=all\nExecStart=/bin/sh -c "
           f"'{d.folder}/daemonize {PYTHON} {d.folder}/tell.py \"READY=1\" 600; exec sleep 600'\n")
    d.start()
    started(d, "a.service")
    assert d.show("a.service", "SubState") == "running"
    orphan, = pids_of(PYTHON, d.folder + "/tell.py", "READY=1", "600")
    d.ctl("stop", "a.service", check=True)
    assert not is_alive(orphan)


@case
def daemons_that_start_together(d):
    """Type=forking without a PID file: each of several is the main process of its own service."""
    d.file("daemonize", DAEMONIZE)
    names = [f"f{i}.service" for i in range(8)]
    for i, name in enumerate(names):
        d.unit(name, f"[Service]\nType=forking\nExecStart={d.folder}/daemonize sleep {700 + i}\n")
    d.start("--units", d.units, "--target", "basic.target")
    d.ctl("start", *names, check=True)
    for i, name in enumerate(names):
        pid, = pids_of("sleep", str(700 + i))
        assert d.show(name, "MainPID") == str(pid), (name, d.ctl("status", name).stdout)
    d.ctl("stop", *names, check=True)
    assert not any(pids_of("sleep", str(700 + i)) for i in range(8))


@case
def an_environment_is_not_needed(d):
    """What stays in the service's session is of it with an empty environment, too; nothing waits for what has none."""
    stays = "env -i sleep 604 </dev/null >/dev/null 2>&1 &"
    leaves = "env -i setsid sleep 605 </dev/null >/dev/null 2>&1 &"
    d.unit("a.socket", f"[Socket]\nListenStream={d.folder}/a\nAccept=yes\n")
    d.unit("a@.service", f"[Service]\nStandardInput=socket\nExecStart=/bin/sh -c '{stays} {leaves} echo'\n")
    d.unit("b.socket", f"[Socket]\nListenStream={d.folder}/b\nAccept=yes\n")
    d.unit("b@.service", "[Service]\nStandardInput=socket\nExecStart=/bin/cat\n")
    d.start()
    for _ in range(20):
        talk(d.folder + "/a")
        assert talk(d.folder + "/b", b"x") == b"x"
    eventually(lambda: not pids_of("sleep", "604"), "those that stayed to be stopped")
    eventually(lambda: d.show("a.socket", "NConnections") == "0", "the connections to be over")


@case
def many_leftovers(d):
    """Two thousand connections leave a process behind each; others are served meanwhile, and all are ended."""
    n = 2000 if not os.environ.get("USHERD_WRAPPER") else 200
    d.unit("a.socket", f"[Socket]\nListenStream={d.folder}/a\nAccept=yes\nMaxConnections=4000\nBacklog=4096\n"
           "TriggerLimitBurst=0\n")
    d.unit("a@.service", "[Service]\nStandardInput=socket\nExecStart=/bin/sh -c "
           "'setsid sleep 606 </dev/null >/dev/null 2>&1 & exec cat'\n")
    d.unit("b.socket", f"[Socket]\nListenStream={d.folder}/b\nAccept=yes\nTriggerLimitBurst=0\nMaxConnections=4000\n")
    d.unit("b@.service", "[Service]\nStandardInput=socket\nExecStart=/bin/cat\n")
    d.start()
    peers = []
    for _ in range(n):
        peers.append(connect(d.folder + "/a"))
        peers[-1].sendall(b"x")
    for peer in peers:
        assert peer.recv(1) == b"x"
        peer.close()
    worst = 0.0

    def are_gone():
        nonlocal worst
        begin = time.monotonic()
        assert talk(d.folder + "/b", b"x") == b"x"
        worst = max(worst, time.monotonic() - begin)
        time.sleep(0.05)
        return not pids_of("sleep", "606")
    eventually(are_gone, "the leftovers to be ended", patience=120)
    assert worst < 10, f"an answer took {worst:.1f} s"
    eventually(lambda: d.show("a.socket", "NConnections") == "0", "the connections to be over")


def run_thief(d, how, victim_first):
    """Two services; one names the other's main process as its own. The pids, and what the thief is said to have."""
    d.file("tell.py", TELL)
    d.unit("victim.service", "[Service]\nExecStart=/bin/sleep 600\n")
    if how == "notify":
        d.unit("thief.service", "[Service]\nNotifyAccess=all\nExecStart=/bin/sh -c "
               f"'{PYTHON} {d.folder}/tell.py MAINPID=$$(cat {d.folder}/pid) 0.2; exec sleep 601'\n")
    else:
        d.unit("thief.service", f"[Service]\nType=forking\nPIDFile={d.folder}/pid\nTimeoutStartSec=2\n"
               "ExecStart=/bin/sh -c 'sleep 601 &'\n")
    d.start()
    victim = started(d, "victim.service")
    named = victim if victim_first else os.getpid()
    d.file("pid", f"{named}\n", 0o644)
    d.ctl("start", "thief.service")
    return victim


# Difference: main-pid-of-another
@case
def a_main_process_is_not_stolen(d):
    """MAINPID= and PIDFile= that name another service's process are refused, whoever says so, and both can be stopped."""
    for how, text in (("notify", "belongs to victim.service, refusing"),
                      ("file", "belongs to victim.service. Refusing")):
        victim = run_thief(d, how, True)
        d.logged(text)
        assert d.show("thief.service", "MainPID") != str(victim)
        d.ctl("stop", "thief.service", check=True, timeout=20)
        assert is_alive(victim)
        assert d.show("victim.service", "MainPID") == str(victim)
        d.ctl("stop", "victim.service", check=True, timeout=20)
        assert not is_alive(victim)
        d.stop()


@case
def descendants_are_not_stolen(d):
    """A child of another service's main process is that service's, and so is an orphan of its."""
    d.file("daemonize", DAEMONIZE)
    d.file("tell.py", TELL)
    d.unit("victim.service", f"[Service]\nExecStart=/bin/sh -c '{d.folder}/daemonize sleep 602; sleep 603 & wait'\n")
    d.unit("thief@.service", f"[Service]\nNotifyAccess=all\nExecStart=/bin/sh -c "
           f"'{PYTHON} {d.folder}/tell.py MAINPID=%i 0.2; exec sleep 601'\n")
    d.start("--units", d.units, "--target", "basic.target")
    started(d, "victim.service")
    for words in (("sleep", "602"), ("sleep", "603")):
        pid, = eventually(lambda w=words: pids_of(*w), "the process")
        main_pid = started(d, f"thief@{pid}.service")
        d.logged(f"PID {pid} belongs to victim.service, refusing")
        assert d.show(f"thief@{pid}.service", "MainPID") == str(main_pid)


@case
def root_names_a_stranger(d):
    """A process of no service becomes the main process if root says so, is ended by a stop, and is nobody else's then."""
    need_root()
    d.file("tell.py", TELL)
    d.unit("a@.service", "[Service]\nType=notify\nNotifyAccess=all\nExecStart=/bin/sh -c "
           f"'{PYTHON} {d.folder}/tell.py \"MAINPID=%i\" 0.2; exec {PYTHON} {d.folder}/tell.py READY=1 600'\n")
    d.unit("b@.service", "[Service]\nNotifyAccess=all\nExecStart=/bin/sh -c "
           f"'{PYTHON} {d.folder}/tell.py \"MAINPID=%i\" 0.2; exec sleep 601'\n")
    d.start("--units", d.units, "--target", "basic.target")
    with subprocess.Popen(["sleep", "607"]) as stranger:
        d.ctl("start", f"a@{stranger.pid}.service", check=True)
        assert d.show(f"a@{stranger.pid}.service", "MainPID") == str(stranger.pid)
        d.ctl("start", f"b@{stranger.pid}.service", check=True)
        d.logged(f"PID {stranger.pid} belongs to a@{stranger.pid}.service, refusing")
        d.ctl("stop", f"a@{stranger.pid}.service", check=True)
        assert stranger.wait(20) == -signal.SIGTERM


def reuse_pid(pid, command, **options):
    """Run a command as the process with this number."""
    for _ in range(50):
        try:
            with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as file:
                file.write(str(pid - 1))
        except OSError as error:
            raise Skip(f"ns_last_pid: {error.strerror}") from None
        process = subprocess.Popen(command, **options)
        if process.pid == pid:
            return process
        process.kill()
        process.wait()
    raise Skip("another process was always quicker")


@case
def the_next_with_the_number_is_left_alone(d):
    """A process that is given the pid of one that was the service's gets none of its signals."""
    d.file("daemonize", DAEMONIZE)
    d.unit("a.service", f"[Service]\nExecStart=/bin/sh -c '{d.folder}/daemonize sleep 608; exec sleep 609'\n")
    d.start("--units", d.units, "--target", "basic.target")
    started(d, "a.service")
    env = {"INVOCATION_ID": d.show("a.service", "InvocationID")}
    orphan, = eventually(lambda: pids_of("sleep", "608"), "the orphan")
    eventually(lambda: "sleep 608" in d.ctl("status", "a.service").stdout, "it to be shown")
    os.kill(orphan, signal.SIGKILL)
    eventually(lambda: not os.path.exists(f"/proc/{orphan}"), "usherd to wait for it")
    with reuse_pid(orphan, ["sleep", "610"], env=env, start_new_session=True) as stranger:
        assert "sleep 610" not in d.ctl("status", "a.service").stdout
        d.ctl("kill", "--kill-whom=all", "-s", "KILL", "a.service", check=True)
        eventually(lambda: d.show("a.service", "ActiveState") == "failed", "the service to end")
        d.ctl("start", "a.service", check=True)
        d.ctl("stop", "a.service", check=True)
        assert stranger.poll() is None
        stranger.kill()


@case
def a_stop_signal_stops(d):
    """usherctl kill sends only the given signal, without a SIGCONT after it."""
    d.unit("a.service", "[Service]\nExecStart=/bin/sh -c 'sleep 611 & wait'\n")
    d.start("--units", d.units, "--target", "basic.target")
    pids = [started(d, "a.service"), *eventually(lambda: pids_of("sleep", "611"), "its child")]
    d.ctl("kill", "-s", "STOP", "a.service", check=True)

    def are_stopped():
        return all(open(f"/proc/{p}/stat", encoding="ascii").read().rpartition(")")[2].split()[0] == "T" for p in pids)
    eventually(are_stopped, "both to be stopped")
    time.sleep(0.2)
    assert are_stopped()
    d.ctl("stop", "a.service", check=True)
    assert not any(is_alive(p) for p in pids)


@case
def a_stop_misses_nobody(d):
    """A service that is stopped while its processes change their parents: all of them get the signal."""
    d.file("daemonize", DAEMONIZE)
    shutil.copy(shutil.which("sleep"), d.folder + "/left-behind")
    d.unit("a.service", "[Service]\nTimeoutStopSec=120\nExecStart=/bin/sh -c "
           f"'while :; do {d.folder}/daemonize {d.folder}/left-behind 613; done'\n")
    d.start("--units", d.units, "--target", "basic.target")
    for _ in range(20):
        d.ctl("start", "a.service", check=True)
        eventually(lambda: len(pids_named("left-behind")) > 1, "some to be there")
        d.ctl("stop", "a.service", check=True, timeout=60)
        assert not pids_named("left-behind")
        assert d.show("a.service", "Result") == "success"


@case
def who_tidies_up_is_left_to_it(d):
    """Without a main process, children that the others start after the stop signal get no signal."""
    d.file("daemonize", DAEMONIZE)
    tidy = ["sh", "-c", f"sleep 0.5; touch {d.folder}/$0.tidy"]
    for name, words in (("a", tidy), ("b", [d.folder + "/daemonize", *tidy])):
        d.file(name + ".py", "import signal, subprocess, sys, time\n"
               f"def stop(*_):\n    time.sleep(0.5)\n    subprocess.Popen({[*words, name]})\n    sys.exit(0)\n"
               f"signal.signal(signal.SIGTERM, stop)\nopen('{d.folder}/{name}.ready', 'w').close()\n"
               "while True:\n    time.sleep(60)\n")
        d.unit(name + ".service", "[Service]\nType=forking\nGuessMainPID=no\nTimeoutStopSec=120\n"
               f"ExecStart={d.folder}/daemonize {PYTHON} {d.folder}/{name}.py\n")
    d.start("--units", d.units, "--target", "basic.target")
    for name in ("a", "b"):
        d.ctl("start", name + ".service", check=True)
        eventually(lambda n=name: os.path.exists(f"{d.folder}/{n}.ready"), "it to be ready")
        d.ctl("stop", name + ".service", check=True, timeout=60)
        assert os.path.exists(f"{d.folder}/{name}.tidy"), name


@case
def memory_that_is_stuck(d):
    """A process whose memory cannot be read for a disk that hangs: nobody waits for it, and it is ended all the same."""
    need_root()
    d.file("daemonize", DAEMONIZE)
    shutil.copy(shutil.which("sleep"), d.folder + "/left-behind")
    d.unit("a.socket", f"[Socket]\nListenStream={d.folder}/a\nAccept=yes\n")
    d.unit("a@.service", "[Service]\nStandardInput=socket\nExecStart=/bin/cat\n")
    with StuckMemory(d.folder) as stuck:
        d.unit("main.service", f"[Service]\nExecStart={PYTHON} {stuck.program} {d.folder}/ready1\n")
        d.unit("orphan.service", f"[Service]\nExecStart=/bin/sh -c "
               f"'{d.folder}/daemonize {PYTHON} {stuck.program} {d.folder}/ready2; exec sleep 612'\n")
        d.unit("left.service", "[Service]\nExecStart=/bin/sh -c "
               f"'{d.folder}/daemonize {d.folder}/left-behind 613; exec sleep 614'\n")
        d.start("--units", d.units, "--target", "basic.target")
        d.ctl("start", "a.socket", "main.service", "orphan.service", check=True)
        eventually(lambda: os.path.exists(d.folder + "/ready1") and os.path.exists(d.folder + "/ready2"), "both to hang")
        time.sleep(0.3)
        begin = time.monotonic()
        assert "main.service" in d.ctl("status", "-n", "0", "main.service", "orphan.service", timeout=30).stdout
        assert time.monotonic() - begin < 15
        for _ in range(5):
            begin = time.monotonic()
            assert talk(d.folder + "/a", b"x") == b"x"
            d.ctl("start", "left.service", check=True, timeout=60)
            d.ctl("stop", "left.service", check=True, timeout=60)
            assert time.monotonic() - begin < 60
        assert not pids_named("left-behind")
        main_pid = int(d.show("main.service", "MainPID"))
        d.ctl("stop", "main.service", "orphan.service", check=True, timeout=60)
        assert not is_alive(main_pid)


@case
def memory_of_many_is_stuck(d):
    """However many of one user's orphans are so: those of others are asked in between."""
    need_root()
    d.file("daemonize", DAEMONIZE)
    shutil.copy(shutil.which("sleep"), d.folder + "/left-behind")
    os.mkdir(d.folder + "/ready")
    os.chmod(d.folder + "/ready", 0o777)
    with StuckMemory(d.folder) as stuck:
        d.file("evil.sh", f"for i in $(seq 30); do setsid {PYTHON} {stuck.program} {d.folder}/ready/$i & done\n"
               f"while [ $(ls {d.folder}/ready | wc -l) -lt 30 ]; do sleep 0.1; done; sleep 0.5\n", 0o644)
        d.unit("evil.service", f"[Service]\nUser={NOBODY}\nExecStart=/bin/sh -c '/bin/sh {d.folder}/evil.sh; touch {d.folder}/ready/all; exec sleep 612'\n")
        d.unit("left.service", "[Service]\nExecStart=/bin/sh -c "
               f"'{d.folder}/daemonize {d.folder}/left-behind 613; exec sleep 614'\n")
        d.start("--units", d.units, "--target", "basic.target")
        d.ctl("start", "evil.service", check=True)
        eventually(lambda: os.path.exists(d.folder + "/ready/all"), "all to hang")
        for _ in range(5):
            begin = time.monotonic()
            d.ctl("start", "left.service", check=True, timeout=60)
            eventually(lambda: pids_named("left-behind"), "it to be there")
            d.ctl("stop", "left.service", check=True, timeout=60)
            assert time.monotonic() - begin < 15
            assert not pids_named("left-behind")


main()
