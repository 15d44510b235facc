#!/bin/sh
# A header begins with a comment that says what it owns, and has #pragma once. A .c file includes its own
# header first, which proves that the header needs no other.
. tests/lint/files.sh
bad=0
for file in $(list_files 'src/*.h' 'tests/*.h'); do
	if ! sed q "$file" | grep -q '^/[/*]'; then
		echo "$file:1: begin with a comment: what the header owns, what not, and its callers"
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
	case $first in # a private header may come first if it includes the own one first
	*_priv.h | *_impl.h) first=$(sed -n 's/^#include *[<"]\(.*\)[>"].*/\1/p' "src/$first" | grep -Fx "$own") ;;
	esac
	if [ "$first" != "$own" ]; then
		echo "$file: includes $first first, not its own header $own"
		bad=1
	fi
done
exit $bad
