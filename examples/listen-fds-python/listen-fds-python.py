#!/usr/bin/env python3
"""A service in plain Python that takes its listening sockets from the environment.

The protocol is sd_listen_fds(3): LISTEN_FDS descriptors from number 3 on, meant for the process
LISTEN_PID, with their names in LISTEN_FDNAMES.
"""

import os
import socket
import sys

FIRST_FD = 3
IDLE_SECONDS = 10


def listeners():
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        sys.exit("no sockets for this process: start me through a socket unit")
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    return {
        name: socket.socket(fileno=FIRST_FD + i)
        for i, name in zip(range(int(os.environ["LISTEN_FDS"])), names)
    }


def main():
    greeting = listeners()["greeting"]
    greeting.settimeout(IDLE_SECONDS)
    while True:
        try:
            client, peer = greeting.accept()
        except TimeoutError:
            return  # idle: the next client starts the service again
        with client:
            client.sendall(f"listen-fds-python: hello {peer[0]}, I am process {os.getpid()}\n".encode())


if __name__ == "__main__":
    main()
