"""A process whose memory lock is held for good, as by one that waits for a disk that hangs.

    with StuckMemory(folder) as stuck:
        subprocess.Popen([sys.executable, stuck.program, ready])   # creates `ready`, and is stuck a moment later

A file system of our own (the kernel's FUSE protocol, linux/fuse.h) never answers a write. The program maps a file of
it, writes to it, and unmaps it: the kernel writes the page back, with the memory lock held. Another of its threads asks
for the lock, too, and who comes after that waits: `ps`, say, and this test, if it reads that process's command line. So
it lasts for a minute at most.
"""

import ctypes
import os
import struct
import threading

from daemon import Skip

_INIT, _LOOKUP, _GETATTR, _OPEN, _READ, _WRITE, _FORGET = 26, 1, 3, 14, 15, 16, 2
FLUSH = 25  # what close(2) asks for
_ENOSYS = 38
_ROOT = 1
_MNT_FORCE, _MNT_DETACH = 1, 2
_LONGEST = 60

_PROGRAM = """
import ctypes, os, sys, threading, time
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
READ_WRITE, SHARED, PRIVATE_ANONYMOUS = 3, 1, 0x22
page = libc.mmap(None, 4096, READ_WRITE, SHARED, os.open({folder!r} + str(os.getpid()), os.O_RDWR), 0)
ctypes.memset(page, 65, 1)
threading.Thread(target=lambda: libc.munmap(page, 4096)).start()
time.sleep(0.3)
open(sys.argv[1], "w").close()
libc.mmap(None, 4096, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0)
"""


def _attributes(inode, mode, size):
    return struct.pack("<6Q10I", inode, size, 8, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


class StuckMemory:
    def __init__(self, folder, unanswered=_WRITE):
        self.unanswered = unanswered
        self.mount_point = os.path.join(folder, "stuck")
        self.program = os.path.join(folder, "stuck.py")
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.n_files = 0
        os.mkdir(self.mount_point)

    def __enter__(self):
        try:
            self.fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise Skip(f"/dev/fuse: {error.strerror}") from None
        options = f"fd={self.fd},rootmode=40000,user_id=0,group_id=0,allow_other"
        if self.libc.mount(b"stuck", self.mount_point.encode(), b"fuse", 0, options.encode()) != 0:
            os.close(self.fd)
            raise Skip(f"mount of fuse: {os.strerror(ctypes.get_errno())}")
        threading.Thread(target=self._serve, daemon=True).start()
        self.limit = threading.Timer(_LONGEST, self.end)
        self.limit.daemon = True
        self.limit.start()
        with open(self.program, "w", encoding="utf-8") as file:
            file.write(_PROGRAM.format(folder=self.mount_point + "/"))
        return self

    def __exit__(self, *_):
        self.limit.cancel()
        self.end()
        os.close(self.fd)

    def end(self):
        # Whoever waits for an answer gets an error.
        self.libc.umount2(self.mount_point.encode(), _MNT_FORCE | _MNT_DETACH)

    def _serve(self):
        while True:
            try:
                request = os.read(self.fd, 1 << 20)
            except OSError:
                return
            _, operation, unique, node = struct.unpack_from("<IIQQ", request)
            answer = self._answer(operation, node)
            if answer is not None:
                error = -_ENOSYS if answer is False else 0
                body = answer or b""
                os.write(self.fd, struct.pack("<IiQ", 16 + len(body), error, unique) + body)

    def _answer(self, operation, node):
        """The body; None: there is none, False: this cannot be done."""
        if operation == _INIT:
            return struct.pack("<4I2H2I2H8I", 7, 31, 65536, 0, 12, 12, 1 << 17, 1, 32, 0, *[0] * 8)
        if operation == _LOOKUP:
            self.n_files += 1  # each name is looked up once
            node = _ROOT + self.n_files
            return struct.pack("<4Q2I", node, 0, 3600, 3600, 0, 0) + _attributes(node, 0o100666, 4096)
        if operation == _GETATTR:
            mode, size = (0o40755, 0) if node == _ROOT else (0o100666, 4096)
            return struct.pack("<Q2I", 3600, 0, 0) + _attributes(node, mode, size)
        if operation == _OPEN:
            return struct.pack("<Q2I", 1, 0, 0)
        if operation == _READ:
            return b"\0" * 4096
        return None if operation in (self.unanswered, _FORGET) else False
