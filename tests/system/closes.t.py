#!/usr/bin/env python3
"""The end of descriptors that others have made: usherd does not wait for what they have made of them."""

import os
import signal
import sys

from daemon import case, eventually, main, talk

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


main()
