# Sourced: list_files PATTERN... gives the project's files, from git or, in a tarball, from the tree.
list_files() {
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard -- "$@" | while IFS= read -r file; do
			if [ -f "$file" ]; then printf '%s\n' "$file"; fi
		done
	else
		for pattern; do
			find ./* .[!.]* -type f ! -path './build/*' -path "./$pattern"
		done | sed 's|^\./||' | sort -u
	fi
}
