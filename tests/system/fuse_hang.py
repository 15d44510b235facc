"""A file system that answers, or does not, as the test says: a small FUSE server in a thread.

    fs = Hanging("/mnt", {"env": "A=1\\n", "sub": {"x": ("link", "/etc")}})
    fs.hang()      # from now on every request waits, in the kernel's words: uninterruptibly
    fs.answer()    # what waits is answered, and all that comes
    fs.close()     # what waits fails, and the mount is gone

A tree is a dict of names: text is a file, a dict a folder, ("link", target) a symbolic link. Written against
linux/fuse.h, protocol 7.31."""

import ctypes
import errno
import os
import select
import stat
import struct
import threading
import time

_LIBC = ctypes.CDLL(None, use_errno=True)
MNT_DETACH = 2
MS_NOSUID, MS_NODEV = 2, 4

(LOOKUP, FORGET, GETATTR, SETATTR, READLINK, SYMLINK, MKNOD, MKDIR, UNLINK, RMDIR, OPEN, READ, WRITE, STATFS,
 RELEASE, FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR, ACCESS, CREATE, INTERRUPT, DESTROY, BATCH_FORGET) = (
     1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 14, 15, 16, 17, 18, 25, 26, 27, 28, 29, 34, 35, 36, 38, 42)
NO_REPLY = (FORGET, BATCH_FORGET, INTERRUPT, DESTROY)
FATTR_MODE, FATTR_UID, FATTR_GID, FATTR_SIZE = 1, 2, 4, 8
HEADER = struct.Struct("<IIQQIIII")


class Unsupported(Exception):
    """There is no FUSE here; the text says why."""


class _Error(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


class _Node:
    def __init__(self, ino, what=None, mode=None):
        self.ino = ino
        self.children, self.data, self.target = {}, b"", None
        self.uid = self.gid = self.rdev = 0
        if isinstance(what, dict):
            self.mode = stat.S_IFDIR | 0o755
        elif isinstance(what, tuple):
            self.mode, self.target = stat.S_IFLNK | 0o777, what[1]
        elif what is not None:
            self.data = what.encode() if isinstance(what, str) else what
            self.mode = stat.S_IFREG | 0o755
        else:
            self.mode = mode


class Hanging:
    def __init__(self, point, tree=None, valid=0, keeps=False):
        """Mount it on the folder point. valid: for how long the kernel may cache answers, in seconds.
        keeps: nothing can be removed."""
        self.point, self.valid, self.keeps = point, valid, keeps
        self._nodes = {}
        self._root = self._add({} if tree is None else tree)
        self._held, self._is_hanging, self._is_over = [], False, False
        self._lock = threading.Lock()
        try:
            self._fd = os.open("/dev/fuse", os.O_RDWR | os.O_NONBLOCK)
        except OSError as error:
            raise Unsupported(f"/dev/fuse: {error.strerror}") from None
        options = f"fd={self._fd},rootmode=40755,user_id=0,group_id=0,allow_other".encode()
        if _LIBC.mount(b"hang", point.encode(), b"fuse.hang", MS_NOSUID | MS_NODEV, options) != 0:
            os.close(self._fd)
            raise Unsupported(f"mount of a FUSE file system: {os.strerror(ctypes.get_errno())}")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def hang(self):
        with self._lock:
            self._is_hanging = True

    def answer(self):
        with self._lock:
            self._is_hanging = False
            held, self._held = self._held, []
            for request in held:
                self._reply(request)

    def waiting(self):
        """How many requests wait."""
        with self._lock:
            return len(self._held)

    def close(self):
        """Also ends what waits in the kernel, which no signal does."""
        if self._is_over:
            return
        self._is_over = True
        self._thread.join()
        os.close(self._fd)
        while _LIBC.umount2(self.point.encode(), MNT_DETACH) != 0 and ctypes.get_errno() == errno.EBUSY:
            time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- requests

    def _serve(self):
        while not self._is_over:
            if not select.select([self._fd], [], [], 0.05)[0]:
                continue
            try:
                request = os.read(self._fd, 1 << 20)
            except OSError as error:
                if error.errno in (errno.EAGAIN, errno.EINTR, errno.ENOENT):
                    continue
                return  # unmounted
            opcode = HEADER.unpack_from(request)[1]
            with self._lock:
                if self._is_hanging and opcode != INIT and opcode not in NO_REPLY:
                    self._held.append(request)
                else:
                    self._reply(request)

    def _reply(self, request):
        _, opcode, unique, ino, *_ = HEADER.unpack_from(request)
        if opcode in NO_REPLY:
            return
        error, answer = 0, b""
        try:
            answer = self._do(opcode, ino, request[HEADER.size:])
        except _Error as failure:
            error = -failure.code
        try:
            os.write(self._fd, struct.pack("<IiQ", 16 + len(answer), error, unique) + answer)
        except OSError:
            pass  # whoever asked has been interrupted

    def _do(self, opcode, ino, body):
        if opcode == INIT:
            return struct.pack("<IIIIHHIIHHI7I", 7, 31, 1 << 16, 0, 12, 12, 1 << 16, 1, 0, 0, 0, *[0] * 7)
        node = self._nodes.get(ino)
        if node is None:
            raise _Error(errno.ENOENT)
        plain = {
            LOOKUP: lambda: self._entry(self._child(node, _text(body))),
            GETATTR: lambda: self._attr(node),
            SETATTR: lambda: self._set(node, body),
            READLINK: lambda: node.target.encode(),
            SYMLINK: lambda: self._make_link(node, *body.split(b"\0")[:2]),
            MKNOD: lambda: self._make(node, _text(body[16:]), *struct.unpack_from("<II", body)),
            MKDIR: lambda: self._make(node, _text(body[8:]),
                                      stat.S_IFDIR | struct.unpack_from("<I", body)[0]),
            UNLINK: lambda: self._remove(node, _text(body)),
            RMDIR: lambda: self._remove(node, _text(body)),
            OPEN: lambda: bytes(16),
            OPENDIR: lambda: bytes(16),
            READ: lambda: self._read(node, body),
            WRITE: lambda: self._write(node, body),
            READDIR: lambda: self._list(node, body),
            STATFS: lambda: struct.pack("<QQQQQIIII6I", 100, 90, 90, 100, 90, 4096, 255, 4096, 0, *[0] * 6),
            RELEASE: lambda: b"", RELEASEDIR: lambda: b"", FLUSH: lambda: b"", ACCESS: lambda: b"",
            CREATE: lambda: self._make(node, _text(body[16:]),
                                       stat.S_IFREG | struct.unpack_from("<II", body)[1]) + bytes(16),
        }
        if opcode not in plain:
            raise _Error(errno.ENOSYS)
        return plain[opcode]()

    # ---- the tree

    def _add(self, what=None, mode=None):
        node = _Node(len(self._nodes) + 1, what, mode)
        self._nodes[node.ino] = node
        for name, child in (what.items() if isinstance(what, dict) else ()):
            node.children[name] = self._add(child)
        return node

    @staticmethod
    def _child(node, name):
        if name not in node.children:
            raise _Error(errno.ENOENT)
        return node.children[name]

    def _make(self, node, name, mode, rdev=0):
        if name in node.children:
            raise _Error(errno.EEXIST)
        node.children[name] = child = self._add(mode=mode)
        child.rdev = rdev
        return self._entry(child)

    def _make_link(self, node, name, target):
        if name.decode() in node.children:
            raise _Error(errno.EEXIST)
        node.children[name.decode()] = child = self._add(("link", target.decode()))
        return self._entry(child)

    def _remove(self, node, name):
        self._child(node, name)
        if self.keeps:
            raise _Error(errno.EPERM)
        del node.children[name]
        return b""

    @staticmethod
    def _read(node, body):
        _, offset, size = struct.unpack_from("<QQI", body)
        return node.data[offset:offset + size]

    @staticmethod
    def _write(node, body):
        _, offset, size = struct.unpack_from("<QQI", body)
        node.data = node.data[:offset].ljust(offset, b"\0") + body[40:40 + size] + node.data[offset + size:]
        return struct.pack("<II", size, 0)

    def _set(self, node, body):
        valid, _, _, size = struct.unpack_from("<IIQQ", body)
        mode, _, uid, gid = struct.unpack_from("<IIII", body, 68)
        if valid & FATTR_MODE:
            node.mode = mode
        if valid & FATTR_UID:
            node.uid = uid
        if valid & FATTR_GID:
            node.gid = gid
        if valid & FATTR_SIZE:
            node.data = node.data[:size].ljust(size, b"\0")
        return self._attr(node)

    @staticmethod
    def _list(node, body):
        offset = struct.unpack_from("<QQ", body)[1]
        answer = b""
        entries = [(".", node), ("..", node), *node.children.items()]
        for number, (name, child) in enumerate(entries[offset:], offset + 1):
            raw = name.encode()
            entry = struct.pack("<QQII", child.ino, number, len(raw), stat.S_IFMT(child.mode) >> 12) + raw
            answer += entry.ljust((len(entry) + 7) & ~7, b"\0")
        return answer if len(answer) <= 4096 else answer[:0]

    def _attributes(self, node):
        size = len(node.target) if node.target else len(node.data)
        return struct.pack("<QQQQQQIIIIIIIIII", node.ino, size, 0, 0, 0, 0, 0, 0, 0, node.mode, 1, node.uid,
                           node.gid, node.rdev, 4096, 0)

    def _attr(self, node):
        return struct.pack("<QII", self.valid, 0, 0) + self._attributes(node)

    def _entry(self, node):
        return struct.pack("<QQQQII", node.ino, 0, self.valid, self.valid, 0, 0) + self._attributes(node)


def _text(raw):
    return raw.split(b"\0", 1)[0].decode()
