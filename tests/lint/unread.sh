#!/bin/sh
# Members of tables of functions, and options of programs, are used: unread.py.
command -v python3 >/dev/null || { echo "python3 is not installed" && exit 77; }
python3 tests/lint/unread.py
