#!/usr/bin/env python3
"""A service has a session keyring of its own, and cannot reach the keys of the user who started usherd.
The tests call keyctl(2) directly, since Debian does not install a program for it by default."""

import ctypes
import os

from daemon import WRAPPER, Skip, case, eventually, main, need_root, run

ADD_KEY, REQUEST_KEY, KEYCTL = (248, 249, 250) if os.uname().machine == "x86_64" else (217, 218, 219)
SESSION, USER_SESSION, USER = -3, -5, -4
JOIN, CLEAR, READ, SET_TIMEOUT = 1, 7, 11, 15

PROBE = f"""import ctypes, os, sys
libc = ctypes.CDLL(None)
def keyctl(*a):
    return libc.syscall({KEYCTL}, *a)
def read(key):
    text = ctypes.create_string_buffer(64)
    n = keyctl({READ}, key, text, 64)
    return text.raw[:n] if n > 0 else b""
def find(name, ring={SESSION}):
    key = keyctl(10, ring, b"user", name, 0)
    return read(key) if key > 0 else b""
out = open(sys.argv[1], "w")
print(keyctl(0, {SESSION}, 0), find(b"root-secret").decode() or "-", find(b"of-user").decode() or "-",
      find(b"invocation_id").hex() or "-", os.environ.get("INVOCATION_ID", "-"),
      libc.syscall({ADD_KEY}, b"user", b"mine", b"x", 1, {SESSION}) > 0, file=out)
out.close()
os.rename(sys.argv[1], sys.argv[1] + ".done")
"""


def with_secret():
    """For the process that becomes usherd: a session keyring with a key in it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(KEYCTL, JOIN, b"usher-test") < 0:
        os._exit(99)
    libc.syscall(ADD_KEY, b"user", b"root-secret", b"s3cret", 6, SESSION)


def need_keyrings():
    need_root()
    pid = os.fork()
    if pid == 0:
        with_secret()
        os._exit(0)
    if os.waitpid(pid, 0)[1] != 0:
        raise Skip("keyctl(2) cannot be used here")


def look(d, name):
    """What the probe of that unit saw: keyring, root's key, the user's key, id, $INVOCATION_ID, may add."""
    assert d.ctl("start", name).returncode == 0, d.log()
    path = f"{d.folder}/out/{name}.done"
    eventually(lambda: os.path.exists(path), f"{name}: {d.log()}")
    with open(path, encoding="ascii") as file:
        return file.read().split()


def probe(d, name, lines):
    d.unit(name, f"[Service]\n{lines}\nExecStart=/usr/bin/python3 {d.folder}/probe.py "
           f"{d.folder}/out/{name}\n")


@case
def keyrings_of_services(d):
    need_keyrings()
    d.file("probe.py", PROBE)
    os.chmod(d.folder, 0o755)
    os.mkdir(f"{d.folder}/out")
    os.chmod(f"{d.folder}/out", 0o777)
    for name in ("one", "two"):
        probe(d, f"{name}.service", "User=nobody")
    probe(d, "root.service", "")
    probe(d, "shared.service", "User=nobody\nKeyringMode=shared")
    probe(d, "inherit.service", "User=nobody\nKeyringMode=inherit")
    d.start(preexec_fn=with_secret)
    # The user's own keyring is there for those who ask for it.
    pid = os.fork()
    if pid == 0:
        os.setresuid(65534, 65534, 65534)
        key = ctypes.CDLL(None).syscall(ADD_KEY, b"user", b"of-user", b"theirs", 6, USER)
        os._exit(0 if key > 0 else 1)
    assert os.waitpid(pid, 0)[1] == 0
    seen = {name: look(d, f"{name}.service") for name in ("one", "two", "root", "shared", "inherit")}
    for name, (ring, root_key, user_key, key, variable, may_add) in seen.items():
        assert int(ring) > 0, (name, ring)
        assert root_key == "-", f"{name} reads the keys of whoever started usherd"
        assert user_key == ("theirs" if name == "shared" else "-"), (name, user_key)
        if name != "inherit":
            assert key == variable and len(key) == 32, (name, key, variable)
        # What all inherit is no place to leave keys for others.
        assert may_add == str(name != "inherit"), name
    rings = {seen[name][0] for name in seen}
    assert len(rings) == len(seen), seen
    assert d.show("one.service", "KeyringMode") == "private"
    assert d.show("inherit.service", "KeyringMode") == "inherit"


OTHER = 54321  # nobody else's keys are counted with this one's
CLEAR_KEYS = f"libc.syscall({KEYCTL}, {CLEAR}, {USER})"
FILL = f"""import ctypes, os
libc = ctypes.CDLL(None)
os.setresgid({OTHER}, {OTHER}, {OTHER})
os.setresuid({OTHER}, {OTHER}, {OTHER})
for size in (16000, 1000, 100, 10, 1):
    for i in range(10000):
        key = libc.syscall({ADD_KEY}, b"user", b"%d-%d-%d" % (os.getpid(), size, i), b"x" * size, size, {USER})
        if key < 0:
            break
        libc.syscall({KEYCTL}, {SET_TIMEOUT}, key, 300)
"""


@case
def user_without_keys_to_spare(d):
    """A start does not need one of the few keys that a user may have."""
    need_keyrings()
    d.file("probe.py", PROBE)
    for folder in (f"{d.folder}/out", d.runtime):
        os.mkdir(folder)
        os.chown(folder, OTHER, OTHER)
    for mode in ("private", "shared"):
        probe(d, f"{mode}.service", f"KeyringMode={mode}")
    d.start(wrapper=["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups", *WRAPPER],
            env={"HOME": d.folder, "TMPDIR": f"{d.folder}/out"})

    def key_of(name):
        if os.path.exists(f"{d.folder}/out/{name}.service.done"):
            os.unlink(f"{d.folder}/out/{name}.service.done")
        return look(d, f"{name}.service")[3]

    def has_run_out(name):  # keys of processes that have ended go a little later
        run("/usr/bin/python3", "-c", FILL, check=True)
        return key_of(name) == "-"
    assert key_of("private") != "-"
    try:
        for mode in ("private", "shared"):
            eventually(lambda name=mode: has_run_out(name), "a user with no key left")
    finally:
        run("/usr/bin/python3", "-c", FILL.partition("for size")[0] + CLEAR_KEYS, check=True)


if __name__ == "__main__":
    main()
