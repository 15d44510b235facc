#!/usr/bin/env python3
"""usherd as a process: starting, stopping, reloading, adopting, logging, limits and recovery."""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from daemon import (PATIENCE, SERVER, USHERD, WRAPPER, answer, case, connect, eventually,
                    is_sanitized, main, need_root, run, talk)

CAT = "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n"


def pair(d, name="echo", port=7001, more="", service=CAT):
    d.unit(f"{name}.socket", f"[Socket]\nListenStream=127.0.0.1:{port}\nAccept=yes\n{more}")
    d.unit(f"{name}@.service", service)


def inode_of(port):
    wanted = f":{port:04X}"
    for line in open("/proc/net/tcp", encoding="ascii"):
        words = line.split()
        if words[1].endswith(wanted) and words[3] == "0A":
            return words[9]
    return None


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return file.read().split()


def is_alive(pid):
    """Does it run? A zombie does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# ---- surroundings

@case
def settings_reach_units(d):
    """What usher.conf says of all units holds for those that say nothing."""
    conf = d.file("usher.conf", "DefaultTimeoutStopSec = '11s'\nDefaultStartLimitBurst = 7\n", 0o644)
    d.unit("a.service", CAT)
    d.start("--config", conf, "--units", d.units)
    assert d.show("a.service", "TimeoutStopUSec") == "11s"
    assert d.show("a.service", "StartLimitBurst") == "7"


@case
def adopts_listen_fds(d):
    """Descriptors that it was given are used where address and type fit; others are closed."""
    pair(d)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 7001))
    listener.listen()
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("127.0.0.1", 7009))
    inode = inode_of(7001)

    def pass_them():
        # Above what is to be overwritten, in case one of them stands there.
        high = [os.dup2(s.fileno(), 100 + i) for i, s in enumerate((listener, other))]
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i)
        os.environ["LISTEN_PID"] = str(os.getpid())

    starter = d.file("starter.py", "import os, sys\nos.environ['LISTEN_PID'] = str(os.getpid())\n"
                                   "os.execv(sys.argv[1], sys.argv[1:])\n")
    wrapper = d.file("wrapper", f"#!/bin/sh\nexec {sys.executable} {starter} {USHERD} \"$@\"\n")
    d.start(program=wrapper, env={"LISTEN_FDS": "2"}, preexec_fn=pass_them, pass_fds=(3, 4),
            close_fds=True)
    listener.close()
    other.close()
    assert inode_of(7001) == inode
    assert talk(("127.0.0.1", 7001), b"adopted") == b"adopted"
    d.logged("7009")  # the unused descriptor is logged


@case
def tells_its_manager(d):
    pair(d)
    d.start(wait=False)
    eventually(lambda: os.path.exists(d.log_path) and "Startup finished" in d.log(), "start")
    d.stop()
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    path = os.path.join(d.folder, "own-notify")
    notify.bind(path)
    notify.settimeout(20)
    d.process = subprocess.Popen([USHERD, "--runtime-dir", d.runtime, "--units", d.units],
                                 stderr=subprocess.DEVNULL, env=dict(os.environ, NOTIFY_SOCKET=path))

    def told(word):
        while True:
            message = notify.recv(4096)
            if word in message:
                return message
    assert b"STATUS=Serving" in told(b"READY=1")
    d.signal(signal.SIGHUP)
    assert b"MONOTONIC_USEC=" in told(b"RELOADING=1")
    told(b"READY=1")
    d.signal(signal.SIGTERM)
    told(b"STOPPING=1")


@case
def ordered_stop(d):
    """A service that was started behind another is stopped before it; SIGINT means the same."""
    trace = os.path.join(d.folder, "trace")
    for name, after in (("first", ""), ("second", "[Unit]\nAfter=first.service\nRequires=first.service\n")):
        d.unit(f"{name}.service", f"{after}[Service]\nExecStart=/bin/sleep 600\n"
                                  f"ExecStopPost=/bin/sh -c 'echo {name} >>{trace}'\n")
    d.start()
    assert d.ctl("start", "second.service").returncode == 0
    d.signal(signal.SIGINT)
    assert d.process.wait(20) == 0
    d.process = None
    with open(trace, encoding="ascii") as file:
        assert file.read() == "second\nfirst\n"


@case
def second_signal_hurries(d):
    d.unit("stuck.service", "[Service]\nExecStart=/bin/sh -c 'trap \"\" TERM; while :; do sleep 1; done'\n")
    d.start()
    assert d.ctl("start", "stuck.service").returncode == 0
    pid = int(d.show("stuck.service", "MainPID"))
    # It has to ignore the signal before it gets it.
    def is_ignored():
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            mask = next(int(l.split()[1], 16) for l in file if l.startswith("SigIgn:"))
        return mask >> signal.SIGTERM - 1 & 1
    eventually(is_ignored, "the trap")
    d.signal(signal.SIGTERM)
    d.logged("Stopping stuck.service")
    d.signal(signal.SIGTERM)
    assert d.process.wait(20) == 0
    d.process = None


@case
def nothing_is_left_behind(d):
    """Children of services that lost their parents are reaped; no descriptor stays open."""
    d.unit("orphan.service", "[Service]\nType=oneshot\nExecStart=/bin/sh -c '(sleep 0.2; exit 3) & (exit 1) & exit 0'\n"
                             "KillMode=none\n")
    pair(d)
    d.start()
    # Once before they are counted: some are opened at first need.
    assert d.ctl("start", "orphan.service").returncode == 0
    assert talk(("127.0.0.1", 7001), b"x") == b"x"
    eventually(lambda: not children(d.process.pid), "no children")
    fds = len(os.listdir(f"/proc/{d.process.pid}/fd"))
    for _ in range(20):
        assert d.ctl("start", "orphan.service").returncode == 0
        assert talk(("127.0.0.1", 7001), b"x") == b"x"
    eventually(lambda: not children(d.process.pid), "no zombies")
    eventually(lambda: len(os.listdir(f"/proc/{d.process.pid}/fd")) <= fds + 1, "no descriptors")


@case
def as_another_user(d):
    """Everything that needs no privilege works without any."""
    need_root()
    pair(d)
    d.unit("who@.service", "[Service]\nExecStart=/usr/bin/id -u\nStandardOutput=socket\n")
    d.unit("who.socket", "[Socket]\nListenStream=127.0.0.1:7002\nAccept=yes\n")
    os.chmod(d.folder, 0o777)
    # The source may lie where others may not go.
    program = shutil.copy(USHERD, d.folder)
    own = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "TMPDIR"), d.folder)
    d.start("--user", "--units", d.units, program=program, env=own, user=65534, group=65534,
            extra_groups=[])
    assert talk(("127.0.0.1", 7001), b"x") == b"x"
    assert talk(("127.0.0.1", 7002)) == b"65534\n"


# ---- reload

@case
def reload_changes(d):
    pair(d)
    pair(d, "going", 7002)
    d.start()
    pid = d.process.pid
    with connect(("127.0.0.1", 7001)) as alive:
        inode = inode_of(7001)
        d.unit("echo.socket", "[Socket]\nListenStream=127.0.0.1:7001\nListenStream=127.0.0.1:7003\n"
                              "Accept=yes\nMaxConnections=1\n")
        os.unlink(os.path.join(d.units, "going.socket"))
        d.unit("broken.socket", "[Socket]\nAccept=perhaps\n")
        d.signal(signal.SIGHUP)
        d.logged("Reloaded in")
        assert inode_of(7001) == inode, "an unchanged listener was closed"
        assert inode_of(7003), "an added listener is not open"
        alive.sendall(b"still")
        assert alive.recv(5) == b"still"
        assert talk(("127.0.0.1", 7003)) == b"", "the new limit does not hold"
    assert d.process.pid == pid and d.process.poll() is None
    eventually(lambda: answer(("127.0.0.1", 7003)) == b"x", "the place of the first")


@case
def reload_changes_template(d):
    """The socket is as it was; what its connections get is not."""
    said = "[Service]\nExecStart=/bin/echo {}\nStandardOutput=socket\n"
    pair(d, service=said.format("old"))
    d.start()
    assert talk(("127.0.0.1", 7001)) == b"old\n"
    d.unit("echo@.service", said.format("new"))
    d.ctl("daemon-reload", check=True)
    assert talk(("127.0.0.1", 7001)) == b"new\n"


@case
def reload_takes_note_of_times(d):
    """A file that is younger than what was read of it asks for a reload, even when it says the same; then no more."""
    pair(d)
    d.start()
    path = os.path.join(d.units, "echo.socket")

    def is_needed():
        return d.show("echo.socket", "NeedDaemonReload") == "yes"
    assert not is_needed()
    later = time.time() + 0.05
    os.utime(path, (later, later))
    assert is_needed()
    time.sleep(0.1)
    d.ctl("daemon-reload", check=True)
    assert not is_needed()


@case
def failed_reload_keeps_all(d):
    pair(d)
    path = d.file("usher.conf", "LogLevel = info\n", 0o644)
    d.start("--units", d.units, "--config", path)
    d.file("usher.conf", "socket broken {\n", 0o644)
    d.signal(signal.SIGHUP)
    d.logged("Nothing was reloaded")
    d.logged("usher.conf:")
    assert d.ctl("daemon-reload").returncode == 1
    assert talk(("127.0.0.1", 7001), b"still") == b"still"


@case
def relative_paths(d):
    """They are those of the start: usherd itself works in /, and so do services that say nothing else."""
    pair(d, service="[Service]\nExecStart=/bin/pwd\nStandardOutput=socket\n")
    d.file("usher.conf", "LogLevel = info\n", 0o644)
    d.start("--units", os.path.relpath(d.units, d.folder), "--config", "usher.conf", cwd=d.folder)
    assert os.readlink(f"/proc/{d.process.pid}/cwd") == "/"
    assert talk(("127.0.0.1", 7001)) == b"/\n"
    pair(d, "late", 7002)
    d.ctl("daemon-reload", check=True)
    d.ctl("start", "late.socket", check=True)
    assert talk(("127.0.0.1", 7002), b"x") == b"x"


@case
def blocks_of_usher_conf(d):
    path = d.file("usher.conf",
                  'socket "echo" { ListenStream = {"127.0.0.1:7001", "127.0.0.1:7002"} Accept = yes }\n'
                  "service \"echo@\" { ExecStart = '/bin/cat' StandardInput = socket }\n", 0o644)
    d.start("--units", d.units, "--config", path)
    assert talk(("127.0.0.1", 7001), b"x") == b"x"
    assert talk(("127.0.0.1", 7002), b"y") == b"y"


# ---- logs

@case
def json_log(d):
    pair(d)
    d.unit("talk.service", "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo said; echo wrong >&2'\n")
    d.start("--units", d.units, "--log-format=json")
    d.ctl("start", "talk.service")
    d.logged("wrong")
    # valgrind has words of its own.
    lines = [json.loads(l) for l in d.log().splitlines() if not WRAPPER or l.startswith("{")]
    said = [l for l in lines if l["message"] in ("said", "wrong")]
    assert len(said) == 2 and all(l["unit"] == "talk.service" and l["pid"] > 1 for l in said), said
    assert any(l.get("unit") == "echo.socket" for l in lines)
    # The same names in `usherctl logs`, and numbers are numbers.
    kept = [json.loads(l) for l in d.ctl("logs", "-o", "json", check=True).stdout.splitlines()]
    assert {l["message"] for l in said} <= {l["message"] for l in kept}, kept
    for l in lines + kept:
        assert set(l) <= {"time", "level", "unit", "invocation", "pid", "identifier", "errno", "message"}, l
        assert isinstance(l["time"], float) and isinstance(l.get("pid", 1), int), l
        assert isinstance(l["level"], str) and isinstance(l["message"], str), l


@case
def output_of_connections(d):
    """Unit and pid stand in front; a stream takes one descriptor, as long as somebody can write to it."""
    pair(d, service="[Service]\nExecStart=/bin/sh -c 'echo $$$$ >&2; cat'\nStandardInput=socket\n"
                    "StandardError=journal\n")
    d.start()

    def descriptors():
        return len(os.listdir(f"/proc/{d.process.pid}/fd"))
    before = descriptors()
    socks = [connect(("127.0.0.1", 7001)) for _ in range(20)]
    lines = d.logged(r"echo@.*\.service\[\d+\]: \d+$", 20)
    for line in lines:
        pid, _, said = line.partition("]: ")
        assert pid.endswith("[" + said), line
    eventually(lambda: descriptors() <= before + 2 * 20 + 10, "one for each pidfd and each stream")
    for sock in socks:
        sock.close()
    eventually(lambda: descriptors() <= before + 10, "the end of the streams")


@case
def full_log_blocks_nobody(d):
    pair(d, service="[Service]\nExecStart=/bin/sh -c 'i=0; while [ $i -lt 3000 ]; do "
                    "echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; i=$((i+1)); done >&2; cat'\n"
                    "StandardInput=socket\nStandardError=journal\n")
    reader, writer = os.pipe()
    d.process = subprocess.Popen([USHERD, "--runtime-dir", d.runtime, "--units", d.units,
                                  "--log-target=stderr"], stderr=writer, stdin=subprocess.DEVNULL)
    os.close(writer)
    eventually(lambda: inode_of(7001), "start")
    for _ in range(3):  # 400 KiB into a pipe of 64 that nobody reads
        assert talk(("127.0.0.1", 7001), b"done") == b"done"
    assert d.ctl("is-active", "echo.socket").returncode == 0
    seen = b""

    def read_all():
        nonlocal seen
        seen += os.read(reader, 1 << 16)
        assert d.ctl("status", "echo.socket").returncode == 0
        talk(("127.0.0.1", 7001), b"x")  # makes new lines
        return b"lines were dropped" in seen
    eventually(read_all, "word of what was lost")
    os.close(reader)
    assert talk(("127.0.0.1", 7001), b"x") == b"x"  # and no SIGPIPE


# ---- limits

@case
def max_connections(d):
    pair(d, more="MaxConnections=3\n")
    d.start()
    socks = [connect(("127.0.0.1", 7001)) for _ in range(3)]
    for sock in socks:
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"
    assert talk(("127.0.0.1", 7001)) == b""
    assert d.show("echo.socket", "NRefused") == "1"
    socks.pop().close()
    eventually(lambda: answer(("127.0.0.1", 7001)) == b"x", "a place")
    for sock in socks:
        sock.close()


@case
def max_connections_per_source(d):
    pair(d, more="MaxConnectionsPerSource=1\n")
    d.unit("echo.socket.d/any.conf", "[Socket]\nListenStream=\nListenStream=7001\n")
    d.start()

    def attempt(source):
        sock = socket.socket()
        sock.settimeout(20)
        sock.bind((source, 0))
        sock.connect(("127.0.0.1", 7001))
        sock.sendall(b"x")
        try:
            return sock, sock.recv(1)
        except ConnectionResetError:
            return sock, b""
    one, first = attempt("127.0.0.2")
    _, again = attempt("127.0.0.2")
    _, other = attempt("127.0.0.3")
    assert (first, again, other) == (b"x", b"", b"x"), (first, again, other)
    one.close()
    eventually(lambda: attempt("127.0.0.2")[1] == b"x", "the place of the first")


@case
def flood_recovers_by_itself(d):
    """Above TriggerLimitBurst= the socket pauses and comes back; systemd's stays dead."""
    pair(d, more="TriggerLimitIntervalSec=500ms\nTriggerLimitBurst=20\nPollLimitBurst=0\n")
    d.start()
    answers = []

    def one():
        try:
            answers.append(talk(("127.0.0.1", 7001), b"x"))
        except OSError:
            answers.append(b"")
    threads = [threading.Thread(target=one) for _ in range(60)]
    for thread in threads:
        thread.start()
    d.logged("echo.socket: .*(paus|Paus)")
    assert d.ctl("is-active", "echo.socket").returncode == 0
    assert d.show("echo.socket", "StatusText") != ""  # why, and until when
    for thread in threads:
        thread.join()
    assert answers.count(b"x") == 60, answers  # nobody is lost: they waited in the backlog
    assert talk(("127.0.0.1", 7001), b"x") == b"x"


# Difference: service-start-limit
@case
def crash_loop_recovers_by_itself(d):
    """A service that cannot serve makes its socket pause, and is tried again."""
    flag = os.path.join(d.folder, "mended")
    script = d.file("server.py", SERVER)
    d.unit("one.socket", "[Socket]\nListenStream=127.0.0.1:7001\n")
    d.unit("one.service", "[Unit]\nStartLimitIntervalSec=1s\nStartLimitBurst=3\n[Service]\n"
                          f"ExecStart=/bin/sh -c 'test -e {flag} && exec {sys.executable} {script}'\n")
    d.start()
    with connect(("127.0.0.1", 7001)) as sock:
        d.logged("one.socket: .*(paus|Paus)")
        assert d.ctl("is-active", "one.socket").returncode == 0
        open(flag, "w", encoding="ascii").close()
        sock.sendall(b"hello")
        assert sock.recv(100).endswith(b"hello")


def resources(d):
    """Open descriptors, and KiB."""
    return len(os.listdir(f"/proc/{d.process.pid}/fd")), d.memory()


@case
def thousand_crashes(d):
    """Up to the start limit, and no further; nothing is left of them."""
    d.unit("a.service", "[Unit]\nStartLimitIntervalSec=1h\nStartLimitBurst=1000\n"
           f"[Service]\nExecStart=/bin/sh -c 'echo x >> {d.folder}/runs; exit 3'\n"
           "Restart=always\nRestartSec=1ms\n")
    d.start("--units", d.units, "--target", "basic.target")

    def runs():
        path = f"{d.folder}/runs"
        return os.stat(path).st_size // 2 if os.path.exists(path) else 0
    d.ctl("start", "--no-block", "a.service", check=True)
    eventually(lambda: runs() >= 200)
    fds, size = resources(d)
    eventually(lambda: d.show("a.service", "ActiveState") == "failed", patience=10 * PATIENCE)
    assert runs() == 1000, runs()
    assert d.show("a.service", "Result") == "exit-code"
    assert d.show("a.service", "NRestarts") == "1000"
    assert d.ctl("start", "a.service").returncode == 1 and runs() == 1000
    eventually(lambda: resources(d)[0] <= fds, f"{fds} descriptors, as before (those of usherctl go by and by)")
    if not WRAPPER and not is_sanitized():
        assert d.memory() <= size + 256, (d.memory(), size)


@case
def crashes_with_back_off(d):
    """RestartSteps=: the pauses grow from RestartSec= to RestartMaxDelaySec=, and stay there."""
    d.unit("a.service", "[Unit]\nStartLimitIntervalSec=0\n"
           f"[Service]\nExecStart=/bin/sh -c 'date +%%s.%%N >> {d.folder}/runs; exit 3'\n"
           "Restart=always\nRestartSec=1ms\nRestartMaxDelaySec=400ms\nRestartSteps=4\n")
    d.start("--units", d.units, "--target", "basic.target")
    d.ctl("start", "--no-block", "a.service", check=True)
    eventually(lambda: int(d.show("a.service", "NRestarts")) >= 7)
    times = [float(line) for line in open(f"{d.folder}/runs", encoding="ascii")]
    pauses = [after - before for before, after in zip(times, times[1:])]
    assert all(pause >= 0.4 for pause in pauses[4:]), pauses  # never less, however busy the machine is
    assert pauses[0] < pauses[5], pauses
    d.ctl("stop", "a.service", check=True)
    # Stopped while it waited, or in the moment in which it exits with 3.
    assert d.show("a.service", "SubState") in ("dead", "failed")
    n = len(times)
    times = open(f"{d.folder}/runs", encoding="ascii").readlines()
    time.sleep(0.5)  # longer than the longest pause
    assert len(open(f"{d.folder}/runs", encoding="ascii").readlines()) == len(times) >= n


@case
def burst_gives_memory_back(d):
    pair(d, more="MaxConnections=1000\nMaxConnectionsPerSource=1000\nTriggerLimitBurst=0\nPollLimitBurst=0\n")
    d.start()
    assert talk(("127.0.0.1", 7001), b"x") == b"x"
    before = d.memory()
    peers = [connect(("127.0.0.1", 7001)) for _ in range(400)]
    for peer in peers:
        peer.sendall(b"x")
        assert peer.recv(1) == b"x"
    during = d.memory()
    for peer in peers:
        peer.close()
    if not WRAPPER and not is_sanitized():
        assert during > before + 80, (during, before)
        eventually(lambda: d.memory() <= before + 64, "the memory of 400 connections")


# Difference: exhaustion
@case
def exhaustion_recovers_by_itself(d):
    """No descriptors left: connections wait, nothing spins, nobody is lost."""
    pair(d, more="MaxConnections=10000\n", service="[Service]\nExecStart=/bin/cat\n"
         "StandardInput=socket\nKillMode=mixed\n")
    d.unit("holder.socket", "[Socket]\n" + "".join(f"ListenStream=127.0.0.1:{p}\n"
                                                   for p in range(7100, 7116)))
    d.unit("holder.service", CAT)
    d.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    socks = []
    for _ in range(100):
        sock = connect(("127.0.0.1", 7001))
        sock.sendall(b"x")
        socks.append(sock)
    time.sleep(0.5)
    with open(f"/proc/{d.process.pid}/schedstat", encoding="ascii") as file:
        before = int(file.read().split()[0])
    time.sleep(0.5)
    with open(f"/proc/{d.process.pid}/schedstat", encoding="ascii") as file:
        spent = int(file.read().split()[0]) - before
    assert spent < 250e6, f"{spent / 1e6} ms of 500 are spent on nothing"
    for sock in socks:
        assert sock.recv(1) == b"x"
        sock.close()
    assert talk(("127.0.0.1", 7001), b"x") == b"x"


@case
def orphans_of_connections(d):
    """What a connection leaves behind in a session of its own is stopped with it; of the others nothing is."""
    leave = "setsid sleep 604 </dev/null >/dev/null 2>&1 & echo $$!"
    for name, more in (("stopped", ""), ("kept", "KillMode=process\n")):
        d.unit(f"{name}.socket", f"[Socket]\nListenStream={d.folder}/{name}\nAccept=yes\n")
        d.unit(f"{name}@.service", f"[Service]\nStandardInput=socket\n{more}ExecStart=/bin/sh -c '{leave}'\n")
    d.start("--units", d.units, "--target", "basic.target")
    d.ctl("start", "stopped.socket", "kept.socket", check=True)
    kept = [int(talk(f"{d.folder}/kept")) for _ in range(2)]
    for _ in range(3):
        stopped = int(talk(f"{d.folder}/stopped"))
        eventually(lambda: not is_alive(stopped), "the orphan to be stopped")
    assert all(is_alive(pid) for pid in kept)
    eventually(lambda: d.show("stopped.socket", "NConnections") == "0")


main()
