#!/bin/sh
# A public function of core is found by its name: it carries the family of its file (the first word of
# the file's name), or the name of an object that this family has. And a switch is over the enum
# itself: a cast would keep the compiler from telling which values it leaves out.
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
	print FILENAME ":" FNR ": " name "() does not carry the name of its file"
	bad = 1
}
END { exit bad }' || bad=1
if list_files 'src/*.c' | xargs -r grep -n 'switch (.*(int)'; then
	echo "^ switch over the enum"
	bad=1
fi
exit $bad
