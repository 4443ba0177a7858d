#!/bin/sh
# SPDX-License-Identifier: ISC
#
# release.sh DIRECTORY BASE_URL [HOMEPAGE]: what is published of a version: the
# tarball of `make dist`, its checksum, and the Homebrew formula filled in.
# BASE_URL is where the tarball is going to be, without its name; the version
# is that of configure.ac.

set -eu

if [ $# -lt 2 ]; then
	echo 'usage: release.sh DIRECTORY BASE_URL [HOMEPAGE]' >&2
	exit 2
fi
top=$(cd "$(dirname "$0")/.." && pwd -P)
mkdir -p "$1"
out=$(cd "$1" && pwd -P)
url=${2%/}
home=${3:-$url/}
case $url in
https://*) ;;
*)	echo "release: $url: an address that begins with https:// is right" >&2
	exit 2 ;;
esac

sum()
{
	if command -v sha256sum >/dev/null; then
		sha256sum "$1"
	else
		shasum -a 256 "$1"
	fi
}

cd "$out"
if [ -n "${SVTREE_TARBALL:-}" ]; then	# made already, as by a test
	cp "$SVTREE_TARBALL" .
	tarball=${SVTREE_TARBALL##*/}
else
	mkdir -p build
	[ -e "$top/configure" ] || (cd "$top" && autoreconf -i)
	(cd build && "$top/configure" --quiet &&
	    make --no-print-directory dist >/dev/null)
	tarball=$(cd build && ls svtree-*.tar.xz)
	mv "build/$tarball" .
	rm -rf build
fi
sum "$tarball" >SHA256SUMS
hash=$(cut -d ' ' -f 1 SHA256SUMS)
sed -e "s|@URL@|$url/$tarball|" -e "s|@SHA256@|$hash|" \
    -e "s|@HOMEPAGE@|$home|" "$top/packaging/svtree.rb" >svtree.rb
if grep '@[A-Z0-9]*@' svtree.rb >&2; then
	echo 'release: svtree.rb has more to be filled in' >&2
	exit 1
fi
ls "$tarball" SHA256SUMS svtree.rb
