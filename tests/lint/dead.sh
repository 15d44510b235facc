#!/bin/sh
# A symbol that no other object uses is static, or is marked as for tests: dead.py.
command -v python3 >/dev/null || { echo "python3 is not installed" && exit 77; }
python3 tests/lint/dead.py
