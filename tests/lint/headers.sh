#!/bin/sh
# A header begins with the comment that says what it owns, and has #pragma once; a .c file includes its
# own header first, which proves that the header stands alone.
. tests/lint/files.sh
bad=0
for file in $(list_files 'src/*.h' 'tests/*.h'); do
	if ! sed q "$file" | grep -q '^/[/*]'; then
		echo "$file:1: begin with a comment: what it owns, what not, who calls it"
		bad=1
	fi
	if ! grep -qx '#pragma once' "$file"; then
		echo "$file: no #pragma once"
		bad=1
	fi
done
for file in $(list_files 'src/*.c'); do
	own=${file#src/}
	own=${own%.c}.h
	[ -f "src/$own" ] || continue
	first=$(sed -n 's/^#include *[<"]\(.*\)[>"].*/\1/p' "$file" | sed q)
	case $first in # a folder's private header may come first: it includes the own one first
	*_priv.h | *_impl.h) first=$(sed -n 's/^#include *[<"]\(.*\)[>"].*/\1/p' "src/$first" | grep -Fx "$own") ;;
	esac
	if [ "$first" != "$own" ]; then
		echo "$file: includes $first first, not its own header $own"
		bad=1
	fi
done
exit $bad
