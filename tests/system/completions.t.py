#!/usr/bin/env python3
"""The completions, run in the shells for which they are written."""

import os
import pty
import select
import shutil
import signal
import subprocess
import time

from daemon import BUILD, PATIENCE, case, main, need, run

FOLDER = os.path.join(BUILD, "completion")

# What is typed before the tab, and what stands there, or is offered, behind it.
ROWS = [
    ("usherctl is-sys", "is-system-running"),
    ("usherctl log-level warn", "warning"),
    ("usherctl log-target jour", "journal"),
    ("usherctl log-target sys", "syslog"),
    ("usherctl clean --what run", "runtime"),
    ("usherctl import-environment HOM", "HOME"),
    ("usherctl --output json-", "json-pretty"),
    ("usherctl --no-leg", "--no-legend"),
    ("usherd ru", "run"),
    ("usherd --log-lev", "--log-level"),
    ("usherd run --inet", "--inetd"),
    ("usherd --log-target=stderr run --inet", "--inetd"),
]


@case
def bash(d):
    for line, word in ROWS:
        program, *words = line.replace("=", " = ").split()
        script = (f"source {FOLDER}/{program}.bash\nCOMP_WORDS=({program} {' '.join(words)})\n"
                  f"COMP_CWORD={len(words)}\n_{program}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n")
        answer = run("bash", "-c", script, cwd=d.units)
        assert word in answer.stdout.split() and not answer.stderr, (line, answer)


@case
def fish(d):
    need("fish")
    sources = "; ".join(f"source {FOLDER}/{p}.fish" for p in ("usherctl", "usherd"))
    for line, word in ROWS:
        answer = run("fish", "--no-config", "-c", f"{sources}; complete -C '{line}'", cwd=d.units,
                     env=dict(os.environ, HOME=d.folder))
        assert any(l.split("\t")[0] == word for l in answer.stdout.splitlines()), (line, answer)
        assert not answer.stderr, answer


def read_until(fd, text, patience=PATIENCE):
    """What a terminal shows, up to the text."""
    seen, end = "", time.monotonic() + patience
    while text not in seen:
        assert time.monotonic() < end, f"waited in vain for {text!r} in {seen!r}"
        if select.select([fd], [], [], 0.1)[0]:
            seen += os.read(fd, 4096).decode(errors="replace")
    return seen


@case
def zsh(d):
    need("zsh")
    for program in ("usherctl", "usherd"):
        run("zsh", "-n", f"{FOLDER}/{program}.zsh", check=True)
        shutil.copy(f"{FOLDER}/{program}.zsh", os.path.join(d.units, f"_{program}"))
    main_end, other = pty.openpty()
    shell = subprocess.Popen(["zsh", "-f", "-i"], stdin=other, stdout=other, stderr=other, cwd=d.folder,
                             start_new_session=True, env=dict(os.environ, TERM="dumb", HOME=d.folder))
    os.close(other)

    def enter(text):
        os.write(main_end, text.encode())

    try:
        enter(f"PS1=; fpath=({d.units} $fpath); autoload -U compinit; compinit -u -D\n"
              "bindkey '^I' complete-word; bindkey '^U' kill-whole-line; PS1=READY'>'\n")
        read_until(main_end, "READY>")
        for line, word in ROWS:
            enter(f"{line}\t")
            read_until(main_end, line.split()[-1])
            # What stands in the line now is a word of a command that says it.
            enter("\x01print -r -- got: \x05 :end\n")
            shown = read_until(main_end, "READY>")
            assert f"got: {line[:line.rfind(' ')]} {word}" in shown.replace("\r", ""), (line, shown)
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()
        os.close(main_end)


if __name__ == "__main__":
    main()
