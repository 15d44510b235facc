#!/usr/bin/env python3
"""How a service learns which descriptor is which, and for which socket it runs."""

import re

from daemon import case, main, talk


def begin(d, *units, args=()):
    """usherd with these units started, and no other."""
    d.start("--units", d.units, "--target", "basic.target", *args)
    d.ctl("start", *units, check=True)


# Difference: fd-name-list
@case
def name_for_each_line(d):
    """FileDescriptorName=a:b:c, one for each Listen line, for sockets and for connections."""
    lines = "ListenStream=@a\nListenStream=127.0.0.1:7001\nX-ListenName=stream localhost 7002\n"
    show = f"/bin/sh -c 'echo $0 $LISTEN_FDS $LISTEN_FDNAMES >> {d.folder}/seen'"
    d.unit("l.socket", f"[Socket]\n{lines}FileDescriptorName=a:b:c\nPassFileDescriptorsToExec=yes\n"
           f"ExecStartPost={show} post\n")
    d.unit("l.service", f"[Service]\nExecStart={show} service\nType=oneshot\n")
    d.unit("y.socket", f"[Socket]\n{lines.replace('@a', '@y').replace('700', '701')}"
           "FileDescriptorName=a:b:c\nAccept=yes\n")
    d.unit("y@.service", "[Service]\nExecStart=/bin/sh -c 'printf %%s $LISTEN_FDNAMES >&3'\n")
    wrong = (("few", "one:two", "has 2 names for 3 Listen lines"),
             ("many", "1:2:3:4", "has 4 names for 3 Listen lines"),
             ("empty", "1::3", "Invalid file descriptor name"))
    for name, value, _ in wrong:
        d.unit(f"{name}.socket", "[Socket]\nListenStream=@1\nListenStream=@2\nListenStream=@3\n"
               f"FileDescriptorName={value}\nPassFileDescriptorsToExec=yes\nExecStartPost={show} {name}\n")
        d.unit(f"{name}.service", "[Service]\nExecStart=/bin/true\n")
    d.unit("skip.socket", "[Socket]\nListenStream=@1\nListenStream=nothing:x\nListenStream=@3\n"
           "FileDescriptorName=a:c\n")
    d.unit("skip.service", "[Service]\nExecStart=/bin/true\n")
    names = [name for name, _, _ in wrong] + ["skip"]
    complaints = d.ctl("lint", "--units", d.units).stderr
    for name, _, text in wrong:
        assert re.search(rf"{name}\.socket.*{text}", complaints), complaints
    assert re.search(r"skip\.socket.*one of these lines is ignored", complaints), complaints
    text = d.ctl("explain", "--units", d.units, "l.socket").stdout
    assert "127.0.0.1:7001 (Stream): descriptor 4, named b\n" in text, text
    begin(d, "l.socket", "y.socket")
    assert d.show("l.socket", "FileDescriptorName") == "a:b:c"
    assert [talk("@y"), talk(("127.0.0.1", 7011)), talk(("127.0.0.1", 7012))] == [b"a", b"b", b"c"]
    d.ctl("start", "l.service", check=True)
    for name in names:
        d.ctl("start", f"{name}.socket", check=True)
        d.ctl("stop", f"{name}.socket", check=True)
    seen = dict(line.split(" ", 1) for line in open(f"{d.folder}/seen", encoding="ascii"))
    n = seen["service"].split()[0]  # localhost may have two addresses
    for who in ("post", "service"):
        assert seen[who] == f"{n} a:b:c" + ":c" * (int(n) - 3) + "\n", seen
    for name, _, _ in wrong:
        assert seen[name] == "3 " + ":".join([f"{name}.socket"] * 3) + "\n", seen
    # The new lines and names of a reload, also where a listener is kept.
    d.unit("y.socket", "[Socket]\nListenStream=127.0.0.1:7011\nListenStream=@y\n"
           "FileDescriptorName=p:q\nAccept=yes\n")
    d.ctl("daemon-reload", check=True)
    assert [talk("@y"), talk(("127.0.0.1", 7011))] == [b"q", b"p"]
    d.stop()
    begin(d, "l.socket", args=["--compat=systemd"])
    d.logged(r"l\.socket:5: .*Invalid file descriptor name, ignoring: a:b:c")
    assert d.show("l.socket", "FileDescriptorName") == "l.socket"


# Difference: socket-instance
@case
def instance_of_a_template_socket(d):
    d.unit("t@.socket", "[Socket]\nListenStream=@t-%i\nAccept=yes\n")
    d.unit("t@.service", "[Service]\nStandardInput=socket\nUnsetEnvironment=PWD\n"
           "ExecStart=/bin/sh -c 'printf %%s \"$SOCKET_INSTANCE\"'\n")
    d.unit("p.socket", "[Socket]\nListenStream=@p\nAccept=yes\n")
    d.unit("p@.service", "[Service]\nStandardInput=socket\n"
           "ExecStart=/bin/sh -c 'env | grep -c SOCKET_INSTANCE'\n")
    for compat, expected in ((False, b"acme"), (True, b"")):
        begin(d, "t@acme.socket", "p.socket", args=["--compat=systemd"] if compat else [])
        assert talk("@t-acme") == expected
        assert talk("@p") == b"0\n"
        d.stop()


if __name__ == "__main__":
    main()
