#!/usr/bin/env python3
"""Nodes of sockets on a file system that does not answer: the socket waits for its node, but usherd does not
wait for the commands and changes after its start (hang_rows.py)."""

import os
import socket
import struct

from daemon import connect, eventually
from hang_rows import Row, main, world_case


def node(name, lines, **options):
    options.setdefault("told", True)
    Row(name, socket=lines, **options)


def live(name, lines, act="stop", **options):
    """What comes to the path while the socket is up."""
    Row(name, socket=lines, live=True, act=act, state=None if act == "stop" else "active", **options)


# ---- the start
node("listen_stream", "ListenStream={m}/s\n")
node("listen_stream_parents", "ListenStream={m}/new/folder/s\n")
node("listen_datagram", "ListenDatagram={m}/s\n")
node("listen_sequential_packet", "ListenSequentialPacket={m}/s\n")
node("listen_by_link", "ListenStream={f}/to-m/s\n")
node("listen_cached", "ListenStream={m}/dir/s\n", first=True, state=None, told=False)
node("listen_several", "ListenStream=7003\nListenStream={m}/s\nListenStream={f}/s\nListenStream={m}/t\n")
node("listen_fifo", "ListenFIFO={m}/fifo\n")
node("listen_special", "ListenSpecial={m}/env\n")
node("symlinks", "ListenStream={f}/s\nSymlinks={m}/s\n")
node("owner", "ListenStream={m}/s\nSocketUser=nobody\n")
node("owner_of_fifo", "ListenFIFO={m}/fifo\nSocketUser=nobody\n")
node("search_path", "ListenStream=7003\nExecSearchPath={m}/bin:/bin\nExecStartPre=true\n")
# ---- the stop
live("node_removed", "ListenStream={m}/s\nRemoveOnStop=yes\n")
live("fifo_removed", "ListenFIFO={m}/fifo\nRemoveOnStop=yes\n")
live("symlink_removed", "ListenStream={f}/s\nSymlinks={m}/s\nRemoveOnStop=yes\n")
# ---- a reload
live("node_added", "ListenStream=7003\n", act="ListenStream=7003\nListenStream={m}/s\n")
live("node_dropped", "ListenStream=7003\nListenStream={m}/s\nRemoveOnStop=yes\n",
     act="ListenStream=7003\nRemoveOnStop=yes\n")
live("mode_changed", "ListenStream={m}/s\n", act="ListenStream={m}/s\nSocketMode=0600\n")
live("mode_of_fifo_changed", "ListenFIFO={m}/fifo\n", act="ListenFIFO={m}/fifo\nSocketMode=0600\n")
live("owner_changed", "ListenStream={m}/s\n", act="ListenStream={m}/s\nSocketUser=nobody\n")


@world_case("time_limit", socket="ListenStream={m}/s\nTimeoutSec=1\n")
def time_limit(w):
    """TimeoutSec= ends the start, and the next one finds the answer."""
    w.mount_it()
    w.start_usherd()
    w.fs.hang()
    assert w.ctl("start", "v.socket", check=False).returncode != 0
    assert w.state() == "failed" and w.d.show("v.socket", "Result") == "timeout"
    w.others_go_on()
    w.fs.answer()
    w.ctl("start", "v.socket")
    assert w.state() == "active"


@world_case("another_limit", socket="ListenStream={m}/s\nTimeoutSec=infinity\n")
def another_limit(w):
    """Where the socket has no limit, DefaultTimeoutStartSec= counts."""
    w.mount_it()
    w.d.file("usher.conf", "DefaultTimeoutStartSec = 1s\n", mode=0o644)
    w.start_usherd("--config", f"{w.d.folder}/usher.conf")
    w.fs.hang()
    assert w.ctl("start", "v.socket", check=False).returncode != 0
    assert w.state() == "failed" and w.d.show("v.socket", "Result") == "timeout"
    w.others_go_on()


@world_case("reload_of_a_start", socket="ListenStream={m}/s\n")
def reload_of_a_start(w):
    """A start that waits goes on with what the files say now."""
    w.mount_it()
    w.start_usherd()
    w.fs.hang()
    w.ctl("start", "--no-block", "v.socket")
    eventually(w.tells, "a status that tells what is waited for")
    w.write_socket("ListenStream=127.0.0.1:7003\n")
    w.ctl("daemon-reload")
    eventually(lambda: w.state() == "active", "the start without the node")
    connect(("127.0.0.1", 7003)).close()


@world_case("reloads_of_a_live_socket", socket="ListenStream=127.0.0.1:7003\n")
def reloads_of_a_live_socket(w):
    """What is added, changed and dropped again while nothing answers: the last file counts."""
    w.mount_it()
    w.start_usherd()
    w.ctl("start", "v.socket")
    w.fs.hang()
    for lines in ("ListenStream={m}/s\n", "ListenStream={m}/s\nSocketMode=0600\n", "RemoveOnStop=yes\n",
                  "ListenStream={m}/s\nSocketMode=0640\nRemoveOnStop=yes\n"):
        w.write_socket("ListenStream=127.0.0.1:7003\n" + lines)
        w.ctl("daemon-reload")
        w.others_go_on()
    assert w.state() == "active"
    w.fs.answer()
    eventually(lambda: os.path.exists(f"{w.mount}/s") and os.stat(f"{w.mount}/s").st_mode & 0o777 == 0o640,
               "the node as the last file wants it")
    w.ctl("stop", "v.socket")
    eventually(lambda: not os.path.exists(f"{w.mount}/s"), "the removal")


@world_case("peer", socket="ListenStream={m}/s\n", service="ExecStart=/bin/cat\nStandardInput=socket\n")
def peer(w):
    """A socket that another process has made is usherd's to those who connect, and serves them."""
    w.mount_it()
    w.start_usherd()
    w.fs.hang()
    w.ctl("start", "--no-block", "v.socket")
    eventually(lambda: w.fs.waiting() > 0, "somebody at the file system")
    w.fs.answer()
    eventually(lambda: w.state() == "active", "the start")
    with connect(f"{w.mount}/s") as client:
        pid = struct.unpack("iii", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        children = f"/proc/{w.d.process.pid}/task/{w.d.process.pid}/children"
        with open(children, encoding="ascii") as file:
            assert pid == w.d.process.pid or str(pid) in file.read().split(), pid  # behind a wrapper: its child
    eventually(lambda: w.d.show("v.service", "ActiveState") in ("active", "failed"), "the service")


@world_case("many", socket="ListenStream={m}/s\n")
def many(w):
    """Two hundred sockets on one mount: sixteen processes at most wait there."""
    w.mount_it()
    w.d.unit("all.target", "[Unit]\nWants=" + " ".join(f"m{i}.socket" for i in range(200)) + "\n")
    for i in range(200):
        w.d.unit(f"m{i}.socket", w.fill(f"[Socket]\nListenStream={{m}}/m{i}\nService=v.service\n"))
    w.start_usherd()
    w.fs.hang()
    w.ctl("start", "--no-block", "all.target")
    eventually(lambda: w.fs.waiting() > 0, "somebody at the file system")
    w.others_go_on()
    assert w.fs.waiting() <= 16, w.fs.waiting()
    w.ctl("stop", "m7.socket", "m199.socket")
    w.ctl("daemon-reload")
    w.fs.answer()
    eventually(lambda: w.ctl("list-sockets").stdout.count(f"{w.mount}/m") == 198, "all the others")
    w.others_go_on()


@world_case("end_in_a_start", socket="ListenStream={m}/s\n")
def end_in_a_start(w):
    w.mount_it()
    w.start_usherd()
    w.fs.hang()
    w.ctl("start", "--no-block", "v.socket")
    eventually(lambda: w.fs.waiting() > 0, "somebody at the file system")
    w.d.stop()


@world_case("end_in_a_removal", socket="ListenStream={m}/s\nRemoveOnStop=yes\n")
def end_in_a_removal(w):
    w.mount_it()
    w.start_usherd()
    w.ctl("start", "v.socket")
    w.fs.hang()
    w.d.stop()


main()
