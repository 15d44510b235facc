#!/usr/bin/env python3
"""Prints what comes through a FIFO line by line, and ends when nothing has come for a while."""

import os
import select

FIFO = 3  # the only descriptor that the socket unit passes
IDLE_SECONDS = 5

os.set_blocking(FIFO, False)
rest = b""
while select.select([FIFO], [], [], IDLE_SECONDS)[0]:
    *lines, rest = (rest + os.read(FIFO, 65536)).split(b"\n")
    for line in lines:
        print(line.decode(errors="replace"), flush=True)
