#!/bin/bash
# driver.bash SCRIPT: the main process of the service that a script of systemd's is. Runs the steps /run/steps/N.sh, into
# which `run` has cut the script, one after the other in this shell, and writes to /run/steps/progress what became of
# each. A step ends as under "set -e", at its first failed command, and then the next one begins: a command that fails
# sets step_unwinds, and the trap DEBUG then skips commands and returns from functions until the step is left.
# shellcheck disable=SC1090,SC1091,SC2317 # the files are made by `run`; traps call the functions
exec </dev/null >/run/steps/log 2>&1
set -a
. /run/steps/environment
set +a
BASH_ARGV0=/usr/lib/systemd/tests/testdata/units/$1
PATH=/run/steps/bin:$PATH
step_status=0 step_unwinds=0

step_fail() { # STATUS
	if [ "$BASH_SUBSHELL" = 0 ] && [ ${#FUNCNAME[@]} -gt 2 ] && [ "$step_unwinds" = 0 ]; then
		step_status=$1 step_unwinds=1
	fi
}

step_debug() {
	if [ "$step_unwinds" = 1 ] && [ "$BASH_SUBSHELL" = 0 ] && [ ${#FUNCNAME[@]} -gt 2 ]; then return 2; fi
	return 0
}

exit() {
	local status=${1:-$?}
	if [ "$BASH_SUBSHELL" != 0 ]; then builtin exit "$status"; fi
	step_status=$status step_unwinds=1
}

set -o pipefail -E -T
shopt -s extdebug
trap 'step_fail 124' ALRM
trap 'step_fail $?' ERR
trap step_debug DEBUG
echo "main $$" >/run/steps/progress
while read -r step <&7; do
	echo "begin $step" >>/run/steps/progress
	echo "=== $step: $(cat "/run/steps/$step.sh")"
	step_status=0 step_unwinds=0
	source "/run/steps/$step.sh"
	# The functions of a script that wait note a failure only in this file, which the last step looks for.
	if [ -n "${TESTLOG-}" ] && [ -e "$TESTLOG" ]; then
		step_status=1
		rm -f "$TESTLOG"
	fi
	echo "end $step $step_status" >>/run/steps/progress
done 7</run/steps/list
echo "over" >>/run/steps/progress
builtin exit 0
