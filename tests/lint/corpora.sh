#!/bin/sh
# Every fuzz harness has seeds, and every folder of seeds has a harness.
. tests/lint/files.sh
bad=0
harnesses=$(list_files 'tests/fuzz/fuzz_*.c' | sed 's|.*/fuzz_||; s|\.c$||')
corpora=$(list_files 'tests/fuzz/corpus/*' | sed 's|^tests/fuzz/corpus/||; s|/.*||' | sort -u)
for name in $harnesses; do
	if ! printf '%s\n' "$corpora" | grep -qx "$name"; then
		echo "tests/fuzz/fuzz_$name.c: add seeds in tests/fuzz/corpus/$name"
		bad=1
	fi
done
for name in $corpora; do
	if ! printf '%s\n' "$harnesses" | grep -qx "$name"; then
		echo "tests/fuzz/corpus/$name: there is no harness tests/fuzz/fuzz_$name.c"
		bad=1
	fi
done
exit $bad
