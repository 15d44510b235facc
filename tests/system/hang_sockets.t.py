#!/usr/bin/env python3
"""Nodes of sockets on a file system that does not answer: the socket waits where it is started, and what follows
its start is not waited for at all (hang_rows.py)."""

from hang_rows import Row, main


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
#node("listen_special", "ListenSpecial={m}/env\n")
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
main()
