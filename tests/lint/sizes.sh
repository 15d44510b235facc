#!/bin/sh
# No file has more than 600 lines, no function more than 60. tests/lint/size-budget lists the exceptions with
# their sizes, which may only shrink. Tables (.def) and generated files are not counted.
. tests/lint/files.sh
list_files 'src/*.[ch]' 'tests/*.[ch]' 'examples/*.[ch]' 'tests/*.sh' 'tests/*.py' tests/run \
	'contrib/*' configure | grep -v -e '\.md$' -e '/corpus/' |
	xargs -r awk -v budget=tests/lint/size-budget '
BEGIN {
	while ((getline line < budget) > 0)
		if (line !~ /^#/ && split(line, f, " ") == 2)
			allowed[f[1]] = f[2]
}
function judge(what, size, limit) {
	if (what in allowed) {
		seen[what] = 1
		if (size > allowed[what])
			complain(what ": " size " lines, the budget lists " allowed[what] ": split it")
		else if (size <= limit)
			complain(what ": " size " lines is fine now: remove it from " budget)
		else if (size < allowed[what])
			complain(what ": shrank to " size " lines: write that into " budget)
	} else if (size > limit)
		complain(what ": " size " lines, the limit is " limit ": split it")
}
function complain(text) {
	print text
	bad = 1
}
FNR == 1 {
	if (file)
		judge(file, lines, 600)
	file = FILENAME
	start = 0
	head = ""
}
{ lines = FNR }
# clang-format puts the name and the braces of a function at the left margin.
file ~ /\.[ch]$/ && /^[A-Za-z_].*\(/ && !/;[ \t]*$/ && !/^#/ && !start {
	head = $0
	head_line = FNR
}
file ~ /\.[ch]$/ && /^\{$/ && head { start = head_line }
file ~ /\.[ch]$/ && /^\}/ && start {
	name = head
	sub(/\(.*/, "", name)
	sub(/.*[ *]/, "", name)
	judge(file ":" name, FNR - start + 1, 60)
	start = 0
	head = ""
}
END {
	if (file)
		judge(file, lines, 600)
	for (what in allowed)
		if (!(what in seen))
			complain(what ": is in " budget " but not in the tree")
	exit bad
}'
