#!/bin/sh
# clang-format 14 changes no C file. Other versions format some details differently, so only that one counts.
. tests/lint/files.sh
format=
for tool in clang-format-14 clang-format; do
	if $tool --version 2>/dev/null | grep -q 'version 14\.'; then
		format=$tool
		break
	fi
done
[ -n "$format" ] || { echo "clang-format 14 is not installed" && exit 77; }
bad=0
for file in $(list_files 'src/*.[ch]' 'tests/*.[ch]' 'examples/*.[ch]' 'contrib/*.[ch]'); do
	if ! "$format" "$file" | cmp -s - "$file"; then
		echo "$file: run make format"
		bad=1
	fi
done
exit $bad
