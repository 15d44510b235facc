#!/bin/sh
# The demo: the examples are served and answer. Its ports are fixed, so it gets a network of its own
# where that is allowed.
set -eu
if [ "${1:-}" != inside ]; then
	for flags in -n -rn; do
		if unshare $flags true 2>/dev/null && command -v ip >/dev/null; then
			exec unshare $flags "$0" inside
		fi
	done
	echo "no network namespace here: using the machine's own ports 7701 to 7707"
else
	ip link set lo up
fi
if [ ! -x "$BUILD/usherd" ]; then
	echo "usherd is not built"
	exit 1
fi
exec sh "$SRC/contrib/demo" --run "$BUILD"
