#!/bin/sh
# The tree map in README.md names every folder of src, tests and contrib, and no other.
bad=0
for folder in src/*/ tests/*/ contrib/*/; do
	[ -d "$folder" ] || continue
	case $folder in */__pycache__/) continue ;; esac
	if [ -z "$(find "$folder" -type f | sed q)" ]; then continue; fi
	if ! grep -qF "\`$folder\`" README.md; then
		echo "README.md: the tree map does not name \`$folder\`"
		bad=1
	fi
done
for folder in $(grep -oE '`(src|tests|contrib)/[a-z0-9_-]+/`' README.md | tr -d '`' | sort -u); do
	if [ ! -d "$folder" ]; then
		echo "README.md: names \`$folder\`, which does not exist"
		bad=1
	fi
done
exit $bad
