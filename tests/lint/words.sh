#!/bin/sh
# Words that must not be in the tree: leftovers, paths of one machine, and hints at the writer of a line.
# The patterns are written in pieces, so that they do not match themselves.
. tests/lint/files.sh
left='TO''DO|FIX''ME|XX''X'
paths='/wo''rk/|/ro''ot/|/ho''me/[a-z]+/'
names='cl''aude|chat''gpt|open''ai|anth''ropic|cop''ilot|l''lms?|lang''uage mo''del|ai[- ]gen''erated|gen''erated by ai|co-auth''ored-by'
bad=0
report() { # report TEXT GREP-OPTIONS PATTERN: text files only
	what=$1
	shift
	if list_files '*' | grep -v '/corpus/' | xargs -r grep -InE "$@"; then
		echo "^ $what"
		bad=1
	fi
}
report "finish it, or write an issue" -w -e "$left"
report "a path of one machine" -e "$paths"
report "who or what wrote a line is git's to tell" -wi -e "$names"
exit $bad
