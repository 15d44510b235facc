#!/bin/sh
# File names say what the file contains, and the top level has no other files than these.
. tests/lint/files.sh
bad=0
found=$(list_files '*.c' '*.h' '*.def' | grep -E '(^|/)([a-z0-9]+[_-])*(utils?|misc|common|helpers?)([_-][a-z0-9]+)*\.(c|h|def)$')
if [ -n "$found" ]; then
	printf '%s\n' "$found"
	echo "^ name the file after its purpose"
	bad=1
fi
found=$(list_files 'src/*.[ch]' 'tests/*.[ch]' | grep -E '[^a-z0-9_./-]|-[^/]*\.[ch]$')
if [ -n "$found" ]; then
	printf '%s\n' "$found"
	echo "^ use lower case and underscores"
	bad=1
fi
found=$(list_files '*' | sed 's|/.*||' | sort -u | grep -vxE '\..*|configure|Makefile|README\.md|LICENSE|NEWS\.md|HACKING\.md|src|units|examples|tests|contrib')
if [ -n "$found" ]; then
	printf '%s\n' "$found"
	echo "^ move it into a folder"
	bad=1
fi
exit $bad
