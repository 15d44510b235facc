#!/bin/sh
# What no other object uses is static, or is said to be for tests: dead.py.
command -v python3 >/dev/null || { echo "python3 is not installed" && exit 77; }
python3 tests/lint/dead.py
