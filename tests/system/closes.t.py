#!/usr/bin/env python3
"""Closing descriptors that came from other processes: usherd does not block, however they prepared them."""

import os
import signal
import subprocess
import sys

from daemon import case, eventually, main, need_root, talk
from stuck_memory import FLUSH, StuckMemory

PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
# A socket whose peer reads nothing, and whose last close() waits for it.
LINGER = """import array, os, socket, struct, sys, time
listener = socket.create_server(("127.0.0.1", 0))
s = socket.create_connection(listener.getsockname())
peer, _ = listener.accept()
s.setblocking(False)
try:
    while True:
        s.send(b"x" * 65536)
except BlockingIOError:
    pass
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 600))
while not os.path.exists(sys.argv[1] + ".go"):
    time.sleep(0.01)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
    for text in sys.argv[2:]:
        fds = array.array("i", [s.fileno()])
        notify.sendmsg([text.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)], 0, os.environ["NOTIFY_SOCKET"])
os.dup2(os.open("/dev/null", os.O_RDWR), s.fileno())
open(sys.argv[1], "w").close()
time.sleep(600)
"""

# close() of this file blocks every caller, the sender, too; so another process acts as the sender.
FILES = """import array, os, socket, sys, time
fd = os.open(sys.argv[2], os.O_RDWR)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
    for text in sys.argv[4:]:
        fds = array.array("i", [fd])
        notify.sendmsg([text.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)], 0,
                       sys.argv[3] if sys.argv[3] != "-" else os.environ["NOTIFY_SOCKET"])
open(sys.argv[1], "w").close()
time.sleep(600)
"""


@case
def sockets_that_linger(d):
    """Of whoever sends to the notify socket, in vain or for the fd store."""
    script = d.file("linger.py", LINGER)
    d.unit("a.socket", f"[Socket]\nListenStream={d.folder}/a\nAccept=yes\n")
    d.unit("a@.service", "[Service]\nStandardInput=socket\nExecStart=/bin/cat\n")
    for name, words in (("b", "X=1"), ("c", "FDSTORE=1"), ("d", "'FDSTORE=1\\nFDPOLL=0' FDSTOREREMOVE=1")):
        d.unit(name + ".service", "[Service]\nNotifyAccess=all\nFileDescriptorStoreMax=9\n"
               f"ExecStart={PYTHON} {script} {d.folder}/{name}.ready {words}\n")
    d.start("--units", d.units, "--target", "basic.target")
    d.ctl("start", "a.socket", check=True)
    for name in "bcd":
        d.ctl("start", name + ".service", check=True)
        d.process.send_signal(signal.SIGSTOP)  # it has the last one then
        d.file(name + ".ready.go", "")
        eventually(lambda n=name: os.path.exists(f"{d.folder}/{n}.ready"), "it to be sent")
        d.process.send_signal(signal.SIGCONT)
        assert talk(d.folder + "/a", b"x") == b"x"
        d.ctl("stop", name + ".service", check=True, timeout=60)
        assert talk(d.folder + "/a", b"x") == b"x"


@case
def files_of_a_hanging_disk(d):
    """Of a stranger, of a service that may not store them, and of one that may, and takes them away again."""
    need_root()
    script = d.file("files.py", FILES)
    d.unit("a.socket", f"[Socket]\nListenStream={d.folder}/a\nAccept=yes\n")
    d.unit("a@.service", "[Service]\nStandardInput=socket\nExecStart=/bin/cat\n")
    with StuckMemory(d.folder, FLUSH) as stuck:
        rows = (
            ("b", "X=1", 0),
            ("c", "FDSTORE=1", 0),
            ("d", "FDSTORE=1", 9),
            ("e", "'FDSTORE=1\\nFDPOLL=0' FDSTOREREMOVE=1", 9),
            ("f", "BARRIER=1", 9),
        )
        for name, words, most in rows:
            d.unit(name + ".service", f"[Service]\nNotifyAccess=all\nFileDescriptorStoreMax={most}\nExecStart={PYTHON} "
                   f"{script} {d.folder}/{name}.ready {stuck.mount_point}/{name} - {words}\n")
        d.start("--units", d.units, "--target", "basic.target")
        d.ctl("start", "a.socket", check=True)
        with subprocess.Popen([PYTHON, script, d.folder + "/s.ready", stuck.mount_point + "/s",
                               d.runtime + "/notify", "X=1", "FDSTORE=1", "BARRIER=1"]) as stranger:
            eventually(lambda: os.path.exists(d.folder + "/s.ready"), "the stranger's messages")
            for _ in range(20):
                assert talk(d.folder + "/a", b"x") == b"x"
            for name, _, most in rows:
                d.ctl("start", name + ".service", check=True, timeout=60)
                eventually(lambda n=name: os.path.exists(f"{d.folder}/{n}.ready"), "it to be sent")
                assert talk(d.folder + "/a", b"x") == b"x"
                if name == "d":
                    eventually(lambda: d.show("d.service", "NFileDescriptorStore") == "1", "the store")
            for name, _, _ in rows:
                d.ctl("stop", "--no-block", name + ".service", check=True, timeout=60)
                assert talk(d.folder + "/a", b"x") == b"x"
            stranger.kill()
            stuck.end()


main()
