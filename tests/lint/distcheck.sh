#!/bin/sh
# tests/lint/distcheck.sh ARCHIVE NAME: unpacks the release, builds it out of tree from a read-only
# source, twice in different folders, with the same result; runs the unit tests, installs with DESTDIR,
# checks what was installed, uninstalls to nothing, cleans.
set -eu
archive=$1
name=$2
folder=$(mktemp -d)
finish() { chmod -R u+w "$folder" && rm -rf "$folder"; }
trap finish EXIT
trap 'exit 130' HUP INT TERM

tar -xzf "$archive" -C "$folder"
chmod -R a-w "$folder/$name"
mkdir "$folder/one" "$folder/two-with-a-longer-name"
for build in one two-with-a-longer-name; do
	cd "$folder/$build"
	"../$name/configure" --prefix=/opt/usher >configure.out
	make -s -j2
done
for program in usherd usherctl libusher.a; do
	[ -f "$folder/one/$program" ] || continue
	if [ "$program" != libusher.a ]; then
		for build in one two-with-a-longer-name; do
			strip -o "$folder/$build.stripped" "$folder/$build/$program"
		done
		cmp "$folder/one.stripped" "$folder/two-with-a-longer-name.stripped" || { echo "$program differs between two builds" && exit 1; }
	fi
done
cd "$folder/one"
make -s -j2 check-unit
make -s install DESTDIR="$folder/root"
make -s installcheck DESTDIR="$folder/root"
make -s uninstall DESTDIR="$folder/root"
left=$(find "$folder/root" ! -type d)
if [ -n "$left" ]; then
	echo "uninstall left: $left"
	exit 1
fi
make -s distclean
left=$(find . -type f ! -name configure.out)
if [ -n "$left" ]; then
	echo "distclean left: $left"
	exit 1
fi
