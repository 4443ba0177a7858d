#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The programs as they were built, or those of SVTREE_BIN_DIR, seen by
# readelf: what configure's hardening promises is in each of them. Prints TAP.
# The names of the programs come from Makefile.am.

srcdir=${srcdir:-.}
builddir=${SVTREE_BIN_DIR:-${builddir:-build}}

if ! command -v readelf >/dev/null; then
	echo '1..0 # SKIP readelf is missing (Debian: binutils)'
	exit 0
fi
if [ -f "$builddir/config.status" ] &&
    ! grep -q '"HARD_CPPFLAGS"\]="-U' "$builddir/config.status"; then
	echo '1..0 # SKIP configured with --disable-hardening'
	exit 0
fi

# The value of each variable *_PROGRAMS that is installed.
programs=$(sed -n '/^\(bin\|more\|prog\)_PROGRAMS *+*=/s/.*=//p' \
    "$srcdir/Makefile.am")

# fault PROGRAM: prints what it lacks, one line each
fault()
{
	elf=$(readelf -hdlW "$1" 2>/dev/null) || { echo 'no ELF'; return; }
	echo "$elf" | grep -q 'Type:.*DYN' || echo 'no PIE'
	echo "$elf" | grep -q GNU_RELRO || echo 'no RELRO'
	echo "$elf" | grep -q 'FLAGS.*NOW' || echo 'RELRO is not full: no NOW'
	echo "$elf" | grep 'GNU_STACK' | grep -q 'RW ' ||
	    echo 'a stack that may be executed'
	echo "$elf" | grep ' LOAD ' | grep -q 'RWE' &&
	    echo 'a segment for writing and executing'
	echo "$elf" | grep -Eq 'RPATH|RUNPATH|TEXTREL' &&
	    echo 'a path of libraries, or text with relocations'
	names=$(readelf --dyn-syms -W "$1")
	# setsid has no array on its stack.
	[ "${1##*/}" = setsid ] || echo "$names" | grep -q __stack_chk_fail ||
	    echo 'no stack protector'
	echo "$names" | grep -Eq '__[a-z]*printf_chk' || echo 'no FORTIFY'
}

number=0
failed=0
for program in $programs; do
	number=$((number + 1))
	faults=$(fault "$builddir/$program")
	if [ -z "$faults" ]; then
		echo "ok $number - $program is hardened"
	else
		echo "$faults" | sed 's/^/# /'
		echo "not ok $number - $program is hardened"
		failed=1
	fi
done
echo "1..$number"
[ "$number" -gt 0 ] || failed=1
exit "$failed"
