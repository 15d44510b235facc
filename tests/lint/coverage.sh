#!/bin/sh
# tests/lint/coverage.sh SOURCE BUILD: line coverage by folder and file, from gcov's output.
set -eu
cd "$2"
find obj/src -name '*.gcda' -exec gcov -n {} + 2>/dev/null | awk '
/^File / { file = $2; gsub(/\047/, "", file); sub(/^.*src\//, "src/", file) }
/^Lines executed:/ {
	if (file !~ /^src\// || file ~ /\.(h|def)$/) next
	split($0, f, /[:% ]+/)
	printf "%6.1f %% of %5d  %s\n", f[3], f[5], file
	done += f[3] * f[5] / 100
	all += f[5]
	file = ""
}
END { if (all) printf "%6.1f %% of %5d  all\n", 100 * done / all, all }' | sort -k5
