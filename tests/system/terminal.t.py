#!/usr/bin/env python3
"""Text that others have chosen never reaches a terminal unescaped: each verb that prints it escapes it."""

import json
import os
import pty
import re
import select
import subprocess
import time

from daemon import PATIENCE, USHERCTL, case, connect, eventually, main

# A title, a colour, CSI as one character, right-to-left override, an isolate, a mark, DEL, a bell, a new line of its own.
EVIL = "\x1b]0;owned\x07\x1b[31m\u009b32m\u202e\u2066\u200f\x7f"
# What the terminal of a test may be sent, besides text: usherctl's own colours, and what ends a line.
OWN = re.compile("\x1b\\[[0-9;]*m|\r\n|\n|\t")
BAD = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def on_terminal(d, *words):
    """What usherctl writes to a terminal, with both of its outputs."""
    inner, outer = pty.openpty()
    env = dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8")
    with subprocess.Popen([USHERCTL, "--runtime-dir", d.runtime, *words], stdin=outer, stdout=outer, stderr=outer,
                          env=env) as process:
        os.close(outer)
        data = b""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if select.select([inner], [], [], 0.1)[0]:
                try:
                    part = os.read(inner, 65536)
                except OSError:
                    break
                if not part:
                    break
                data += part
            elif process.poll() is not None:
                break
        process.wait(PATIENCE)
    os.close(inner)
    return data.decode("utf-8", errors="replace")


SERVER = r"""#!/usr/bin/env python3
import ctypes, os, socket, subprocess, sys, time
evil = %r
ctypes.CDLL(None).prctl(15, ("\x1b[31m" + evil[:9]).encode(), 0, 0, 0)
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(("READY=1\nSTATUS=busy" + evil).encode(), os.environ["NOTIFY_SOCKET"])
print("printed" + evil, flush=True)
subprocess.Popen(["/bin/sh", "-c", "sleep 600; :", "argument" + evil])
time.sleep(600)
"""

# Verbs, and a word that has to be in what they show: of the evil text it is a part that is harmless.
VERBS = [
    (("status", "evil.service"), "busy"),
    (("status", "evil.service"), "described"),
    (("status", "evil.service"), "printed"),
    (("status", "evil.service"), "argument"),
    (("status", "evil.socket"), "described"),
    (("show", "evil.service"), "Description=described"),
    (("show", "-p", "StatusText", "evil.service"), "busy"),
    (("show", "-o", "json", "evil.service"), "described"),
    (("cat", "evil.service"), "described"),
    (("logs",), "printed"),
    (("logs", "-o", "json"), "printed"),
    (("list-units",), "described"),
    (("list-units", "-o", "json"), "described"),
    (("list-sockets",), "evil"),
    (("list-dependencies", "evil.socket"), "evil.socket"),
    (("list-unit-files",), "evil.service"),
    (("connections",), "acc"),
    (("show-environment",), "PASSED"),
    (("--units", "UNITS", "explain", "evil.service"), "described"),
    (("--units", "UNITS", "explain", "evil.socket"), "evil"),
    (("--units", "UNITS", "cat", "evil.service"), "described"),
    (("--units", "UNITS", "lint", "bad.service"), "bad.service"),
    (("status", "bad.service"), "bad.service"),
    (("status",), "running"),
]


@case
def nothing_steers_the_terminal(d):
    program = d.file("server.py", SERVER % EVIL)
    d.unit("evil.service", f"[Unit]\nDescription=described{EVIL}\nDocumentation=man:described(1)\n[Service]\n"
           f"Type=notify\nNotifyAccess=all\nEnvironment='A={EVIL}'\nExecStart={program} 'word{EVIL}'\n")
    d.unit("evil.socket", f"[Unit]\nDescription=described{EVIL}\n[Socket]\n"
           f"ListenStream={d.folder}/evil\u202e.sock\nListenStream=127.0.0.1:7001\n")
    d.unit("bad.service", f"[Unit]\nDescription=described{EVIL}\n[Service]\nType=none{EVIL}\nExecStart=no{EVIL}\n")
    path = f"{d.folder}/acc\u202e.sock"
    d.unit("acc.socket", f"[Socket]\nListenStream={path}\nAccept=yes\n")
    d.unit("acc@.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n")
    d.start("--config", d.file("usher.conf", "PassManagerEnvironment = yes\n", 0o644), "--units", d.units,
            env={"PASSED": "through" + EVIL})
    client = connect(path)
    assert d.ctl("start", "evil.service").returncode == 0
    eventually(lambda: "printed" in d.ctl("logs").stdout, "what it prints")
    for words, expected in VERBS:
        words = [d.units if w == "UNITS" else w for w in words]
        text = on_terminal(d, *words)
        assert expected in text, (words, text)
        left = OWN.sub("", text)
        assert not BAD.search(left), (words, BAD.search(left), text)
    client.close()
    # Escaped, not left out.
    assert '"busy\\x1b]0;owned\\x07' in on_terminal(d, "status", "evil.service")


@case
def lines_are_not_made_up(d):
    """A new line in what somebody says is no line of the page, nor of the log."""
    program = d.file("server.py", SERVER % "\r\n   Active: failed")
    d.unit("evil.service", f"[Service]\nType=notify\nNotifyAccess=all\nExecStart={program}\n")
    d.start()
    assert d.ctl("start", "evil.service").returncode == 0
    page = d.ctl("status", "evil.service").stdout
    assert len(re.findall("(?m)^ *Active:", page)) == 1, page
    assert "\r" not in page and "\r" not in d.log()


@case
def programs_get_what_there_is(d):
    """Into a pipe, show and cat write what they have; JSON is decoded to it."""
    text = f"[Unit]\nDescription=described{EVIL}\n[Service]\nExecStart=/bin/sleep 600\n"
    d.unit("evil.service", text)
    d.start()
    assert d.ctl("start", "evil.service").returncode == 0
    assert text in d.ctl("cat", "evil.service").stdout
    assert d.show("evil.service", "Description") == "described" + EVIL
    for words in (("show", "-o", "json", "evil.service"), ("list-units", "-o", "json", "evil.service")):
        answer = d.ctl(*words)
        assert not BAD.search(OWN.sub("", answer.stdout)), answer
        entry = json.loads(answer.stdout)[0]
        assert entry.get("Description", entry.get("description")) == "described" + EVIL, entry


@case
def a_service_that_is_not_utf8(d):
    """It hides nothing: neither itself nor others."""
    d.unit("raw.service", "[Service]\nType=notify\nNotifyAccess=all\nExecStart=" + d.file("raw.py", r"""#!/usr/bin/env python3
import ctypes, os, socket, subprocess, time
ctypes.CDLL(None).prctl(15, b"\xff\xfe", 0, 0, 0)
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b"READY=1\nSTATUS=\xff", os.environ["NOTIFY_SOCKET"])
os.write(1, b"printed \xff\n")
time.sleep(600)
""") + "\n")
    d.start()
    assert d.ctl("start", "raw.service").returncode == 0
    eventually(lambda: "printed \\xff" in d.ctl("logs").stdout, "its line")
    page = d.ctl("status", "raw.service")
    assert page.returncode == 0 and "raw.py" in page.stdout and "(\\xff\\xfe)" in page.stdout, page
    assert "raw.service" in d.ctl("list-units").stdout


main()
