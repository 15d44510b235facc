"""The servers that are measured: usherd, the bare loops, and whichever of its peers are installed."""

import os
import shutil
import signal
import socket
import subprocess
import time

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
PATIENCE = 120  # seconds until a server that does not listen is given up
ALL = "1000000"  # a limit that is none
os.environ["PATH"] += ":/usr/sbin:/sbin"


def bench_program(name):
    return os.path.join(BUILD, "tests/bench", name)


def own_cpu(pid):
    """Nanoseconds of CPU that a process (one thread) has used, without its children."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0])


def memory(pid):
    """KiB that are private to a process: (dirty, clean and dirty)."""
    sums = {"Private_Clean": 0, "Private_Dirty": 0}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            key = line.split(":")[0]
            if key in sums:
                sums[key] += int(line.split()[1])
    return sums["Private_Dirty"], sum(sums.values())


def answers(address):
    """Does it serve a connection to its end?"""
    try:
        with socket.socket(socket.AF_UNIX if address.startswith("/") else socket.AF_INET) as sock:
            sock.settimeout(PATIENCE)
            host, _, port = address.rpartition(":")
            sock.connect(address if address.startswith("/") else (host, int(port)))
            return sock.recv(100) != b""
    except OSError:
        return False


class Server:
    """One that serves `program` at `address` (HOST:PORT, or a path), a process for each connection."""

    name = ""
    needs = ()  # programs that have to be there
    kinds = ("tcp", "unix")

    def __init__(self, folder):
        self.folder = os.path.join(folder, self.name.replace(" ", "-"))
        self.process = None
        self.address = ""
        self.program = ""

    @classmethod
    def is_there(cls):
        return all(shutil.which(p) for p in cls.needs)

    def command(self):
        raise NotImplementedError

    def start(self, address, program, wait=True):
        self.address, self.program = address, program
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        with open(os.path.join(self.folder, "log"), "wb") as log:
            # A locale would be loaded by every program that is started.
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={"PATH": os.environ["PATH"]}, **self.options())
        if wait:
            self.wait()
        return self

    def options(self):
        return {}

    def wait(self):
        end = time.monotonic() + PATIENCE
        while not answers(self.address):
            if self.process.poll() is not None or time.monotonic() > end:
                with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
                    raise RuntimeError(f"{self.name} does not serve {self.address}: {log.read()[-2000:]}")
            time.sleep(0.02)

    def pid(self):
        """The process that accepts."""
        return self.process.pid

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None
        if self.address.startswith("/") and os.path.exists(self.address):
            os.unlink(self.address)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


class Bare(Server):
    method = ""

    def __init__(self, folder, *more):
        super().__init__(folder)
        self.more = more

    def command(self):
        return [bench_program("bare"), self.method, *self.more, self.address, self.program]


class BareVfork(Bare):
    name, method = "bare vfork", "vfork"


class BareFork(Bare):
    name, method = "bare fork", "fork"


class BareClone(Bare):
    name, method = "bare clone", "clone"


class BarePidfd(Bare):
    name, method = "bare pidfd", "pidfd"


class BareActivate(Bare):
    name, method = "bare activate", "activate"


def socket_unit(address, accept=True, more=""):
    return (f"[Socket]\nListenStream={address}\nAccept={'yes' if accept else 'no'}\nMaxConnections={ALL}\n"
            f"MaxConnectionsPerSource={ALL}\nTriggerLimitBurst=0\nPollLimitBurst=0\n{more}")


def connection_unit(program):
    return f"[Service]\nExecStart={program}\nStandardInput=socket\n"


def connection_pair(address, program):
    return {"bench.socket": socket_unit(address), "bench@.service": connection_unit(program)}


class Usherd(Server):
    """With limits, counting by source, REMOTE_ADDR and accounting: as a unit file gives them."""

    name = "usherd"

    def __init__(self, folder, *more, units=None):
        super().__init__(folder)
        self.more = more
        self.units = units  # name -> text; the default serves `program` with Accept=yes

    def command(self):
        for name, text in (self.units or connection_pair(self.address, self.program)).items():
            self.write(f"units/{name}", text)
        return [os.path.join(BUILD, "usherd"), "--log-level=warning", *self.more, "--runtime-dir",
                os.path.join(self.folder, "run"), "--units", os.path.join(self.folder, "units")]

    def ctl(self, *args):
        subprocess.run([os.path.join(BUILD, "usherctl"), "--runtime-dir", os.path.join(self.folder, "run"), *args],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


class UsherdWith(Usherd):
    """One more line in the template."""

    def __init__(self, folder, setting):
        self.name = f"usherd, {setting}"
        super().__init__(folder)
        self.setting = setting

    def command(self):
        self.units = connection_pair(self.address, self.program)
        self.units["bench@.service"] += self.setting + "\n"
        return super().command()


class Tcpserver(Server):
    name, needs, kinds = "tcpserver", ("tcpserver",), ("tcp",)

    def command(self):
        host, _, port = self.address.rpartition(":")
        return ["tcpserver", "-c", "10000", "-b", "4096", "-H", "-R", "-l", "localhost", host, port, self.program]


class Tcpsvd(Server):
    name, needs, kinds = "tcpsvd", ("tcpsvd",), ("tcp",)

    def command(self):
        host, _, port = self.address.rpartition(":")
        return ["tcpsvd", "-c", "10000", "-b", "4096", "-l", "localhost", host, port, self.program]


class S6Ipcserver(Server):
    name, needs, kinds = "s6-ipcserver", ("s6-ipcserver",), ("unix",)

    def command(self):
        return ["s6-ipcserver", "-c", "1000", "-b", "4096", self.address, self.program]


class Xinetd(Server):
    name, needs, kinds = "xinetd", ("xinetd",), ("tcp",)

    def command(self):
        host, _, port = self.address.rpartition(":")
        path = self.write("conf", f"defaults\n{{\n instances = UNLIMITED\n per_source = UNLIMITED\n cps = {ALL} 1\n}}\n"
                          f"service bench\n{{\n type = UNLISTED\n id = bench\n socket_type = stream\n protocol = tcp\n"
                          f" wait = no\n user = root\n bind = {host}\n port = {port}\n server = {self.program}\n"
                          " disable = no\n}\n")
        return ["xinetd", "-dontfork", "-f", path, "-pidfile", os.path.join(self.folder, "pid")]


class OpenbsdInetd(Server):
    name, needs, kinds = "openbsd-inetd", ("inetd",), ("tcp",)

    def command(self):
        path = self.write("conf", f"{self.address} stream tcp nowait.{ALL} root {self.program} {self.program}\n")
        return ["inetd", "-i", "-R", "0", path]


# In namespaces of its own but for the network: what is below /run and /etc/systemd is its own.
_SYSTEMD = """set -e
mount --make-rprivate /
mount -t proc proc /proc
if mountpoint -q /sys/fs/cgroup; then umount -R -l /sys/fs/cgroup; fi
mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec 9<"$1"
mount -t tmpfs -o mode=755 tmpfs /run
for folder in /etc/systemd/system /usr/lib/systemd/system /usr/lib/systemd/system-generators \
        /usr/local/lib/systemd/system /etc/systemd/system.conf.d; do
    if [ -d "$folder" ]; then mount -t tmpfs -o mode=755 tmpfs "$folder"; fi
done
cp -a /proc/self/fd/9/. /etc/systemd/system/
exec 9<&-
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=other /lib/systemd/systemd --system \
    --log-target=console --log-level=warning --unit=basic.target
"""


def _cgroup2():
    with open("/proc/mounts", encoding="utf-8") as file:
        for line in file:
            if line.split()[2] == "cgroup2":
                return line.split()[1]
    return None


class Systemd(Server):
    """This machine's, as PID 1 of namespaces."""

    name = "systemd"
    needs = ("/lib/systemd/systemd",)

    def __init__(self, folder, units=None):
        super().__init__(folder)
        self.units = units
        self.cgroup = None

    @classmethod
    def is_there(cls):
        return os.path.exists(cls.needs[0]) and os.geteuid() == 0 and _cgroup2() is not None

    def command(self):
        units = self.units or connection_pair(self.address, self.program)
        for target in ("basic", "sysinit", "sockets", "shutdown", "umount"):
            self.write(f"units/{target}.target", "[Unit]\nDefaultDependencies=no\n")
        for name, text in units.items():
            self.write(f"units/{name}", text)
            if name.endswith(".socket"):
                wants = os.path.join(self.folder, "units/basic.target.wants")
                os.makedirs(wants, exist_ok=True)
                os.symlink(f"../{name}", os.path.join(wants, name))
        script = self.write("systemd.sh", _SYSTEMD)
        self.cgroup = os.path.join(_cgroup2(), f"usher-bench-{os.getpid()}")
        os.makedirs(self.cgroup, exist_ok=True)
        return ["unshare", "--pid", "--fork", "--mount", "--uts", "--ipc", "--cgroup", "--kill-child", "--",
                "sh", script, os.path.join(self.folder, "units")]

    def options(self):
        def enter():
            with open(os.path.join(self.cgroup, "cgroup.procs"), "w", encoding="ascii") as file:
                file.write(str(os.getpid()))
        return {"preexec_fn": enter, "start_new_session": True}

    def pid(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            return int(file.read().split()[0])

    def stop(self):
        if self.process and self.process.poll() is None:
            os.kill(self.pid(), signal.SIGKILL)
            self.process.wait(20)
        self.process = None
        for _ in range(100):
            try:
                for folder, _, _ in os.walk(self.cgroup, topdown=False):
                    os.rmdir(folder)
                return
            except OSError:
                time.sleep(0.05)


PEERS = (Tcpserver, Tcpsvd, S6Ipcserver, Xinetd, OpenbsdInetd, Systemd)
