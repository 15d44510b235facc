#!/bin/sh
# The owner that a row of src/conf/directives/*.def names acts on the directive: owners.py.
for tool in gcc python3; do
	command -v $tool >/dev/null || { echo "$tool is not installed" && exit 77; }
done
python3 tests/lint/owners.py
