#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Compiles and links for macOS, by a cross compiler (ziglang of PyPI carries
# Apple's headers and the list of libSystem's symbols), all that a Mac would
# build: what is not *_linux.c. Says nothing of how it runs there. Prints TAP.
#
# libcurl, libmicrohttpd, jsmn and inih are seen by their headers alone; at
# the link stubs stand for their functions, so that every other symbol must
# be one of ours or of macOS's.

srcdir=${srcdir:-.}
builddir=${builddir:-build}
TARGETS='aarch64-macos x86_64-macos'
WARN='-Wall -Wextra -Wpedantic -Wshadow -Wswitch-enum -Wmissing-prototypes
 -Wstrict-prototypes -Wvla -Wformat=2 -Werror'

if [ "$(uname -s)" = Darwin ]; then
	echo '1..0 # SKIP this is a Mac: the build itself is the test'
	exit 0
fi

mkdir -p "$builddir/macos" || exit 99
out=$(cd "$builddir/macos" && pwd) || exit 99
zig_venv=$out/venv
ZIG_GLOBAL_CACHE_DIR=$out/cache
ZIG_LOCAL_CACHE_DIR=$out/cache
export ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR

zig()
{
	"$zig_venv/bin/python" -m ziglang "$@"
}

if ! zig version >/dev/null 2>&1; then
	rm -rf "$zig_venv"
	if ! { python3 -m venv "$zig_venv" &&
	    "$zig_venv/bin/pip" install --quiet \
	    --disable-pip-version-check ziglang; } >"$out/pip.log" 2>&1
	then
		why=$(tail -n 1 "$out/pip.log" | tr '#' ' ')
		rm -rf "$zig_venv"
		echo "1..0 # SKIP pip cannot get ziglang: $why"
		exit 0
	fi
fi

# --- headers: of the libraries and no other, apart from libc's of here

include=$out/include
rm -rf "$include" "$out/obj"
mkdir -p "$include" "$out/obj" || exit 99
multiarch=$(${CC:-cc} -print-multiarch 2>/dev/null)
for header in jsmn.h ini.h microhttpd.h curl; do
	for dir in "/usr/include/$multiarch" /usr/include /usr/local/include
	do
		if [ -e "$dir/$header" ]; then
			ln -sf "$dir/$header" "$include/$header"
			break
		fi
	done
done
grep -hE '^#define (PACKAGE|VERSION)' "$builddir/config.h" 2>/dev/null \
    >"$include/config.h" || {
	echo '#define PACKAGE_NAME "svtree"'
	echo '#define PACKAGE_VERSION "0"'
} >"$include/config.h"

# What the build made of sources; not its config.h, that is of this system.
for header in "$builddir"/*.h "$builddir"/src/*.h; do
	if [ -f "$header" ] && [ "$(basename "$header")" != config.h ]; then
		cp "$header" "$include/"
	fi
done

# --- the sources

{
	find "$srcdir/include" "$srcdir/src" "$srcdir/services" -name '*.c'
	find "$srcdir/tests" -name '*standin*.c'
} | grep -v '_linux[a-z_]*\.c$' | sed "s,^$srcdir/,," | sort >"$out/sources"
while read -r file; do
	if grep -q '^main(' "$srcdir/$file"; then
		echo "$file"
	fi
done <"$out/sources" >"$out/programs"
# MHD_get_fdset is a macro for the second name.
(cd "$srcdir" && xargs grep -ohE '\b(curl|ini|MHD)_[a-z0-9_]+ *\(' \
    <"$out/sources") | tr -d ' (' |
    awk '{ print } $0 == "MHD_get_fdset" { print $0 "2" }' |
    sort -u >"$out/foreign"
while read -r name; do
	echo "void $name(void);"
	echo "void $name(void) { }"
done <"$out/foreign" >"$out/stubs.c"

targets=$(echo "$TARGETS" | wc -w)
echo "1..$(($(wc -l <"$out/sources") + $(wc -l <"$out/programs") * targets))"

n=0
bad=0

# verdict STATUS TITLE, with what $out/said holds as diagnostics
verdict()
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		head -n 40 "$out/said" | sed 's/^/# /'
		echo "not ok $n - $2"
		bad=$((bad + 1))
	fi
}

object()
{
	echo "$out/obj/$1-$(echo "$2" | tr '/' '@').o"
}

compile_one()
{
	# shellcheck disable=SC2086 # WARN is a list
	zig cc -target "$1" -std=c11 -D_GNU_SOURCE -O1 $WARN \
	    -DVERSION='"0"' -DSVTREE_PROGDIR='"/usr/local/libexec/svtree"' \
	    -I"$srcdir/include" -I"$srcdir/src" \
	    -I"$srcdir/services/lib" -I"$srcdir/$(dirname "$2")" \
	    -isystem "$include" -c "$srcdir/$2" -o "$(object "$1" "$2")"
}

# Both targets, side by side. The exit status decides: a compiler that fails
# may leave an empty object behind.
compile()
{
	pids=
	failed=0
	for target in $TARGETS; do
		compile_one "$target" "$1" >"$out/said.$target" 2>&1 &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || failed=1
	done
	for target in $TARGETS; do
		[ -s "$(object "$target" "$1")" ] || failed=1
		[ "$failed" -eq 0 ] || rm -f "$(object "$target" "$1")"
		sed "s/^/$target: /" "$out/said.$target"
	done >"$out/said"
	return "$failed"
}

while read -r file; do
	compile "$file" </dev/null
	verdict $? "$file compiles for macOS"
done <"$out/sources"

# The files without main that the program may draw on.
parts()
{
	case $1 in
	services/*)
		grep -E "^(include|src|services/lib|$(dirname "$1"))/" \
		    "$out/sources" ;;
	src/*)
		grep -E '^(include|src|services/lib)/' "$out/sources" ;;
	*)
		grep -E "^(include|src|services/lib|$(dirname "$1"))/" \
		    "$out/sources" ;;
	esac | grep -Fxv -f "$out/programs"
}

link()
{
	archive=$out/obj/$1-$(basename "$2" .c).a
	rm -f "$archive"
	set -- "$1" "$2"
	# What did not compile is missing here, and so are its symbols.
	for part in $(parts "$2"); do
		part=$(object "$1" "$part")
		if [ -f "$part" ]; then
			set -- "$@" "$part"
		fi
	done
	target=$1
	program=$2
	shift 2
	zig ar --format=darwin rc "$archive" "$@" "$out/obj/$target-stubs.o" &&
	    zig cc -target "$target" \
	    -o "$out/obj/$target-$(basename "$program" .c)" \
	    "$(object "$target" "$program")" "$archive"
}

for target in $TARGETS; do
	zig cc -target "$target" -w -fno-builtin -c "$out/stubs.c" \
	    -o "$out/obj/$target-stubs.o" >"$out/said" 2>&1
	while read -r program; do
		link "$target" "$program" >"$out/said" 2>&1 </dev/null
		verdict $? "$(basename "$program" .c) links for $target"
	done <"$out/programs"
done

[ "$bad" -eq 0 ]
