#!/usr/bin/env python3
"""A service on the message bus, without a library: owns a name until it ends.

    bus_owner.py NAME [DELAY] [--fork PIDFILE]

It takes NAME after DELAY seconds, gives it back on SIGUSR1, and stays. When the bus goes it stays, too."""

import os
import signal
import socket
import struct
import sys
import time

BUS = "org.freedesktop.DBus"
METHOD_CALL, NO_FLAGS, VERSION = 1, 0, 1
PATH, INTERFACE, MEMBER, DESTINATION, SIGNATURE = 1, 2, 3, 6, 8


def padded(data, size):
    return data + bytes(-len(data) % size)


def string(text, kind="s"):
    """A string, an object path, or (kind g) a signature."""
    data = text.encode() + b"\0"
    return (bytes([len(text)]) if kind == "g" else struct.pack("<I", len(text))) + data


class Bus:
    def __init__(self, address):
        path = address.partition("path=")[2].split(",")[0]
        self.serial = 0
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.sock.sendall(b"\0AUTH EXTERNAL " + str(os.geteuid()).encode().hex().encode() + b"\r\n")
        assert self.sock.recv(200).startswith(b"OK ")
        self.sock.sendall(b"BEGIN\r\n")
        self.call("Hello")

    def call(self, member, signature="", body=b""):
        """A method of the bus itself; what it answers is not looked at."""
        self.serial += 1
        fields = b""
        for code, kind, value in ((PATH, "o", "/org/freedesktop/DBus"), (INTERFACE, "s", BUS),
                                  (MEMBER, "s", member), (DESTINATION, "s", BUS), (SIGNATURE, "g", signature)):
            fields = padded(fields, 8) + bytes([code]) + string(kind, "g") + string(value, kind)
        head = struct.pack("<cBBBIII", b"l", METHOD_CALL, NO_FLAGS, VERSION, len(body), self.serial, len(fields))
        self.sock.sendall(padded(head + fields, 8) + body)


def main():
    name, delay = sys.argv[1], float((sys.argv[2:] or ["0"])[0])
    if "--fork" in sys.argv and os.fork() > 0:
        os._exit(0)
    bus = Bus(os.environ.get("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/dbus/system_bus_socket"))
    signal.signal(signal.SIGUSR1, lambda *_: bus.call("ReleaseName", "s", string(name)))
    time.sleep(delay)
    bus.call("RequestName", "su", padded(string(name), 4) + struct.pack("<I", 0))
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
