#!/usr/bin/env python3
"""What a listener survives: floods that are refused, want of processes, services that spoil it, the sudden
end of the supervisor."""

import socket

from daemon import answer, case, connect, eventually, main, talk

COMPAT = ("--compat=systemd",)
CAT = "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n"
ONE = ("127.0.0.1", 7001)


def begin(d, *units, args=(), **options):
    """usherd with these units started, and no other."""
    d.start("--units", d.units, "--target", "basic.target", *args, **options)
    if units:
        d.ctl("start", *units, check=True)


# ---- limits

@case
def refused_connections_use_up_no_limit(d):
    """One source that is refused all the time shuts out nobody else: what MaxConnectionsPerSource= (or
    MaxConnections=) refuses counts for neither the trigger limit nor the poll limit."""
    limited = ("[Socket]\nListenStream=127.0.0.1:7001\nAccept=yes\nMaxConnectionsPerSource=1\n"
               "TriggerLimitIntervalSec=1000\nTriggerLimitBurst=10\nPollLimitIntervalSec=1000\n")
    d.unit("a.socket", limited + "PollLimitBurst=10\n")
    d.unit("a@.service", CAT)
    begin(d, "a.socket")
    with connect(ONE) as held:
        held.sendall(b"x")
        assert held.recv(1) == b"x"
        for _ in range(40):
            assert answer(ONE) == b""
        with socket.create_connection(ONE, source_address=("127.0.0.2", 0), timeout=20) as other:
            other.sendall(b"y")
            assert other.recv(1) == b"y"
        assert [d.show("a.socket", p) for p in ("NAccepted", "XNRefusedMaxConnectionsPerSource",
                                                "XNRefusedTriggerLimit", "StatusText")] == ["2", "40", "0", ""]
    d.stop()
    d.unit("a.socket", limited)
    begin(d, "a.socket", args=COMPAT)
    with connect(ONE) as held:
        held.sendall(b"x")
        for _ in range(20):
            answer(ONE)
        eventually(lambda: d.show("a.socket", "Result") == "trigger-limit-hit")


if __name__ == "__main__":
    main()
