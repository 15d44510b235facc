#!/usr/bin/env python3
"""Type=dbus and BusName= with a real message bus."""

import os
import signal
import subprocess
import sys
import time

from daemon import SRC, case, eventually, main, need, own_folder, talk

OWNER = f"{sys.executable} {SRC}/tests/system/bus_owner.py"
NAME = "org.example.usher"
# Everybody may own every name.
CONFIG = """<busconfig><type>system</type><listen>unix:path={0}/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_type="method_return"/>
<allow receive_type="signal"/><allow receive_type="error"/></policy></busconfig>
"""


class Bus:
    """A message bus that somebody else runs."""

    def __init__(self, d):
        self.d = d
        self.path = f"{d.folder}/bus"
        self.config = d.file("bus.conf", CONFIG.format(d.folder), 0o644)
        self.process = None
        self.env = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.path}"}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.process = subprocess.Popen([need("dbus-daemon"), f"--config-file={self.config}", "--nofork"],
                                        stdin=subprocess.DEVNULL)
        eventually(lambda: os.path.exists(self.path), "the bus")

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        self.process.wait()
        if os.path.exists(self.path):
            os.unlink(self.path)


def service(d, arguments="", more="", unit="a.service", name=NAME):
    d.unit(unit, f"[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=dbus\nBusName={name}\nExecStart={OWNER} {name} {arguments}\n{more}"
           "PassEnvironment=DBUS_SYSTEM_BUS_ADDRESS\n")


def states(d, unit="a.service"):
    return [d.show(unit, p) for p in ("ActiveState", "SubState", "Result")]


# Difference: message-bus
@case
def life(d):
    """Started when the name has an owner, not before; killed, restarted, stopped."""
    with Bus(d) as bus:
        service(d, "1")
        d.start("--units", d.units, "--target", "basic.target", env=bus.env)
        d.ctl("start", "--no-block", "a.service", check=True)
        eventually(lambda: int(d.show("a.service", "MainPID")) > 0)
        assert states(d) == ["activating", "start", "success"], states(d)
        d.ctl("start", "a.service", check=True)
        assert states(d) == ["active", "running", "success"], states(d)
        assert d.show("a.service", "BusName") == NAME
        begin = time.monotonic()
        d.ctl("restart", "a.service", check=True)  # the old owner's end is not taken for the new one's
        assert time.monotonic() - begin >= 1
        assert states(d) == ["active", "running", "success"], states(d)
        os.kill(int(d.show("a.service", "MainPID")), signal.SIGKILL)
        eventually(lambda: states(d) == ["failed", "failed", "signal"])
        d.ctl("start", "a.service", check=True)
        d.ctl("stop", "a.service", check=True)
        assert states(d) == ["inactive", "dead", "success"], states(d)


@case
def name_given_up(d):
    """Without its name the service is over, as its main process may think otherwise."""
    with Bus(d) as bus:
        service(d)
        d.start("--units", d.units, "--target", "basic.target", env=bus.env)
        d.ctl("start", "a.service", check=True)
        pid = int(d.show("a.service", "MainPID"))
        os.kill(pid, signal.SIGUSR1)
        eventually(lambda: states(d) == ["inactive", "dead", "success"])
        d.logged(f"a.service: Nobody owns the bus name {NAME} any longer")
        assert not os.path.exists(f"/proc/{pid}")


@case
def name_never_owned(d):
    with Bus(d) as bus:
        service(d, "1000", "TimeoutStartSec=1\n")
        d.unit("quits.service", "[Service]\nType=dbus\nBusName=org.example.quits\nExecStart=/bin/true\n")
        d.start("--units", d.units, "--target", "basic.target", env=bus.env)
        assert d.ctl("start", "a.service").returncode == 1
        assert states(d) == ["failed", "failed", "timeout"], states(d)
        d.ctl("start", "quits.service")
        assert states(d, "quits.service") == ["inactive", "dead", "success"], states(d, "quits.service")


@case
def main_process_of_another_type(d):
    """A daemon that forks and writes no PID file: the bus tells who it is."""
    with Bus(d) as bus:
        d.unit("a.service", f"[Service]\nType=forking\nGuessMainPID=no\nBusName={NAME}\n"
               f"ExecStart={OWNER} {NAME} 0.3 --fork\nPassEnvironment=DBUS_SYSTEM_BUS_ADDRESS\n")
        d.start("--units", d.units, "--target", "basic.target", env=bus.env)
        d.ctl("start", "a.service", check=True)
        pid = eventually(lambda: int(d.show("a.service", "MainPID")))
        with open(f"/proc/{pid}/cmdline", encoding="ascii") as file:
            assert NAME in file.read()
        os.kill(pid, signal.SIGUSR1)  # of this type the name is not what makes it run
        time.sleep(0.2)
        assert states(d) == ["active", "running", "success"], states(d)
        d.ctl("stop", "a.service", check=True)


@case
def no_bus(d):
    """Refused with what to do about it; with --compat=systemd in systemd's way."""
    service(d, unit="a.service")
    d.start("--units", d.units, "--target", "basic.target", env={"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={d.folder}/none"})
    assert d.ctl("start", "a.service").returncode == 1
    assert states(d) == ["failed", "failed", "resources"], states(d)
    d.logged("a.service: Type=dbus needs a message bus, and there is none to connect to. Start dbus.service, "
             "or use Type=notify: No such file")
    d.stop()
    d.start("--compat=systemd", "--units", d.units, "--target", "basic.target")
    result = d.ctl("start", "a.service")
    assert result.returncode == 5 and "Unit dbus.socket not found." in result.stderr, result


@case
def refusals(d):
    with Bus(d) as bus:
        service(d)
        service(d, unit="b.service")
        d.unit("c.socket", f"[Socket]\nListenStream={d.folder}/c\nAccept=yes\n")
        service(d, unit="c@.service", name="org.example.c")
        d.start("--units", d.units, "--target", "basic.target", env=bus.env)
        d.ctl("start", "a.service", "c.socket", check=True)
        assert d.ctl("start", "b.service").returncode == 1
        d.logged(f"b.service: Another service has the bus name {NAME} already")
        assert talk(f"{d.folder}/c") == b""
        d.logged("Type=dbus does not go with Accept=yes")


@case
def bus_comes_back(d):
    """The bus is restarted by others: who lost his name with it is stopped, then all works again."""
    with Bus(d) as bus:
        service(d, more="Restart=always\nRestartSec=100ms\n")
        d.start("--units", d.units, "--target", "basic.target", env=bus.env)
        d.ctl("start", "a.service", check=True)
        # A killed bus says nothing of names. One that ends in order may: it closes its connections one by one, and
        # tells those that it has left.
        for times, sig in enumerate((signal.SIGKILL, signal.SIGTERM), 1):
            pid = d.show("a.service", "MainPID")
            bus.stop(sig)
            d.logged("The message bus has closed the connection", count=times)
            if sig == signal.SIGKILL:
                assert states(d) == ["active", "running", "success"], states(d)
            bus.start()
            eventually(lambda old=pid: states(d) == ["active", "running", "success"] and
                       d.show("a.service", "MainPID") not in (old, "0"))


@case
def bus_of_ours(d):
    """dbus.socket and dbus.service among the units, as Debian's package has them."""
    own_folder("/run")
    d.file("bus.conf", CONFIG.format(d.folder), 0o644)
    d.unit("dbus.socket", "[Socket]\nListenStream=/run/dbus/system_bus_socket\n")
    d.unit("dbus.service", "[Unit]\nRequires=dbus.socket\n[Service]\nType=notify\nExecStart="
           f"{need('dbus-daemon')} --config-file={d.folder}/bus.conf --address=systemd: --nofork --systemd-activation\n"
           "NotifyAccess=main\n")
    service(d)
    d.start("--units", d.units, "--target", "basic.target")
    d.ctl("start", "a.service", check=True)  # it connects, and that starts the bus
    assert states(d) == ["active", "running", "success"], states(d)
    assert "dbus.socket" in d.show("a.service", "Requires") and "dbus.socket" in d.show("a.service", "After")
    d.ctl("stop", "dbus.service", "dbus.socket", check=True)
    assert states(d)[:2] == ["inactive", "dead"], states(d)  # it requires the socket
    time.sleep(0.3)
    assert states(d, "dbus.service")[0] == "inactive"  # nobody of ours starts it by connecting
    d.ctl("start", "a.service", check=True)
    assert states(d, "dbus.service")[0] == "active"


@case
def changed_by_reload(d):
    with Bus(d) as bus:
        service(d)
        d.start("--units", d.units, "--target", "basic.target", env=bus.env)
        d.ctl("start", "a.service", check=True)
        service(d, name="org.example.other")
        d.ctl("daemon-reload", check=True)
        eventually(lambda: states(d)[0] == "inactive")  # the running one does not own that
        d.ctl("start", "a.service", check=True)
        assert states(d) == ["active", "running", "success"], states(d)


if __name__ == "__main__":
    main()
