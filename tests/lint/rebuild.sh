#!/bin/sh
# Builds everything in a temporary folder with the given compiler. Warnings are errors, and the source tree
# is made read-only, as a build must not write into it.
set -eu
compiler=${1:-clang}
command -v "$compiler" >/dev/null || { echo "$compiler is not installed" && exit 77; }
source_root=$(cd "$(dirname "$0")/../.." && pwd -P)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' HUP INT TERM
cd "$folder"
"$source_root/configure" --enable-werror CC="$compiler" >configure.out 2>&1 || { cat configure.out && exit 1; }
make -s -j2 tests-build
