#!/usr/bin/env python3
"""Many reloads with sockets that change, while others are in use: no connection to those is lost, and neither
descriptors nor memory grow. RELOADS is their number (make check-reloads: 10,000)."""

import os
import sys
import threading
import time

from daemon import WRAPPER, case, connect, is_sanitized, main

RELOADS = int(os.environ.get("RELOADS", "200"))
# Sends back the first bytes of every connection.
SERVER = """import socket
with socket.socket(fileno=3) as listener:
    while True:
        peer = listener.accept()[0]
        peer.sendall(peer.recv(100))
        peer.close()
"""


def change(d, n):
    """Every round another set of ports, options, accept modes, and units that come and go."""
    more = "".join(f"ListenStream=127.0.0.1:{7100 + (n + k) % 7}\n" for k in range(n % 4 + 1))
    d.unit("changing.socket", f"[Socket]\n{more}Backlog={n % 5 + 1}\n"
           + ("KeepAlive=yes\nX-JoinGroup=239.1.1.1%%lo\n" if n % 2 else "ReceiveBuffer=64K\n")
           + (f"ListenDatagram=127.0.0.1:7200\nListenFIFO={d.folder}/fifo{n % 3}\n" if n % 3 else "")
           + ("X-ListenName=stream localhost 7300\n" if n % 20 == 5 else ""))
    d.unit("modes.socket", f"[Socket]\nListenStream={d.folder}/modes\n"
           f"Accept={'yes' if n % 2 else 'no'}\nSocketMode=06{n % 7}0\n")
    path = os.path.join(d.units, "passing.socket")
    if n % 3 == 0:
        d.unit("passing.socket", "[Socket]\nListenStream=@passing\n")
    elif os.path.exists(path):
        os.unlink(path)


class Load(threading.Thread):
    """Connects to the sockets that do not change, again and again."""

    def __init__(self):
        super().__init__()
        self.is_over = threading.Event()
        self.n_good, self.failures = 0, []

    def run(self):
        while not self.is_over.is_set():
            for port in (7001, 7002):
                try:
                    with connect(("127.0.0.1", port)) as peer:
                        peer.sendall(b"hello")
                        answer = peer.recv(100)
                    if answer != b"hello":
                        self.failures.append(f"port {port}: {answer}")
                except OSError as error:
                    self.failures.append(f"port {port}: {error}")
                self.n_good += 1


def descriptors(d):
    """Without those that are about to go: of usherctl, of the last connections."""
    counts = []
    for _ in range(20):
        counts.append(len(os.listdir(f"/proc/{d.process.pid}/fd")))
        time.sleep(0.05)
    return min(counts)


@case
def reloads_under_load(d):
    # No limit of starts: as many connections as the machine gives.
    limits = "TriggerLimitBurst=0\nPollLimitBurst=0\n"
    d.unit("kept.socket", f"[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\n{limits}")
    d.unit("kept@.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n")
    d.unit("shared.socket", f"[Socket]\nListenStream=127.0.0.1:7002\n{limits}")
    d.unit("shared.service", f"[Service]\nExecStart={sys.executable} {d.file('server.py', SERVER)}\n")
    for name in ("changing", "modes", "modes@", "passing"):
        d.unit(f"{name}.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n")
    change(d, 0)
    d.start("--units", d.units, "--target", "basic.target")
    d.ctl("start", "kept.socket", "shared.socket", "changing.socket", "modes.socket", check=True)
    load = Load()
    load.start()
    settled = None
    try:
        for n in range(1, RELOADS + 1):
            change(d, n)
            d.ctl("daemon-reload", check=True)
            if n == RELOADS // 4:
                settled = d.memory()
    finally:
        load.is_over.set()
        load.join()
    grown = d.memory() - settled
    change(d, 0)
    d.ctl("daemon-reload", check=True)
    before = descriptors(d)
    for n in (*range(1, 42), 0):  # 42 rounds: all of the periods above
        change(d, n)
        d.ctl("daemon-reload", check=True)
    assert descriptors(d) == before, (before, descriptors(d))
    assert not load.failures, load.failures[:10]
    assert load.n_good > 0
    print(f"{RELOADS} reloads, {load.n_good} connections meanwhile, memory grown by {grown} KiB "
          f"from {settled} KiB in the last three quarters")
    if not WRAPPER and not is_sanitized():
        assert grown <= 256, f"memory has grown by {grown} KiB"


if __name__ == "__main__":
    main()
