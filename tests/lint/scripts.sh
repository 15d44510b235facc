#!/bin/sh
# Shell scripts pass shellcheck, Python files at least compile.
. tests/lint/files.sh
command -v shellcheck >/dev/null || { echo "shellcheck is not installed" && exit 77; }
bad=0
for file in $(list_files '*' | grep -v -e '/corpus/' -e '\.def$' -e '\.[ch]$'); do
	case $(sed -n '1{s/^#! *//p;q}' "$file" 2>/dev/null | tr -d '\0') in
	/bin/sh*) shellcheck -x -s sh -e SC1091,SC2016 "$file" || bad=1 ;;
	*bash*) shellcheck -x -s bash -e SC1091,SC2016 "$file" || bad=1 ;;
	*python3*) python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file" || bad=1 ;;
	*) continue ;;
	esac
	case $file in
	tests/lint/*) ;;
	*) [ -x "$file" ] || { echo "$file: has #! but is not executable" && bad=1; } ;;
	esac
done
exit $bad
