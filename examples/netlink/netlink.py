#!/usr/bin/env python3
"""Names the network interfaces that come, go or change, until nothing has happened for a while."""

import socket
import struct

IDLE_SECONDS = 5
HEADER = struct.Struct("=IHHII")  # struct nlmsghdr: length, type, flags, sequence, port
LINK = struct.Struct("=BxHiII")  # struct ifinfomsg: family, type, index, flags, change
NEW_LINK, DELETED_LINK, NAME = 16, 17, 3


def name_of(message):
    at = HEADER.size + LINK.size
    while at + 4 <= len(message):
        size, kind = struct.unpack_from("=HH", message, at)
        if size < 4:
            break
        if kind == NAME:
            return message[at + 4:at + size].rstrip(b"\0").decode()
        at += (size + 3) & ~3
    return "?"


def main():
    events = socket.socket(fileno=3)
    events.settimeout(IDLE_SECONDS)
    while True:
        try:
            data = events.recv(65536)
        except TimeoutError:
            return  # idle: the next change starts the service again
        kind = HEADER.unpack_from(data)[1]
        if kind in (NEW_LINK, DELETED_LINK):
            print(name_of(data), "is gone" if kind == DELETED_LINK else "has changed", flush=True)


if __name__ == "__main__":
    main()
