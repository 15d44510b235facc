#!/bin/sh
# Includes go down only: a table says which folder of src, and which room of core, may include which.
# The generator also includes the option tables (.def) of the programs, which are data.
# Besides, base, conf, net and spawn return errors and never log, core has few files outside its rooms,
# and NAME_priv.h is for its own family only: NAME.c and NAME_*.c beside it, or all files of a folder of
# that name that has no rooms.
. tests/lint/files.sh
list_files 'src/*.c' 'src/*.h' 'src/*.def' | xargs -r awk '
BEGIN {
	may["base"] = "base"
	may["conf"] = "base conf"
	may["net"] = "base conf net"
	may["spawn"] = "base conf spawn"
	may["core"] = "base conf net spawn core"
	may["core/loop"] = "core/loop"
	may["core/start"] = "core/loop core/start"
	may["core/condition"] = "core/condition"
	may["core/unit"] = "core/loop core/start core/condition core/unit"
	may["core/service"] = may["core/unit"] " core/service"
	may["core/socket"] = may["core/service"] " core/socket"
	may["core/"] = may["core/socket"] " core/"
	core_files_max = 3
	may["bus"] = "base conf net spawn core bus"
	may["daemon"] = "base conf net spawn core bus daemon"
	may["ctl"] = "base conf net ctl"
	may["gen"] = "base conf gen"
	may["proxy"] = "base net proxy"
}
# The room of a file below core: "core/unit"; "core/" for a file outside all rooms.
function room_of(file, parts, n) {
	n = split(file, parts, "/")
	return n > 2 ? "core/" parts[2] : "core/"
}
# Does the file (below src) belong to the family of the private header?
function is_family(file, header, name, folder) {
	name = header
	sub(/_priv\.h$/, "", name)
	folder = name
	sub(/\/[^\/]*$/, "", folder)
	return index(file, name ".") == 1 || index(file, name "_") == 1 ||
		(name == folder "/" folder && index(file, folder "/") == 1)
}
FNR == 1 && FILENAME ~ /^src\/core\/[^\/]*$/ && ++n_core_files > core_files_max {
	print FILENAME ": put the file into one of the rooms of core"
	bad = 1
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
		print where "include it with its folder: \"" from "/" target "\""
		bad = 1
	} else {
		to = target
		sub(/\/.*/, "", to)
		if (index(" " may[from] " ", " " to " ") == 0 && !(from == "gen" && target ~ /\.def$/)) {
			print where from " may not include " target
			bad = 1
		}
		if (from == "core" && to == "core") {
			room = room_of(substr(FILENAME, 5))
			target_room = room_of(target)
			if (!(room in may)) {
				print where "src/" room " has no row in tests/lint/layers.sh"
				bad = 1
			} else if (index(" " may[room] " ", " " target_room " ") == 0) {
				print where room " may not include " target
				bad = 1
			}
		}
		if (target ~ /_priv\.h$/ && !is_family(substr(FILENAME, 5), target)) {
			print where target " is for its own family only"
			bad = 1
		}
		if (target == "base/log.h" && from ~ /^(base|conf|net|spawn)$/ && FILENAME !~ /^src\/base\/log(_priv)?\.[ch]$/) {
			print where from " does not log: return the error, or fill a struct fail or a diagnostic"
			bad = 1
		}
	}
}
END { exit bad }'
