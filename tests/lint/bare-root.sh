#!/bin/sh
# tests/lint/bare-root.sh [COMMAND]...: do the README's commands work on a Debian 12 that has nothing?
# Makes such a root with debootstrap below /var/tmp, clones HEAD into it, runs `sh contrib/demo` and
# `sh contrib/check` there (or the given commands), and removes it. Root only. It copies this machine's apt
# settings and certificates, so that mirrors and proxies work inside.
set -eu
if [ "$(id -u)" != 0 ]; then echo "bare-root: run this as root" >&2 && exit 77; fi
command -v debootstrap >/dev/null || { echo "bare-root: install debootstrap" >&2 && exit 77; }
source_root=$(cd "$(dirname "$0")/../.." && pwd -P)
if [ $# = 0 ]; then set -- 'sh contrib/demo' 'sh contrib/check'; fi

root=$(mktemp -d /var/tmp/usher-root.XXXXXX)
chmod 755 "$root" # the "/" of services of other users
finish() {
	for folder in dev/pts dev/shm dev sys proc .; do
		if mountpoint -q "$root/$folder"; then umount "$root/$folder" || umount -l "$root/$folder"; fi
	done
	rm -rf --one-file-system "$root"
}
trap finish EXIT
trap 'exit 130' HUP INT TERM

debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "${MIRROR:-http://deb.debian.org/debian}" \
	>"$root.log" 2>&1 || { tail -20 "$root.log" && exit 1; }
rm -f "$root.log"
for file in /etc/apt/sources.list.d/debian.sources /etc/apt/apt.conf.d/9* /etc/resolv.conf /etc/hosts \
	/usr/local/share/ca-certificates/*; do
	if [ -f "$file" ]; then mkdir -p "$root${file%/*}" && cp "$file" "$root$file"; fi
done
if [ -f "$root/etc/apt/sources.list.d/debian.sources" ]; then rm -f "$root/etc/apt/sources.list"; fi
chroot "$root" update-ca-certificates >/dev/null 2>&1 || true
# "/" inside is a mount point, as it is in a container: the tests make mount namespaces.
mount --bind "$root" "$root"
mount --make-private "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --bind /dev "$root/dev"
mount -t devpts devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm" 2>/dev/null || true

for command; do
	echo "=== in a bare Debian 12: $command"
	rm -rf "$root/usher"
	git clone -q "$source_root" "$root/usher"
	chroot "$root" /usr/bin/env -i PATH="$PATH" TERM=dumb /bin/sh -c "cd /usher && $command" </dev/null
done
