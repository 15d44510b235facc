#!/bin/sh
# Runs all lints of this folder, or those named: tests/lint/run.sh [NAME...]
# Each prints the faults that it finds and fails, or exits with 77 if its tool is not installed.
set -u
cd "$(dirname "$0")/../.." || exit 1
passed=0 failed=0 skipped=0
if [ $# = 0 ]; then set -- layers functions paths sizes words names headers corpora security readme scripts owners dead unread differences format cppcheck; fi
for name; do
	out=$(sh "tests/lint/$name.sh" 2>&1)
	case $? in
	0) echo "ok lint/$name" && passed=$((passed + 1)) ;;
	77) echo "SKIP lint/$name: $out" && skipped=$((skipped + 1)) ;;
	*)
		echo "FAIL lint/$name"
		printf '%s\n' "$out" | sed 's/^/    | /'
		failed=$((failed + 1))
		;;
	esac
done
if [ -n "${SUMMARY:-}" ]; then echo "$passed $failed $skipped" >>"$SUMMARY"; fi
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
