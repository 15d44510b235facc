#!/bin/sh
# What the rows of src/conf/directives/*.def say about who acts on a directive is so: owners.py.
for tool in gcc python3; do
	command -v $tool >/dev/null || { echo "$tool is not installed" && exit 77; }
done
python3 tests/lint/owners.py
