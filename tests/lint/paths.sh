#!/bin/sh
# A call that changes a file, its name, owner or mode by a path follows any link that another user has put into the
# path. src calls the functions of base/fs.h, base/fs_open.h and base/fs_node.h instead, which use descriptors.
# tests/lint/path-calls lists the exceptions: FILE CALL REASON.
. tests/lint/files.sh
list_files 'src/*.c' 'src/*.h' | xargs -r awk -v list=tests/lint/path-calls '
BEGIN {
	while ((getline line < list) > 0)
		if (line !~ /^#/ && split(line, f, " ") >= 3)
			allowed[f[1] " " f[2]] = 1
	calls = "chown|lchown|chmod|lchmod|mkdir|mkfifo|mknod|unlink|rmdir|remove|rename|symlink|link|truncate|creat|utime|utimes|lutimes|" \
		"setxattr|lsetxattr|removexattr|lremovexattr|mkstemp|mkostemp|mkstemps|mkostemps|mkdtemp|tmpnam|tempnam|bind"
	ats = "fchownat|fchmodat|mkdirat|mkfifoat|mknodat|unlinkat|renameat|renameat2|symlinkat|linkat|utimensat"
}
{
	code = $0
	sub(/^[ \t]*\/\/.*/, "", code)
	sub(/ \/\/ .*/, "", code)
	gsub(/"([^"\\]|\\.)*"/, "\"\"", code)
	what = ""
	if (match(code, "(^|[^A-Za-z0-9_.>])(" calls ")\\("))
		what = substr(code, RSTART, RLENGTH - 1)
	else if (match(code, "(^|[^A-Za-z0-9_])(" ats ")\\(AT_FDCWD"))
		what = substr(code, RSTART, RLENGTH - length("(AT_FDCWD"))
	else if (match(code, /(^|[^A-Za-z0-9_])(open|(sys_)?openat\(AT_FDCWD,)[( ][^"]*(O_CREAT|O_TRUNC|O_WRONLY|O_RDWR|flags)/))
		what = "open"
	else if (match(code, /(^|[^A-Za-z0-9_])fopen\(.*"[wa]/) || match($0, /(^|[^A-Za-z0-9_])fopen\([^"]*"[wa]/))
		what = "fopen"
	else if (match(code, /SYS_(chown|lchown|chmod|mkdir|mknod|unlink|rmdir|rename|symlink|link|truncate|creat)[^a-z0-9_]/))
		what = substr(code, RSTART, RLENGTH - 1)
	gsub(/[^A-Za-z0-9_]/, "", what)
	if (what == "")
		next
	if ((FILENAME " " what) in allowed) {
		seen[FILENAME " " what] = 1
		next
	}
	print FILENAME ":" FNR ": " what "() takes a path: use src/base/fs.h, fs_open.h or fs_node.h"
	bad = 1
}
END {
	for (what in allowed)
		if (!(what in seen)) {
			print list ": " what " is no longer called there, remove the line"
			bad = 1
		}
	exit bad
}'
