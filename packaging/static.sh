#!/bin/sh
# SPDX-License-Identifier: ISC
#
# static.sh DIRECTORY: svtree, svctl, svctl-more and svlog, linked with musl:
# four files that run on any Linux of this kind of processor, svctl-more beside
# svctl, as some verbs are done by it. The libraries
# that they need are built from their own sources: $SVTREE_SOURCES holds those
# unpacked (libmd-*, libbsd-*, libinih-* or inih-*); what is not there is
# fetched by apt-get from the mirror that this system uses.

set -eu

top=$(cd "$(dirname "$0")/.." && pwd -P)
mkdir -p "${1:?a directory is wanted}/sources" "$1/include" "$1/lib"
out=$(cd "$1" && pwd -P)
log=$out/build.log
: >"$log"

fail()
{
	echo "static: $*" >&2
	exit 1
}

run()	# run COMMAND...: what it says goes to the log
{
	"$@" >>"$log" 2>&1 && return
	tail -n 20 "$log" >&2
	fail "failed: $* (all of it: $log)"
}

command -v musl-gcc >/dev/null || fail 'musl-gcc is missing: install musl-tools'

# --- sources

apt()	# with a list of its own: nothing of the system is changed
{
	apt-get -qq -o "Dir::Etc::SourceList=$out/apt/list" \
	    -o Dir::Etc::SourceParts=/dev/null -o APT::Sandbox::User= \
	    -o "Dir::State::Lists=$out/apt/lists" "$@"
}

fetch()	# fetch PACKAGE: its source as it was released, unpacked
{
	command -v apt-get >/dev/null ||
	    fail "no source of $1 in \$SVTREE_SOURCES, and no apt-get here"
	if ! [ -e "$out/apt/list" ]; then
		mkdir -p "$out/apt/lists/partial"
		# shellcheck disable=SC2016 # apt-get's own variables
		apt-get indextargets --format '$(REPO_URI) $(RELEASE)' |
		    sort -u | grep -v security |
		    sed 's/^/deb-src /; s/$/ main/' >"$out/apt/list.new"
		mv "$out/apt/list.new" "$out/apt/list"
		run apt update
	fi
	cd "$out/sources"
	run apt source --download-only "$1"
	for file in "$1"_*.orig.tar.*z; do
		run tar -xf "$file"
	done
	cd "$top"
}

# source_of PACKAGE OTHER_NAME
source_of()
{
	for dir in ${SVTREE_SOURCES:+"$SVTREE_SOURCES"/"$1"-*} \
	    ${SVTREE_SOURCES:+"$SVTREE_SOURCES"/"$2"-*} \
	    "$out/sources/$1"-* "$out/sources/$2"-*; do
		if [ -d "$dir" ]; then
			(cd "$dir" && pwd -P)
			return
		fi
	done
	return 1
}

want_source()
{
	source_of "$1" "$2" >/dev/null || fetch "$1"
	source_of "$1" "$2" >/dev/null || fail "no source of $1"
}

# --- libraries

# The headers of the kernel, which musl does not bring, jsmn, which is one, and
# those of curl: what uses them is compiled and left out.
for name in linux asm-generic asm jsmn.h curl; do
	for dir in /usr/include "/usr/include/$(gcc -print-multiarch)"; do
		if [ -e "$dir/$name" ]; then
			ln -sfn "$dir/$name" "$out/include/$name"
		fi
	done
	[ -e "$out/include/$name" ] ||
	    fail "$name is missing: install linux-libc-dev, libjsmn-dev" \
	    'and libcurl4-openssl-dev'
done
flags="-Os -I$out/include -ffunction-sections -fdata-sections"

build_library()	# build_library NAME: by its configure, into $out
{
	want_source "$1" "$1"
	[ -e "$out/lib/$1.a" ] && return
	from=$(source_of "$1" "$1")
	echo "static: $1, from ${from##*/}"
	mkdir -p "$out/build/$1"
	cd "$out/build/$1"
	run "$from/configure" CC=musl-gcc "CFLAGS=$flags" \
	    "LDFLAGS=-L$out/lib" --prefix="$out" --disable-shared
	run make install
	cd "$top"
}

build_inih()
{
	want_source libinih inih
	from=$(source_of libinih inih)
	echo "static: inih, from ${from##*/}"
	# shellcheck disable=SC2086 # a list
	run musl-gcc $flags -c "$from/ini.c" -o "$out/build/ini.o"
	run ar rcs "$out/lib/libinih.a" "$out/build/ini.o"
	cp "$from/ini.h" "$out/include/"
}

build_library libmd
build_library libbsd
build_inih

# --- svtree

echo 'static: svtree, svctl, svlog'
[ -e "$top/configure" ] || (cd "$top" && run autoreconf -i)
mkdir -p "$out/build/svtree"
cd "$out/build/svtree"
# Those of curl and libmicrohttpd are not linked to any of the three.
run "$top/configure" CC=musl-gcc "CPPFLAGS=-I$out/include" \
    "LDFLAGS=-static -L$out/lib" --enable-shared-helpers \
    CURL_CFLAGS=' ' CURL_LIBS=' ' MHD_CFLAGS=' ' MHD_LIBS=' ' \
    INIH_CFLAGS=' ' INIH_LIBS=-linih CRITERION_CFLAGS=' ' \
    CRITERION_LIBS=' ' BSD_LIBS='-lbsd -lmd' \
    BSD_CFLAGS="-isystem $out/include/bsd -DLIBBSD_OVERLAY"
run make interface_text.h interface_service.h examples_text.h
run make svtree svctl svctl-more svlog
for program in svtree svctl svctl-more svlog; do
	cp "$program" "$out/"
	strip "$out/$program"
done
cd "$out"
ls -l svtree svctl svctl-more svlog
