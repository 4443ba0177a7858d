#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The house as it was drawn (doc/design.md, doc/style.md): who may include
# whom, what has one door, how long things may get. Reads sources only, but
# for the last test, and prints TAP. Run from the top of the sources, or with
# srcdir and builddir set.

srcdir=${srcdir:-.}
builddir=${builddir:-build}
# The assignment of a service's state; a designated initialiser is none.
STATE_RE=${STATE_RE:-'(->|[a-z]\.)state = '}
STATE_WRITER=${STATE_WRITER:-service_apply}
FILE_MAX=${FILE_MAX:-350}
FUNCTION_MAX=${FUNCTION_MAX:-60}
# Lines of code of the supervisor: it is to become smaller, never larger.
SUPERVISOR_MAX=${SUPERVISOR_MAX:-5630}
LC_ALL=C
export LC_ALL

tmp=$(mktemp -d "${TMPDIR:-/tmp}/layers.XXXXXX") || exit 99
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# One line per test done; a file, as the end of a pipeline is a subshell.
: >"$tmp/done"

# say ok|"not ok" TEXT
say()
{
	echo "$1" >>"$tmp/done"
	echo "$1 $(($(wc -l <"$tmp/done"))) - $2"
}

# expect_nothing TITLE: good when standard input is empty; what it holds are
# the faults, shown as diagnostics.
expect_nothing()
{
	cat >"$tmp/faults"
	if [ -s "$tmp/faults" ]; then
		sed 's/^/# /' "$tmp/faults"
		say 'not ok' "$1"
	else
		say ok "$1"
	fi
}

skip()
{
	say ok "$1 # SKIP $2"
}

# Every line of code as FILE:LINE:TEXT, comments gone and strings emptied
# (but for the names in #include).
code()
{
	awk '
	FNR == 1 { inside = 0 }
	{
		text = $0
		out = ""
		if (text !~ /^[ \t]*#[ \t]*include/) {
			gsub(/\\./, "", text)
			gsub(/\047[^\047]\047/, "0", text)
			gsub(/"[^"]*"/, "\"\"", text)
		}
		while (text != "") {
			if (inside) {
				i = index(text, "*/")
				if (i == 0)
					break
				text = substr(text, i + 2)
				inside = 0
				continue
			}
			i = index(text, "/*")
			if (i == 0) {
				out = out text
				break
			}
			out = out substr(text, 1, i - 1)
			text = substr(text, i + 2)
			inside = 1
		}
		name = FILENAME
		sub(root, "", name)
		print name ":" FNR ":" out
	}' root="^$srcdir/" "$@"
}

find "$srcdir/src" "$srcdir/services" "$srcdir/include" \
    \( -name '*.c' -o -name '*.h' \) -type f | sort >"$tmp/files"
if ! [ -s "$tmp/files" ]; then
	echo "Bail out! no sources below $srcdir"
	exit 99
fi
# xargs would split; names of sources hold no blanks.
# shellcheck disable=SC2046
code $(cat "$tmp/files") >"$tmp/code"
grep ':main(' "$tmp/code" | cut -d: -f1 | sort -u >"$tmp/programs"
sed "s,^$srcdir/,," "$tmp/files" >"$tmp/names"
# FILE:LINE:HEADER of every #include "HEADER", and of every <HEADER>
sed -n 's/^\([^:]*:[0-9]*\):[[:blank:]]*#[[:blank:]]*include[[:blank:]]*"\(.*\)".*/\1:\2/p' \
    "$tmp/code" >"$tmp/own"
sed -n 's/^\([^:]*:[0-9]*\):[[:blank:]]*#[[:blank:]]*include[[:blank:]]*<\(.*\)>.*/\1:\2/p' \
    "$tmp/code" >"$tmp/system"

# --- who may include whom

# 0 base, 1 os conf varlink and the libraries, 2 the supervisor, 3 programs
awk -F: '
function base(name) { sub(/.*\//, "", name); sub(/\.[ch]$/, "", name)
	return name }
function layer(name) {
	if (name in program)
		return 3
	name = base(name)
	if (name ~ /^(buf|log|die|usage|json)(_|$)/)
		return 0
	if (name ~ /^(os|conf|varlink|client|notify|http|docker|curl)(_|$)/)
		return 1
	return 2
}
FILENAME == programs { program[$1] = 1; next }
$1 ~ /^services\// || $3 == "config.h" || $3 == "die.h" { next }
layer($3) > layer($1) {
	print $1 ":" $2 ": layer " layer($1) " includes " $3 " of layer " \
	    layer($3)
}' programs="$tmp/programs" "$tmp/programs" "$tmp/own" |
    expect_nothing 'a file includes only what is in its layer or below'

awk -F: '
FILENAME == names { known[$1] = 1; next }
$1 !~ /^services\// || $3 == "config.h" || $3 ~ /_text\.h$/ { next }
{
	dir = $1
	sub(/\/[^\/]*$/, "", dir)
	own = $3
	sub(/.*\//, "", own)
	if (("include/" $3) in known || (dir "/" own) in known ||
	    ("services/lib/" own) in known)
		next
	print $1 ":" $2 ": includes " $3
}' names="$tmp/names" "$tmp/names" "$tmp/own" |
    expect_nothing 'services see include/ and headers of their own, no more'

awk -F: '
$1 ~ /^src\/(svctl|svlog)/ && $3 ~ /^(tree|service|spawn.*|control.*)\.h$/ {
	print $1 ":" $2 ": includes " $3
}' "$tmp/own" |
    expect_nothing 'svctl and svlog do not reach into the supervisor'

awk -F: '
FILENAME == programs { program[$1] = 1; next }
$3 ~ /^(die|usage)\.h$/ && $1 !~ /(^|\/)(die|usage)\.c$/ && !($1 in program) {
	print $1 ":" $2 ": includes " $3 " and has no main"
}' programs="$tmp/programs" "$tmp/programs" "$tmp/own" |
    expect_nothing 'only a file with a main may end the process'

awk -F: '
FILENAME == programs { program[$1] = 1; next }
$1 in program || $1 ~ /(^|\/)(die|usage)\.c$/ { next }
{ text = substr($0, index($0, $3)) }
text ~ /(^|[^a-z_])(exit|abort|err|errx)\(/ { print }
' programs="$tmp/programs" "$tmp/programs" "$tmp/code" |
    expect_nothing 'no exit, abort, err outside a file with a main'

{
	awk -F: '
	$1 ~ /^src\/(machine|policy)[a-z_]*\.c$/ &&
	$3 !~ /^(stdbool|stddef|stdint|stdlib|string|limits)\.h$/ {
		print $1 ":" $2 ": includes <" $3 ">"
	}' "$tmp/system"
	grep -E '^src/(machine|policy)[a-z_]*\.c:.*[^a-z_](os|log)_[a-z_]+\(' \
	    "$tmp/code"
} | expect_nothing 'the machine and the policy touch no clock, no log, no system'

# --- one door for each library

# one_door TITLE HEADER FILES...: only these files (a pattern) include it,
# and not more than $max of them
one_door()
{
	grep -E ":$2\$" "$tmp/system" >"$tmp/users"
	{
		grep -Ev "^($3):" "$tmp/users" | sed 's/:[^:]*$/: includes it/'
		cut -d: -f1 "$tmp/users" | sort -u | tail -n "+$(($4 + 1))" |
		    sed 's/$/: one more file than allowed/'
	} | expect_nothing "$1"
}

one_door 'jsmn has one door, json.c' '.*jsmn\.h' 'src/json\.c' 1
one_door 'libcurl has one door, http.c' 'curl/.*' '[a-z/_-]*/http\.c' 1
one_door 'libmicrohttpd has one door' 'microhttpd\.h' \
    'services/[a-z/_-]*\.c' 1
one_door 'inih is conf alone' 'ini\.h' 'src/conf[a-z_]*\.c' 9

# --- one file for each system

grep -Ev '^[^:]*_(linux|darwin)[a-z_]*\.[ch]:' "$tmp/code" >"$tmp/portable"
grep -E '^[^:]*:[0-9]*:[[:blank:]]*#[[:blank:]]*(el)?if' "$tmp/portable" |
    grep -E '__(APPLE|MACH|linux|gnu_linux|unix|FreeBSD|OpenBSD|NetBSD|GLIBC)|__linux|_WIN32|TARGET_OS' |
    expect_nothing 'no #if for a system outside *_linux.c and *_darwin.c'

grep -E '<(sys/(epoll|event|eventfd|inotify|prctl|signalfd|timerfd|sysctl|ucred|sysmacros|sendfile|vfs|pidfd|random)\.h|linux/.*|mach/.*|libproc\.h|bsd/.*|endian\.h|error\.h|malloc\.h|features\.h)>' \
    "$tmp/portable" |
    expect_nothing 'no header of one system outside *_linux.c and *_darwin.c'

# Linux (or libbsd) has these and macOS has not.
grep -E '[^a-z_](pipe2|accept4|closefrom|setproctitle|reallocarray|freezero|execvpe|execveat|getrandom|ppoll|signalfd|splice|tee|vmsplice|posix_fallocate|mempcpy|strchrnul|sigtimedwait|setresuid|setresgid|program_invocation_short_name)[[:blank:]]*\(|[^A-Z_](SOCK_CLOEXEC|SOCK_NONBLOCK|MSG_CMSG_CLOEXEC|MSG_NOSIGNAL|CLOCK_BOOTTIME|O_PATH|O_TMPFILE|F_DUPFD_QUERY|TEMP_FAILURE_RETRY)([^A-Z_]|$)' \
    "$tmp/portable" |
    expect_nothing 'nothing is used that macOS lacks'

# --- one writer per fact

# The line where the state is set, and the function it stands in.
grep -E '^src/[^:]*\.c:' "$tmp/code" | awk -v re="$STATE_RE" \
    -v writer="$STATE_WRITER" '
{
	match($0, /^[^:]*:[0-9]*:/)
	where = substr($0, 1, RLENGTH)
	text = substr($0, RLENGTH + 1)
}
text ~ /^[a-z_0-9]+\(/ { fn = text; sub(/\(.*/, "", fn) }
text ~ re {
	count++
	seen = seen where " in " fn "\n"
	if (fn != writer)
		wrong = 1
}
END {
	if (count != 1 || wrong)
		printf "expected once, in %s; found %d\n%s", writer, count, seen
}' | expect_nothing 'the state of a service is set in one line'

# --- how long, how wide, how safe

# shellcheck disable=SC2016 # awk's own
xargs awk '
FNR == 1 { open = 0 }
/^\{/ { open = FNR; name = last; sub(/\(.*/, "", name) }
/^[a-z_0-9]+\(/ { last = $0 }
/^\}[ \t]*$/ && open {
	if (FNR - open + 1 > max)
		printf "%s:%d: %s has %d lines\n", FILENAME, open, name,
		    FNR - open + 1
	open = 0
}' max="$FUNCTION_MAX" <"$tmp/files" |
    expect_nothing "no function is longer than $FUNCTION_MAX lines"

xargs awk '
FNR > max && FILENAME != told {
	print FILENAME " has more than " max " lines"
	told = FILENAME
}' max="$FILE_MAX" <"$tmp/files" |
    expect_nothing "no file is longer than $FILE_MAX lines"

# What Makefile.am makes libtree.a and svtree of. Blank lines and comments do
# not count; conf, json, os and client, which others share, do not either.
sed -e ':more' -e '/\\$/N' -e 's/\\\n//' -e 't more' "$srcdir/Makefile.am" |
    sed -En 's/^(supervisor|child|svtree)_(sources|SOURCES) \+?= *//p' |
    tr -s '[:blank:]' '\n' | grep '\.c$' | sort -u >"$tmp/supervisor"
awk -F: '
NR == FNR { ours[$1] = 1; next }
{ text = substr($0, length($1) + length($2) + 3) }
$1 in ours && text ~ /[^ \t]/ { n++ }
END { print n + 0 }' "$tmp/supervisor" "$tmp/code" >"$tmp/lines"
echo "# the supervisor: $(cat "$tmp/lines") lines of code in" \
    "$(wc -l <"$tmp/supervisor") files"
awk '$1 < 1000 || $1 > max { print $1 " lines of code" }' \
    max="$SUPERVISOR_MAX" "$tmp/lines" |
    expect_nothing "the supervisor has at most $SUPERVISOR_MAX lines of code"

while read -r file; do
	expand "$file" | awk -v file="$file" '
	length($0) > 80 && $0 !~ /[^ -~]/ {
		print file ":" FNR ": " length($0) " columns"
	}
	/[ \t]$/ { print file ":" FNR ": blanks at the end" }'
	head -n 1 "$file" | grep -q 'SPDX-License-Identifier: ISC' ||
	    echo "$file: no licence in the first line"
done <"$tmp/files" |
    expect_nothing 'lines end by column 80, files begin with the licence'

grep -E '[^a-z_A-Z](strcpy|strcat|stpcpy|sprintf|vsprintf|gets|strtok|system|popen|alloca|mktemp|tmpnam|atof|usleep|vfork)[[:blank:]]*\(' \
    "$tmp/code" |
    grep -Ev '^[^:]*_linux[a-z_]*\.c:.*usleep' |
    expect_nothing 'no strcpy, sprintf, system and their like, no vfork'

grep -E '[^a-z_](sleep|nanosleep)[[:blank:]]*\(' "$tmp/code" |
    grep -v '^services/[a-z_-]*/*llm-standin\|^tests/' |
    expect_nothing 'deadlines, never sleeps'

if grep -q -e -Wvla "$srcdir/configure.ac" "$srcdir/Makefile.am" \
    2>/dev/null; then
	expect_nothing 'the compiler is asked to refuse variable arrays' \
	    </dev/null
else
	echo 'neither configure.ac nor Makefile.am holds -Wvla' |
	    expect_nothing 'the compiler is asked to refuse variable arrays'
fi

# --- what was built

what='svtree is linked to no HTTP library'
if ! [ -f "$builddir/svtree" ]; then
	skip "$what" "$builddir/svtree is not built"
elif command -v ldd >/dev/null; then
	ldd "$builddir/svtree" | grep -Ei 'curl|microhttpd|ssl' |
	    expect_nothing "$what"
elif command -v otool >/dev/null; then
	otool -L "$builddir/svtree" | grep -Ei 'curl|microhttpd|ssl' |
	    expect_nothing "$what"
else
	skip "$what" 'neither ldd nor otool here'
fi

echo "1..$(($(wc -l <"$tmp/done")))"
! grep -q not "$tmp/done"
