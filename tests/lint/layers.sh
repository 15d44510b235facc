#!/bin/sh
# Includes go down only: which folder of src may include which (design: an arrow goes down only).
# The generator reads the option tables (.def) of the programs too, which are data.
# Besides: base, conf, net and spawn return what went wrong and never log.
. tests/lint/files.sh
list_files 'src/*.c' 'src/*.h' 'src/*.def' | xargs -r awk '
BEGIN {
	may["base"] = "base"
	may["conf"] = "base conf"
	may["net"] = "base conf net"
	may["spawn"] = "base conf spawn"
	may["core"] = "base conf net spawn core"
	may["bus"] = "base conf net spawn core bus"
	may["daemon"] = "base conf net spawn core bus daemon"
	may["ctl"] = "base conf net ctl"
	may["gen"] = "base conf gen"
	may["proxy"] = "base net proxy"
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
	split(FILENAME, path, "/")
	from = path[2]
	target = $0
	sub(/^[^"]*"/, "", target)
	sub(/".*/, "", target)
	where = FILENAME ":" FNR ": "
	if (!(from in may)) {
		print where "folder src/" from " has no row in tests/lint/layers.sh"
		bad = 1
	} else if (target !~ /\//) {
		print where "write the folder too: \"" from "/" target "\""
		bad = 1
	} else {
		to = target
		sub(/\/.*/, "", to)
		if (index(" " may[from] " ", " " to " ") == 0 && !(from == "gen" && target ~ /\.def$/)) {
			print where from " may not include " target
			bad = 1
		}
		if (target == "base/log.h" && from ~ /^(base|conf|net|spawn)$/ && FILENAME != "src/base/log.c") {
			print where from " does not log: return the error, or fill a struct fail or a diagnostic"
			bad = 1
		}
	}
}
END { exit bad }'
