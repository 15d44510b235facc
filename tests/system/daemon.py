"""The frame of the system tests in Python: namespaces, a supervisor for each case, clients, cases.

    from daemon import Usherd, case, main
    @case
    def echo(d): ...
    main()

main() enters new network, mount and pid namespaces, which end every process that a test leaves
behind. It then calls each case with a supervisor `d` that is not started yet, and prints "ok NAME" or "FAIL NAME".
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
SRC = os.path.abspath(os.environ.get("SRC", "."))
USHERD = os.path.join(BUILD, "usherd")
USHERCTL = os.path.join(BUILD, "usherctl")
# The program that runs usherd, e.g. valgrind (make check-valgrind-system).
WRAPPER = os.environ.get("USHERD_WRAPPER", "").split()
# The limit only detects hangs: sanitizers and valgrind make everything slower.
PATIENCE = 100.0 if WRAPPER else 20.0
# A program that answers every connection to any of its listeners with one byte, and goes on.
SERVER_OF_ALL = """import os, selectors, socket, stat
selector = selectors.DefaultSelector()
for fd in range(3, 3 + int(os.environ["LISTEN_FDS"])):
    if stat.S_ISSOCK(os.fstat(fd).st_mode):
        selector.register(socket.socket(fileno=fd), selectors.EVENT_READ)
while True:
    for key, events in selector.select():
        peer = key.fileobj.accept()[0]
        peer.sendall(b"x")
        peer.close()
"""

# Serves descriptor 3: answers each connection with its pid and the data that it received.
SERVER = """import os, socket
with socket.socket(fileno=3) as listener:
    while True:
        peer = listener.accept()[0]
        peer.sendall(f"{os.getpid()} {peer.recv(100).decode()}".encode())
        peer.close()
"""

_SYSTEM_UNITS = "/lib/systemd/system"
_cases = []


def case(function):
    _cases.append(function)
    return function


class Skip(Exception):
    """The case cannot run here; the text says why."""


def eventually(condition, what="it", patience=PATIENCE):
    """Wait until condition() is true and return its value."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience:g} s in vain for {what}")
        time.sleep(0.01)


def run(*command, check=False, **options):
    """Run a command, and return its .returncode, .stdout and .stderr, as text."""
    options.setdefault("timeout", 60)
    options.setdefault("stdin", subprocess.DEVNULL)
    if "input" in options:
        del options["stdin"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {result.returncode}\n{result.stderr}")
    return result


class Usherd:
    """One supervisor with its own folder and log."""

    def __init__(self, folder):
        self.folder = folder
        self.units = os.path.join(folder, "units")
        self.runtime = os.path.join(folder, "run")
        self.log_path = os.path.join(folder, "log")
        self.process = None
        os.mkdir(self.units)

    def unit(self, name, text, mode=0o644):
        """Write a unit file (or drop-in: "x.service.d/a.conf")."""
        path = os.path.join(self.units, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def file(self, name, text, mode=0o755):
        """Another file of the test, e.g. a script; returns its path."""
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def start(self, *args, wait=True, env=None, program=USHERD, wrapper=WRAPPER, **options):
        """Start usherd (as an argument of the wrapper) on the units and wait until it says READY=1."""
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify_path = os.path.join(self.folder, "notify")
        if os.path.exists(notify_path):
            os.unlink(notify_path)
        notify.bind(notify_path)
        os.chmod(notify_path, 0o666)
        notify.settimeout(0.05)
        environment = dict(os.environ, NOTIFY_SOCKET=notify_path, **(env or {}))
        n_verb = 1 if args[:1] == ("run",) else 0
        command = [*wrapper, program, *args[:n_verb], "--runtime-dir", self.runtime, "--log-target=stderr",
                   "--log-time=no", *(args[n_verb:] or ["--units", self.units])]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=environment, **options)
        if not wait:
            notify.close()
            return self
        try:
            end = time.monotonic() + PATIENCE
            while True:
                try:
                    if b"READY=1" in notify.recv(4096).split(b"\n"):
                        return self
                except socket.timeout:
                    pass
                if self.process.poll() is not None:
                    raise AssertionError(f"usherd exited with {self.process.returncode} at start")
                if time.monotonic() > end:
                    raise AssertionError("usherd did not become ready")
        finally:
            notify.close()

    def memory(self):
        """Its anonymous memory in KiB. Private memory would shrink while a forked child, or another usherd, shares
        pages with it."""
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="ascii") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("Anonymous:"))

    def signal(self, signo):
        self.process.send_signal(signo)

    def stop(self, expect=0):
        """Send SIGTERM, and check the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("usherd did not end after SIGTERM") from None
        self.process = None
        if expect is not None and code != expect:
            raise AssertionError(f"usherd ended with {code}, not {expect}")
        return code

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def logged(self, pattern, count=1, patience=PATIENCE):
        """Wait until at least count log lines match the regular expression; return them."""
        found = re.compile(pattern)

        def lines():
            hits = [l for l in self.log().splitlines() if found.search(l)]
            return hits if len(hits) >= count else None
        return eventually(lines, f"{count} log line(s) /{pattern}/", patience)

    def ctl(self, *args, **options):
        return run(USHERCTL, "--runtime-dir", self.runtime, *args, **options)

    def systemctl(self, *args, **options):
        env = dict(os.environ, XDG_RUNTIME_DIR=self.runtime, SYSTEMD_PAGER="", LC_ALL="C.UTF-8")
        return run("systemctl", "--user", *args, env=env, **options)

    def show(self, unit, prop):
        return self.ctl("show", "--value", "-p", prop, unit, check=True).stdout.rstrip("\n")


def connect(address, family=None, kind=socket.SOCK_STREAM, timeout=PATIENCE):
    """A connected socket: (host, port) or a path ("@x" for an abstract one)."""
    if family is None:
        family = socket.AF_UNIX if isinstance(address, str) else \
            socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, kind)
    sock.settimeout(timeout)
    if isinstance(address, str) and address.startswith("@"):
        address = "\0" + address[1:]
    sock.connect(address)
    return sock


def talk(address, data=b"", **options):
    """Send data, half-close, and return all that comes back."""
    with connect(address, **options) as sock:
        if data:
            sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        parts = []
        while True:
            part = sock.recv(65536)
            if not part:
                return b"".join(parts)
            parts.append(part)


def answer(address, data=b"x"):
    """The result of talk(), or nothing if the connection was refused or reset."""
    try:
        return talk(address, data)
    except OSError:  # reset, perhaps before the half-close
        return b""


def is_sanitized():
    """If so, freed memory is kept for a while."""
    if WRAPPER:
        return True
    with open(USHERD, "rb") as file:
        return b"__asan_init" in file.read()


def need(program):
    """Path of a program, or Skip."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/libexec")
    if not path:
        raise Skip(f"{program} is not installed (sh contrib/install-deps real)")
    return path


def need_root():
    """Skip if the test cannot change to other users."""
    with open("/proc/self/uid_map", encoding="ascii") as file:
        if os.geteuid() != 0 or file.read().split()[2] == "1":
            raise Skip("needs to be root, to become other users")


def package_units(d, *names):
    """Link the units of a package into the unit folder."""
    need_root()
    for name in names:
        path = os.path.join(_SYSTEM_UNITS, name)
        if not os.path.exists(path):
            raise Skip(f"{name} is not installed (sh contrib/install-deps real)")
        with open(path, encoding="utf-8") as file:
            d.unit(name, file.read())


def own_folder(path):
    """An empty file system of this namespace over a folder of the machine."""
    os.makedirs(path, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", path], check=True)


def _enter_namespaces():
    if os.environ.get("USHER_TEST_INSIDE") == "1":
        if os.getpid() == 1:  # an init that only waits for the test itself, and for orphans
            child = os.fork()
            if child:
                while True:
                    pid, status = os.wait()
                    if pid == child:
                        sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=False)
        return
    reasons = []
    for user in ([], ["-r"]):
        flags = [*user, "-n", "-p", "-f", "-m", "--kill-child", "--mount-proc"]
        tried = subprocess.run(["unshare", *flags, "true"], check=False, stdin=subprocess.DEVNULL,
                               capture_output=True, text=True)
        reasons.append(tried.stderr.strip().splitlines()[-1:] or [f"unshare {user} ends with {tried.returncode}"])
        if tried.returncode == 0:
            os.environ["USHER_TEST_INSIDE"] = "1"
            os.execvp("unshare", ["unshare", *flags, sys.executable, *sys.argv])
    # In a plain chroot no mount can be made private, since "/" is no mount point there.
    print("no namespaces can be made here: " + "; ".join(r[0] for r in reasons))
    sys.exit(77)


def _others():
    """All processes of this pid namespace except the test itself and its init."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and int(entry) not in (1, os.getpid()):
                with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                    if file.read().rpartition(") ")[2][0] != "Z":
                        found.append(int(entry))
        except OSError:
            pass
    return found


def _sweep():
    """End the processes that a case left behind, and wait for their end, since the next case needs the ports."""
    end = time.monotonic() + 5
    while (left := _others()) and time.monotonic() < end:
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)


def _run_case(function):
    folder = tempfile.mkdtemp(prefix="usher-")
    os.chmod(folder, 0o755)  # for services of other users
    daemon = Usherd(folder)
    name = function.__name__
    try:
        function(daemon)
        daemon.stop()
        print(f"ok {name}", flush=True)
        return True
    except Skip as reason:
        print(f"skip {name}: {reason}", flush=True)
        return True
    except Exception:  # whatever the failure, the other cases still run
        traceback.print_exc(file=sys.stdout)
        if os.path.exists(daemon.log_path):
            print("--- log of usherd\n" + daemon.log()[-6000:] + "---")
        print(f"FAIL {name}", flush=True)
        return False
    finally:
        daemon.kill()
        _sweep()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    os.environ["LC_ALL"] = "C.UTF-8"
    _enter_namespaces()
    wanted = sys.argv[1:]
    results = [_run_case(c) for c in _cases if not wanted or c.__name__ in wanted]
    sys.exit(0 if results and all(results) else 1)
