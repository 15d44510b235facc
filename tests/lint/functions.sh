#!/bin/sh
# The name of a public function of core leads to its file: it begins with the family of the file (the first
# word of the file's name), or with the name of an object that this family owns. And no switch casts an
# enum, since with a cast the compiler cannot warn about missing values.
. tests/lint/files.sh
bad=0
list_files 'src/core/*.c' | xargs -r awk '
BEGIN {
	has["boot"] = has["open"] = has["reload"] = has["stop"] = "manager"
	has["condition"] = "compare"
	has["earlier"] = "held"
	has["events"] = "timer watch work"
	has["processes"] = "process run"
	has["reap"] = "reaper"
	has["restart"] = "exit"
	has["service"] = "run log_stream"
	has["unit"] = "active_state load_state"
}
FNR == 1 {
	family = FILENAME
	sub(/.*\//, "", family)
	sub(/[_.].*/, "", family)
	n = split(family " " has[family], names, " ")
}
/^[a-z].*\(/ && !/^(static|typedef|extern|DEFINE)/ && !/;$/ {
	name = $0
	sub(/\(.*/, "", name)
	sub(/.*[ *]/, "", name)
	for (i = 1; i <= n; i++)
		if (index(name "_", names[i] "_") == 1 || index(name, names[i] "s_") == 1)
			next
	print FILENAME ":" FNR ": " name "() does not begin with the name of its file or family"
	bad = 1
}
END { exit bad }' || bad=1
if list_files 'src/*.c' | xargs -r grep -n 'switch (.*(int)'; then
	echo "^ switch over the enum, without a cast"
	bad=1
fi
exit $bad
