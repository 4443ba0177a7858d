#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Builds the fuzzers of tests/fuzz with libFuzzer, ASan and UBSan and runs
# each on its corpus. Prints TAP.
#
# usage: fuzz.sh [TARGET|all [SECONDS]]
#
# What breaks a promise is kept in BUILD/fuzz/TARGET-crash-...; run it again
# with BUILD/fuzz/TARGET FILE.

srcdir=${srcdir:-.}
builddir=${builddir:-build}
target=${1:-all}
seconds=${2:-${SVTREE_FUZZ:-30}}
targets='events records control conf docker json lines http'
CLANG=${CLANG:-clang}
out=$builddir/fuzz

if [ "$(uname -s)" = Darwin ]; then
	echo '1..0 # SKIP the fake world is compiled with the files of Linux'
	exit 0
fi
mkdir -p "$out/obj" || exit 99
echo 'int LLVMFuzzerTestOneInput(const char *b, long n);
int LLVMFuzzerTestOneInput(const char *b, long n) { return b && n < 0; }' \
    >"$out/try.c"
sanitize='-fsanitize=address,undefined -fno-sanitize-recover=undefined'
# shellcheck disable=SC2086
if ! $CLANG -fsanitize=fuzzer $sanitize -o "$out/try" "$out/try.c" \
    >/dev/null 2>&1; then
	echo '1..0 # SKIP clang without libFuzzer (Debian: libclang-rt-14-dev)'
	exit 0
fi

# shellcheck disable=SC2089 # the quotes are the compiler's
flags="-std=c11 -g -O1 -D_GNU_SOURCE -I$srcdir/include -I$srcdir/src
 -I$srcdir/tests/fake -I$srcdir/tests/fuzz -I$builddir
 -I$srcdir/services/recovery-listener -I$srcdir/services/lib
 -fsanitize=fuzzer-no-link $sanitize
 $(pkg-config --cflags libcurl inih libmicrohttpd libbsd-overlay 2>/dev/null)
 -DSVTREE_DEFAULT_PATH=\"/usr/bin:/bin\""
libs="$(pkg-config --libs inih libcurl) $(pkg-config --libs libbsd-overlay \
    2>/dev/null)"

# The value of a variable of Makefile.am, .c files alone.
sources()
{
	sed -n "/^$1 *+*=/,/[^\\\\]\$/p" "$srcdir/Makefile.am" |
	    tr -s '[:space:]' '\n' | grep '\.c$'
}

failed=0
# compile PREFIX OPTION FILE...: objects $out/obj/PREFIX-NAME.o
compile()
{
	prefix=$1 option=$2
	shift 2
	for file; do
		object=$out/obj/$prefix-$(basename "$file" .c).o
		if [ -e "$object" ] && [ -z "$(find "$srcdir/src" \
		    "$srcdir/include" "$srcdir/tests/fake" \
		    "$srcdir/services/recovery-listener" \
		    "$srcdir/tests/fuzz" "$srcdir/tests/explore" \
		    -newer "$object" -name '*.[ch]' | head -n 1)" ]; then
			continue
		fi
		# shellcheck disable=SC2086,SC2090
		$CLANG $flags $option -c -o "$object" "$srcdir/$file" &
		pids="$pids $!"
		if [ "$(echo "$pids" | wc -w)" -ge 2 ]; then
			for pid in $pids; do
				wait "$pid" || failed=1
			done
			pids=
		fi
	done
	for pid in $pids; do
		wait "$pid" || failed=1
	done
	pids=
}
pids=

objects()	# objects PREFIX FILE...
{
	prefix=$1
	shift
	for file; do
		echo "$out/obj/$prefix-$(basename "$file" .c).o"
	done
}

fakes='tests/fake/alloc.c tests/fake/os.c tests/fake/world.c
 tests/explore/sim.c tests/explore/key.c tests/explore/check.c
 tests/fuzz/play.c'
supervisor=$(sources supervisor_sources)
pure=$(cd "$srcdir" && ls src/buf.c src/json*.c src/conf*.c)
real=$(cd "$srcdir" && ls src/os_posix*.c src/os_linux*.c src/log.c \
    src/client*.c src/notify.c src/svlog_*.c src/oslog_linux.c \
    src/docker*.c src/http*.c)
# The listener from its sockets to its answers, on a clock of the fuzzer's.
web=$(cd "$srcdir" && ls services/recovery-listener/web*.c \
    services/recovery-listener/answer*.c)
web="$web services/recovery-listener/guard.c
 services/recovery-listener/pace.c services/recovery-listener/view_fitness.c"
web="$web tests/fuzz/http_fakes.c tests/fuzz/http_asked.c"

# shellcheck disable=SC2046,SC2086
compile fuzz '' $(for t in $targets; do echo "tests/fuzz/$t.c"; done)
# shellcheck disable=SC2086
compile plain '' $fakes $pure $real
# shellcheck disable=SC2086
compile fake "-include $srcdir/tests/fake/rename.h" $supervisor
# shellcheck disable=SC2086
compile web '-Dos_now_ms=fuzz_now_ms -Dlog_info=fuzz_log' $web
compiled=$failed
rm -f "$out"/*.a
# shellcheck disable=SC2046,SC2086
{
	ar crs "$out/libfake.a" $(objects fake $supervisor)
	ar crs "$out/libpure.a" $(objects plain $pure)
	ar crs "$out/libreal.a" $(objects plain $real)
}

needs()		# what a target is linked with
{
	case $1 in
	events | records | control)
		# shellcheck disable=SC2086
		objects plain $fakes
		echo "$out/libfake.a $out/libpure.a" ;;
	http)
		# shellcheck disable=SC2086
		objects web $web
		echo "$out/libreal.a $out/libpure.a"
		pkg-config --libs libmicrohttpd ;;
	*)	echo "$out/libreal.a $out/libpure.a $out/libreal.a" ;;
	esac
}

if [ "$target" = all ]; then
	list=$targets
else
	list=$target
fi
# run TARGET: what it prints goes into a file, and the time of processors that
# it took behind it
run()
{
	mkdir -p "$out/corpus/$1" "$srcdir/tests/fuzz/corpus/$1" 2>/dev/null
	"$out/$1" -max_total_time="$seconds" -timeout=60 -close_fd_mask=1 \
	    -rss_limit_mb=4096 -max_len=4000 -print_final_stats=1 \
	    -artifact_prefix="$out/$1-" "$out/corpus/$1" \
	    "$srcdir/tests/fuzz/corpus/$1" >"$out/$1.log" 2>&1
	code=$?
	times >"$out/$1.cpu"
	return "$code"
}

result()	# result NUMBER TARGET: 0 when no promise was broken
{
	if [ "$3" -ne 0 ]; then
		tail -n 30 "$out/$2.log" | sed 's/^/# /'
		echo "not ok $1 - $2"
		return 1
	fi
	echo "# $2:" "$(sed -n 's/.*number_of_executed_units: *//p' \
	    "$out/$2.log") inputs in $seconds s" \
	    "($(tail -n 1 "$out/$2.cpu") of processors)," \
	    "$(grep -o 'cov: [0-9]*' "$out/$2.log" | tail -n 1)"
	echo "ok $1 - $2: no promise broken"
}

# All at once: a test has to be short.
# shellcheck disable=SC2086
echo "1..$(echo $list | wc -w)"
running=
for t in $list; do
	# shellcheck disable=SC2046,SC2086
	if [ "$compiled" -ne 0 ] || ! $CLANG -fsanitize=fuzzer $sanitize \
	    -o "$out/$t" "$out/obj/fuzz-$t.o" $(needs "$t") $libs \
	    >"$out/$t.link" 2>&1; then
		sed 's/^/# /' "$out/$t.link" 2>/dev/null | tail -n 5
		running="$running $t:none"
		continue
	fi
	run "$t" &
	running="$running $t:$!"
done
number=0
for t in $running; do
	number=$((number + 1))
	if [ "${t#*:}" = none ]; then
		echo "not ok $number - ${t%:*}: does not build"
		failed=1
		continue
	fi
	code=0
	wait "${t#*:}" || code=$?
	result "$number" "${t%:*}" "$code" || failed=1
done
exit "$failed"
