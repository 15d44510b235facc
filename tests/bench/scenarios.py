"""What is measured, and how. A scenario gives rows: server -> {figure: value}."""

import os
import shutil
import socket
import statistics
import subprocess
import threading
import time

import servers
from servers import (BareActivate, BareClone, BareFork, BarePidfd, BareVfork, Systemd, Usherd, UsherdWith,
                     bench_program, connection_pair, connection_unit, memory, own_cpu, socket_unit)

PORTS = iter(range(7100, 7999))


def address(kind, folder, name):
    return f"127.0.0.1:{next(PORTS)}" if kind == "tcp" else os.path.join(folder, name.replace(" ", "-") + ".sock")


def load(target, *args):
    """Connections by the client: (a second, median, 0.9, 0.99, 1 in microseconds)."""
    words = subprocess.run([bench_program("load"), *map(str, args), target], check=True, stdout=subprocess.PIPE,
                           text=True).stdout.split()
    return int(words[0]) / float(words[1]), *map(int, words[2:])


class Kept:
    """Connections that stay open meanwhile."""

    def __init__(self, target, count, *args):
        self.process = subprocess.Popen([bench_program("load"), "-k", "-n", str(count), *args, target],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"open\n"

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def in_turns(running, rounds, seconds, *args):
    """All servers in turns, in every round in another order; medians, and the median of the ratios to the
    first of them in the same round."""
    samples = {s.name: [] for s in running}
    counts = {}
    for server in running:
        rate = load(server.address, "-n", 200, "-t", 1, *args)[0]
        counts[server.name] = max(20, int(rate * seconds))
    for i in range(rounds):
        order = running[i % len(running):] + running[:i % len(running)]
        for server in order:
            before = own_cpu(server.pid())
            rate, p50, _, p99, _ = load(server.address, "-n", counts[server.name], *args)
            cpu = (own_cpu(server.pid()) - before) / 1000 / counts[server.name]
            samples[server.name].append({"rate": rate, "p50": p50, "p99": p99, "cpu": cpu})
    return summary(samples)


def summary(samples):
    """Medians of each server's rounds, and of the ratios to the first server in the same round."""
    first = next(iter(samples.values()))

    def ratio(rows, key):
        return statistics.median(a[key] / b[key] for a, b in zip(rows, first))
    return {name: dict({key: statistics.median(r[key] for r in rows) for key in rows[0]},
                       **{"ratio": ratio(rows, "rate"), "p99 ratio": ratio(rows, "p99")})
            for name, rows in samples.items()}


class Bench:
    def __init__(self, folder, quick):
        self.folder, self.quick = folder, quick
        self.rounds, self.seconds = (3, 0.2) if quick else (9, 0.5)

    def start(self, classes, kind, program):
        running = []
        try:
            for cls in classes:
                server = cls(self.folder) if isinstance(cls, type) else cls
                if kind in server.kinds and server.is_there():
                    running.append(server.start(address(kind, self.folder, server.name), program))
        except BaseException:
            stop(running)
            raise
        return running

    # ---- a process for each connection

    def rate(self, kind, concurrency, program=None, peers=servers.PEERS):
        running = self.start([BareVfork, BareFork, BareClone, BarePidfd, Usherd, *peers], kind,
                             program or bench_program("payload"))
        try:
            return in_turns(running, self.rounds, self.seconds, "-c", concurrency)
        finally:
            stop(running)

    def rate_1(self):
        return self.rate("tcp", 1)

    def rate_8(self):
        return self.rate("tcp", 8)

    def rate_64(self):
        return self.rate("tcp", 64)

    def rate_unix(self):
        return self.rate("unix", 8)

    def rate_dynamic(self):
        """A program with a C library: exec is the most of it."""
        return self.rate("tcp", 8, "/bin/echo", ())

    def settings(self):
        """What a setting of the template costs: another user; no keyring of its own; a memory of its own until the
        exec."""
        program = shutil.copy(bench_program("payload"), self.folder)  # where every user can get at it
        classes = [Usherd] + [UsherdWith(self.folder, setting) for setting in
                              ("User=nobody", "KeyringMode=inherit", "OOMScoreAdjust=100")
                              if os.geteuid() == 0 or not setting.startswith("User=")]
        running = self.start([*classes, BareVfork, BareFork], "tcp", program)
        try:
            return in_turns(running, self.rounds, self.seconds, "-c", 8)
        finally:
            stop(running)

    # ---- one service for all

    def activation(self):
        """From connect(2) to the end of the answer of a service that was not running."""
        program = bench_program("payload-listener")
        ours, theirs = Usherd(self.folder), Systemd(self.folder)
        running = []
        try:
            for server in (BareActivate(self.folder), ours, theirs):
                if not server.is_there():
                    continue
                target = address("tcp", self.folder, server.name)
                if server in (ours, theirs):
                    # A service that ends at once is started again without limit.
                    server.units = {
                        "bench.socket": socket_unit(target, accept=False),
                        "bench.service": f"[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart={program}\n"}
                running.append(server.start(target, program))
            # The end of the last one's process is not part of it: a pause.
            pause = 30000 if theirs in running else 3000
            rows = in_turns(running, self.rounds, 0.05, "-p", pause)
        finally:
            stop(running)
        first = rows[running[0].name]
        return {name: {"p50": row["p50"], "p99": row["p99"], "latency ratio": row["p50"] / first["p50"]}
                for name, row in rows.items()}

    def silence(self):
        """A service that runs is not the supervisor's business: its CPU over many requests."""
        count = 10000 if self.quick else 100000
        ours = Usherd(self.folder)
        target = address("tcp", self.folder, ours.name)
        ours.units = {"bench.socket": socket_unit(target, accept=False),
                      "bench.service": f"[Service]\nExecStart={bench_program('payload-forever')}\n"}
        ours.start(target, "")
        try:
            time.sleep(0.2)
            before = own_cpu(ours.pid())
            rate = load(target, "-n", count, "-c", 8)[0]
            return {"usherd": {"requests": count, "rate": rate, "cpu ns in all": own_cpu(ours.pid()) - before}}
        finally:
            ours.stop()

    # ---- flat

    def flat(self, burdened, plain, kind="tcp", args=("-c", 8)):
        """The same server with and without a burden: its rate as a share of its own."""
        running = [plain, burdened]
        try:
            for server in running:
                server.start(address(kind, self.folder, server.name), bench_program("payload"), wait=False)
            for server in running:
                server.wait()
            return in_turns(running, self.rounds, self.seconds, *args)
        finally:
            stop(running)

    def idle_units(self, n):
        units = {}
        for i in range(n):
            units[f"idle{i}.socket"] = socket_unit(f"127.2.{i // 250}.{i % 250}:7998", accept=False)
            units[f"idle{i}.service"] = f"[Service]\nExecStart={bench_program('payload')}\n"
        return units

    def flat_idle(self):
        """Beside 10,000 idle listening sockets."""
        n = 2000 if self.quick else 10000
        rows = {}
        ours = Burdened(self.folder, self.idle_units(n))
        rows.update(self.flat(ours, Usherd(self.folder)))
        bare = BareVfork(self.folder, "-i", str(n))
        bare.name += ", burdened"
        rows.update(self.flat(bare, BareVfork(self.folder)))
        return rows

    def flat_live(self):
        """Beside 4,000 live instances."""
        n = 1000 if self.quick else 4000
        rows = {}
        stay = bench_program("payload-stay")
        target = address("tcp", self.folder, "stay")
        ours = Burdened(self.folder, {"stay.socket": socket_unit(target),
                                      "stay@.service": connection_unit(stay)})
        ours.after_start = lambda: Kept(target, n)
        rows.update(self.flat(ours, Usherd(self.folder)))
        for cls in (BareVfork, BarePidfd):
            bare = cls(self.folder, "-k", str(n), "-p", stay)
            bare.name += ", burdened"
            rows.update(self.flat(bare, cls(self.folder)))
        return rows

    def flat_sources(self):
        """Counting by source, with 100,000 of them."""
        n = 20000 if self.quick else 100000
        ours = self.start([Usherd], "tcp", bench_program("payload"))[0]
        try:
            samples = {"usherd": [], "usherd, burdened": []}
            for _ in range(self.rounds):
                for name, sources in (("usherd", 2), ("usherd, burdened", n)):
                    rate, p50, _, p99, _ = load(ours.address, "-n", n if not self.quick else 2000, "-c", 8, "-s", sources,
                                                "-t", 2)
                    samples[name].append({"rate": rate, "p50": p50, "p99": p99})
            return summary(samples)
        finally:
            ours.stop()

    # ---- small

    def small(self):
        """KiB private to the process: with ten units, and by unit and by instance."""
        rows = {}
        program = bench_program("payload")
        n, live = (1000, 500) if self.quick else (5000, 4000)
        ten = self.idle_units(5)
        server = Usherd(self.folder, units=dict(ten, **{"x.socket": socket_unit("127.0.0.1:7990"),
                                                        "x@.service": connection_unit(program)}))
        server.start("127.0.0.1:7990", program)
        time.sleep(0.5)
        few = memory(server.pid())
        rows["usherd"] = {"dirty KiB": few[0], "private KiB": few[1]}
        server.stop()
        server = Usherd(self.folder, units=dict(self.idle_units(n), **{
            "x.socket": socket_unit("127.0.0.1:7990"),
            "x@.service": connection_unit(bench_program("payload-stay"))}))
        server.start("127.0.0.1:7990", program, wait=False)
        time.sleep(1 if self.quick else 3)
        many = memory(server.pid())
        kept = Kept("127.0.0.1:7990", live)
        time.sleep(2)  # what is free goes back after a second
        burst = memory(server.pid())
        kept.close()
        time.sleep(2)
        after = memory(server.pid())
        server.stop()
        rows["usherd"].update({"bytes a unit": (many[0] - few[0]) * 1024 / (n - 5),
                               "bytes an instance": (burst[0] - many[0]) * 1024 / live,
                               "KiB kept after": after[0] - many[0]})
        for cls in (servers.Tcpserver, servers.Xinetd, servers.OpenbsdInetd, Systemd, BareVfork):
            for peer in self.start([cls], "tcp", program):
                dirty, private = memory(peer.pid())
                rows[peer.name] = {"dirty KiB": dirty, "private KiB": private}
                peer.stop()
        return rows

    # ---- start and reload

    def start_up(self):
        """From exec to READY=1 with so many pairs of units."""
        rows = {}
        for n in (500, 1000) if self.quick else (5000, 10000):
            server = Usherd(self.folder, units=self.idle_units(n))
            times, floors = [], []
            for _ in range(3):
                times.append(self.time_start(server))
                folder = os.path.join(server.folder, "units")
                begin = time.monotonic()
                subprocess.run([bench_program("bare"), "start", folder, str(n)], check=True)
                floors.append(time.monotonic() - begin)
            rows[f"usherd, {n} pairs"] = {"seconds": statistics.median(times)}
            rows[f"read {2 * n} files, bind {n} sockets"] = {"seconds": statistics.median(floors)}
        return rows

    def time_start(self, server):
        path = os.path.join(self.folder, "notify")
        if os.path.exists(path):
            os.unlink(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(path)
            notify.settimeout(servers.PATIENCE)
            os.environ["NOTIFY_SOCKET"] = path
            os.makedirs(server.folder, exist_ok=True)
            command = server.command()
            begin = time.monotonic()
            server.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
            while b"READY=1" not in notify.recv(4096).split(b"\n"):
                pass
            took = time.monotonic() - begin
            del os.environ["NOTIFY_SOCKET"]
        server.stop()
        return took

    def reload(self):
        """With nothing changed; and how long a connection waits meanwhile."""
        n = 1000 if self.quick else 5000
        server = Burdened(self.folder, self.idle_units(n))
        server.start(address("tcp", self.folder, "reload"), bench_program("payload"))
        times, waits, calm = [], [], []
        try:
            for _ in range(3 if self.quick else 5):
                calm.append(load(server.address, "-n", 500)[4])
                thread = threading.Thread(target=lambda: waits.append(load(server.address, "-n", 100000, "-t", 1)[4]))
                thread.start()
                time.sleep(0.3)
                begin = time.monotonic()
                server.ctl("daemon-reload")
                times.append(time.monotonic() - begin)
                thread.join()
        finally:
            server.stop()
        return {f"usherd, {n} pairs": {"seconds": statistics.median(times), "longest wait ms": max(waits) / 1000,
                                       "without reload ms": max(calm) / 1000}}


class Burdened(Usherd):
    """usherd with more units than those that are asked."""

    name = "usherd, burdened"

    def __init__(self, folder, burden):
        super().__init__(folder)
        self.burden = burden
        self.after_start = None
        self.kept = None

    def command(self):
        self.units = dict(self.burden, **connection_pair(self.address, self.program))
        return super().command()

    def wait(self):
        super().wait()
        if self.after_start:
            self.kept = self.after_start()

    def stop(self):
        if self.kept:
            self.kept.close()
            self.kept = None
        super().stop()


def stop(running):
    for server in running:
        server.stop()


# Name -> title, and what makes the rows; in this order.
SCENARIOS = {
    "rate-1": ("Accept=yes, one connection at a time", Bench.rate_1),
    "rate-8": ("Accept=yes, 8 at a time", Bench.rate_8),
    "rate-64": ("Accept=yes, 64 at a time", Bench.rate_64),
    "unix": ("Accept=yes on AF_UNIX, 8 at a time", Bench.rate_unix),
    "dynamic": ("Accept=yes, /bin/echo, 8 at a time", Bench.rate_dynamic),
    "settings": ("Accept=yes with a setting, 8 at a time", Bench.settings),
    "activation": ("Accept=no: a service that was not running", Bench.activation),
    "silence": ("Accept=no: a service that runs", Bench.silence),
    "flat-idle": ("Beside idle sockets", Bench.flat_idle),
    "flat-live": ("Beside live instances", Bench.flat_live),
    "flat-sources": ("Many sources", Bench.flat_sources),
    "small": ("Memory", Bench.small),
    "start-up": ("Start", Bench.start_up),
    "reload": ("Reload", Bench.reload),
}
