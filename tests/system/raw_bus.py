"""A D-Bus client that can break the protocol, for the tests of the control socket, and helpers that use it."""

import contextlib
import os
import shutil
import socket
import struct
import subprocess

from daemon import PATIENCE, Skip, need_root, talk

NOBODY = 65534
CAT = "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n"
ROOT = "/org/freedesktop/systemd1"
NAME = "org.freedesktop.systemd1"
MANAGER = NAME + ".Manager"
PROPERTIES = "org.freedesktop.DBus.Properties"
HELLO = b"\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"


def somebody():
    """A stranger, where one can become one; else oneself."""
    try:
        need_root()
    except Skip:
        return 0
    return NOBODY


@contextlib.contextmanager
def being(uid):
    """What is connected meanwhile is connected by this user."""
    if uid == 0:
        yield
        return
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def pad(data, to):
    return data + b"\0" * (-len(data) % to)


def string(text):
    data = text.encode()
    return struct.pack("<I", len(data)) + data + b"\0"


def strings(*words):
    body = b""
    for word in words:
        body = pad(body, 4) + string(word)
    return struct.pack("<I", len(body)) + body


def field(code, kind, data):
    return bytes([code, 1]) + kind.encode() + b"\0" + data


def message(member, signature="", body=b"", path=ROOT, interface=MANAGER, serial=1, announced=None):
    fields = b""
    for one in (field(1, "o", string(path)), field(2, "s", string(interface)), field(3, "s", string(member)),
                field(6, "s", string(NAME)), field(8, "g", bytes([len(signature)]) + signature.encode() + b"\0")):
        fields = pad(fields, 8) + one
    size = len(body) if announced is None else announced
    return pad(b"l\1\0\1" + struct.pack("<III", size, serial, len(fields)) + fields, 8) + body


class Client:
    """A D-Bus client that knows no manners."""

    def __init__(self, d, uid=0, hello=HELLO):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.data = b""
        with being(uid):
            self.sock.connect(os.path.join(d.runtime, "systemd/private"))
        with contextlib.suppress(OSError):  # refused: what comes next tells
            self.sock.sendall(hello)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def take(self, size):
        while len(self.data) < size:
            part = self.sock.recv(1 << 20)
            if not part:
                raise ConnectionResetError("end of file")
            self.data += part
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def line(self):
        text = b""
        while not text.endswith(b"\r\n"):
            text += self.take(1)
        return text.decode().strip()

    def authenticate(self):
        """The answers to HELLO."""
        return [self.line() for _ in range(3)]

    def answer(self):
        """The next answer: (is it an error, everything behind the fixed header)."""
        while True:
            head = self.take(16)
            body, _, fields = struct.unpack("<III", head[4:])
            rest = self.take(-fields % 8 + fields + body)
            if head[1] in (2, 3):
                return head[1] == 3, rest

    def call(self, *args, **options):
        self.sock.sendall(message(*args, **options))
        return self.answer()

    def is_gone(self):
        """Has the other end hung up? Waits for it."""
        try:
            while self.sock.recv(1 << 20):
                pass
        except socket.timeout:
            return False
        except OSError:
            pass
        return True


def pair(d, name="echo", port=7001, more=""):
    d.unit(f"{name}.socket", f"[Socket]\nListenStream=127.0.0.1:{port}\nAccept=yes\n{more}")
    d.unit(f"{name}@.service", CAT)


def fillers(d, n):
    for i in range(n):
        d.unit(f"filler-{i}.target", f"[Unit]\nDescription={'x' * 100}\n")
    d.unit("all.target", "[Unit]\nWants=" + " ".join(f"filler-{i}.target" for i in range(n)) + "\n")


def others(d):
    """usherctl of somebody else."""
    program = shutil.copy(os.path.join(os.environ.get("BUILD", "build"), "usherctl"), d.folder)

    def ctl(*words, uid=NOBODY, group=None, groups=()):
        return subprocess.run([program, "--runtime-dir", d.runtime, *words], user=uid, group=group or uid,
                              extra_groups=list(groups), capture_output=True, text=True, check=False, timeout=60)
    return ctl


def is_served(d):
    return d.ctl("is-active", "echo.socket").stdout == "active\n" and talk(("127.0.0.1", 7001), b"x") == b"x"
