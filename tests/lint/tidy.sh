#!/bin/sh
# clang-tidy with the checks of .clang-tidy; slow, so not part of the default set: tests/lint/run.sh tidy
. tests/lint/files.sh
command -v clang-tidy >/dev/null || { echo "clang-tidy is not installed" && exit 77; }
config=build/config.h
[ -f $config ] || { echo "run ./configure in the source tree first" && exit 77; }
list_files 'src/*.c' | xargs -r -n 4 -P 2 sh -c '
	clang-tidy --quiet "$@" -- -std=gnu11 -include build/config.h -Isrc -Ibuild/gen 2>/dev/null' sh
