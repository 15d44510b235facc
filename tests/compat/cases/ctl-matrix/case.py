"""what each verb of systemctl answers, word by word, and its exit code"""
TABLE = """
is-active a.socket
is-active a.service
is-active none.service
is-active a.socket none.service
is-active none.service a.service
is-failed a.socket
is-failed false.service
is-failed none.service
is-enabled plain.service
is-enabled a.socket
is-enabled none.service
start none.service
start a.service
is-active a.service a.socket
start a.service
reload a.service
reload plain.service
reload none.service
reload-or-restart plain.service
is-active plain.service
try-restart b.socket
is-active b.socket
restart plain.service
try-reload-or-restart plain.service
kill plain.service
kill none.service
kill --signal=NOSUCH a.service
kill -s KILL a.service
stop none.service
stop a.service a.socket
stop a.service
start false.service
is-failed false.service
is-active false.service
reset-failed false.service
is-failed false.service
reset-failed none.service
reset-failed
start refuse.service
stop refuse.service
is-active refuse.service
start group.target
is-active group.target plain.service
stop group.target
is-active plain.service
stop plain.service
start a.socket b.socket
stop a.socket
start b@.service
start b@x.service
stop b@x.service
start a.socket none.socket
start bad/name.service
start a
start nosuffix
is-active a
status none.service
status plain.service
status a.socket
status false.service
show none.service -p LoadState --value
show -p ActiveState --value a.socket
show a.socket -p NoSuchProperty
show bad..name@ -p LoadState
cat plain.service
cat none.service
cat a.socket none.service
list-units --type=nonsense
list-units none*
list-units a.socket
list-sockets
list-sockets none*
list-dependencies a.socket
list-dependencies none.service
list-jobs
list-unit-files plain.service
list-unit-files none*
cancel 4711
nonsense
daemon-reload
daemon-reload extra
enable plain.service
is-enabled plain.service
disable plain.service
is-enabled plain.service
enable none.service
disable none.service
mask plain.service
is-enabled plain.service
start plain.service
unmask plain.service
is-enabled plain.service
enable a.socket
--type
start
stop
kill
is-active
is-failed
is-enabled
show-environment
isolate plain.service
"""


def run(c):
    for i, line in enumerate(TABLE.strip().splitlines()):
        c.obs(f"{i} {line}", c.ctl(*line.split(), timeout=20).returncode)
        if line.startswith("reload-or-restart"):
            c.sleep(0.1)
    c.obs("words", [c.ctl("is-active", "a.socket", "a.service", "none.service").stdout,
                    c.ctl("is-failed", "a.socket", "false.service").stdout,
                    c.ctl("is-enabled", "plain.service", "a.socket", "b@.service").stdout])
