#!/bin/sh
# The tests that contrib/SECURITY.md names exist.
page=contrib/SECURITY.md
bad=0
has() { # has FILE [PATTERN]
	if [ ! -f "$1" ] || ! grep -q -e "${2:-}" "$1"; then
		echo "$page: there is no $test"
		bad=1
	fi
}
for test in $(grep -oE '`(system|unit|fuzz|lint)/[a-z0-9_/]+`' $page | tr -d '`' | sort -u); do
	kind=${test%%/*} name=${test#*/}
	case=${name#*/}
	name=${name%%/*}
	if [ "$case" = "$name" ]; then case=; fi
	case $kind in
	system) has "tests/system/$name.t.py" "${case:+^def $case(}" ;;
	unit) has "tests/unit/test_$name.c" "${case:+void $case(}" ;;
	fuzz) has "tests/fuzz/fuzz_$name.c" ;;
	lint) has "tests/lint/$name.sh" ;;
	esac
done
exit $bad
