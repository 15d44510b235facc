#!/bin/sh
# cppcheck's errors and warnings over src; a false one is silenced at its line with a reason. It does not
# know the cleanup attribute, so that leaks are left to the sanitizers and valgrind.
. tests/lint/files.sh
command -v cppcheck >/dev/null || { echo "cppcheck is not installed" && exit 77; }
list=$(list_files 'src/*.c')
[ -n "$list" ] || exit 0
# shellcheck disable=SC2086 # file names here have no spaces
cppcheck -q -j2 --std=c11 -D__linux__ -D__GNUC__=12 -D_GNU_SOURCE -Isrc --inline-suppr --enable=warning,portability \
	--suppress=unknownMacro --suppress=missingInclude --suppress=memleak --error-exitcode=1 $list
