#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What cppcheck, gcc -fanalyzer and clang-tidy say of the sources: nothing.
# A finding is mended, or named below with the reason why it is none. Prints
# TAP. usage: analysis.sh [cppcheck|fanalyzer|tidy]
# shellcheck disable=SC2016,SC2317 # sh -c; functions called by name

srcdir=${srcdir:-.}
builddir=$(cd "${builddir:-build}" && pwd) || exit 99
cd "$srcdir" || exit 99
LC_ALL=C
export LC_ALL
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

tmp=$(mktemp -d "${TMPDIR:-/tmp}/analysis.XXXXXX") || exit 99
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

if [ "$(uname -s)" = Darwin ]; then
	other=linux
else
	other=darwin
fi
find src services -name '*.c' | grep -v "_$other" | sort >"$tmp/files"

# What gcc 12 takes for a fault, as patterns; each looked at:
#  conf.c: what was allocated is kept where the caller owns it, which the
#   analyzer loses sight of;
#  svctl*.c: the same, and svctl ends soon: LeakSanitizer looks at it;
#  svctl_http.c: it cannot see that read(2) has filled the buffer;
#  tree_slots.c: the definition of an orphan belongs to the service made of it.
cat >"$tmp/known" <<'END'
^src/conf\.c:.*malloc-leak
^src/svctl[a-z_]*\.c:.*(malloc|file)-leak
^src/svctl_http\.c:.*use-of-uninitialized-value
^src/tree_slots\.c:.*malloc-leak
END

libraries='libbsd-overlay inih libcurl libmicrohttpd'
# shellcheck disable=SC2086
cat >"$tmp/flags" <<END
-std=c11 -D_GNU_SOURCE -Iinclude -Isrc -Iservices/lib -I$builddir
-DSVTREE_DEFAULT_PATH="" -DSVTREE_PROGDIR=""
$(pkg-config --cflags $libraries 2>/dev/null)
END
tr '\n' ' ' <"$tmp/flags" >"$tmp/flags.line"
flags=$(cat "$tmp/flags.line")

number=0
failed=0

# result TITLE: good when $tmp/faults is empty
result()
{
	number=$((number + 1))
	if [ -s "$tmp/faults" ]; then
		sort -u "$tmp/faults" | head -n 60 | sed 's/^/# /'
		echo "not ok $number - $1"
		failed=1
	else
		echo "ok $number - $1"
	fi
}

skip()
{
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

look_cppcheck()
{
	# osmem_darwin.c: a call of Mach fills what goes in uninitialized.
	cppcheck --std=c11 --quiet --enable=warning,portability,performance \
	    --inline-suppr --suppress=missingIncludeSystem \
	    --suppress=uninitvar:services/lib/osmem_darwin.c \
	    -D_GNU_SOURCE -Iinclude -Isrc -Iservices/lib \
	    -I"$builddir" -j "$jobs" \
	    --template='{file}:{line}: {message} [{id}]' src services 2>&1
}

look_fanalyzer()
{
	xargs -P "$jobs" -n 1 sh -c 'gcc -O1 -fanalyzer $1 \
	    -I"$(dirname "$2")" -c -o /dev/null "$2" 2>&1 |
	    grep -E "(warning|error):"' sh "$flags" <"$tmp/files" |
	    grep -Evf "$tmp/known"
}

look_tidy()
{
	xargs -P "$jobs" -n 1 sh -c 'clang-tidy --quiet "$2" -- $1 \
	    -I"$(dirname "$2")" 2>/dev/null | grep -E "(warning|error):"' \
	    sh "$flags" <"$tmp/files"
}

for look in ${1:-cppcheck fanalyzer tidy}; do
	case $look in
	cppcheck) tool=cppcheck title='cppcheck finds nothing' ;;
	fanalyzer) tool=gcc title='gcc -fanalyzer finds nothing' ;;
	tidy)	tool=clang-tidy title='clang-tidy finds nothing' ;;
	*)	echo "Bail out! no $look"
		exit 99 ;;
	esac
	if ! command -v "$tool" >/dev/null; then
		skip "$title" "$tool is missing"
	elif [ "$look" = fanalyzer ] &&
	    ! gcc --version | grep -q 'Free Software'; then
		skip "$title" 'gcc is another compiler here'
	else
		"look_$look" >"$tmp/faults"
		result "$title"
	fi
done
echo "1..$number"
exit "$failed"
