#!/bin/sh
# Each row of src/conf/differences.def has a test that names it: "Difference: KEY". No test names a key without a row.
. tests/lint/files.sh
keys=$(sed -n 's/^DIFFERENCE([A-Z_]*, "\([a-z-]*\)".*/\1/p' src/conf/differences.def | sort)
[ -n "$keys" ] || { echo "no row was found in src/conf/differences.def" && exit 1; }
named=$(list_files 'tests/unit/*.c' 'tests/system/*.py' | xargs sed -n 's/^.*Difference: \([a-z-]*\).*/\1/p' | sort -u)
bad=0
for key in $keys; do
	printf '%s\n' "$named" | grep -qx "$key" || { echo "no test names the difference $key" && bad=1; }
done
for key in $named; do
	printf '%s\n' "$keys" | grep -qx "$key" || { echo "a test names $key, which has no row in src/conf/differences.def" && bad=1; }
done
exit $bad
