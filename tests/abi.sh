#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The build itself: the public header stands alone, and the library shows what
# the header promises and nothing else. CC, CXX, NM, srcdir and builddir come
# from the environment.

set -u
LC_ALL=C
export LC_ALL

CC=${CC:-cc}
CXX=${CXX:-c++}
NM=${NM:-nm}
srcdir=${srcdir:-.}
builddir=${builddir:-.}
header=$srcdir/src/lib/lastack.h
map=$srcdir/src/lib/liblastack.map
archive=$builddir/.libs/liblastack.a
shared=$builddir/.libs/liblastack.so
strict="-pedantic -pedantic-errors -Wall -Wextra -Wundef -Werror"

status=0
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
trap 'exit 99' HUP INT TERM

fail()
{
	echo "FAIL: $1" >&2
	[ -z "${2-}" ] || sed 's/^/	/' "$2" >&2
	status=1
}

# Two sorted lists of names are to be the same.
same()
{
	if ! cmp -s "$2" "$3"; then
		diff "$2" "$3" >"$tmp/diff"
		fail "$1" "$tmp/diff"
	fi
}

# Alone: neither config.h nor another header, nor a feature macro, before it.
# Twice: the guard. And the name of the file that includes it is all it knows.
cat >"$tmp/alone.c" <<'END'
#include "lastack.h"
#include "lastack.h"
int main(void);
int main(void)
{
	struct lastack_result result = { 0 };
	struct lastack_request *request = lastack_request_new();
	lastack_request_free(request);
	return result.size == 0 ? 0 : LASTACK_KEEP_DEFAULT_BYTES;
}
END
for standard in c99 c11; do
	# shellcheck disable=SC2086
	$CC -std=$standard $strict -Wstrict-prototypes -Wmissing-prototypes \
	    -I"$srcdir/src/lib" -c "$tmp/alone.c" -o "$tmp/alone.o" \
	    >"$tmp/log" 2>&1 ||
		fail "the header does not compile as strict $standard" \
		    "$tmp/log"
done

sed 's/{ 0 }/lastack_result()/' "$tmp/alone.c" | sed '3d' >"$tmp/alone.cc"
if $CXX --version >/dev/null 2>&1; then
	for standard in c++11 c++17; do
		# shellcheck disable=SC2086
		$CXX -std=$standard $strict -I"$srcdir/src/lib" \
		    -c "$tmp/alone.cc" -o "$tmp/alone.o" >"$tmp/log" 2>&1 ||
			fail "the header does not compile as $standard" \
			    "$tmp/log"
	done
	# With C linkage, or a C++ program could not be linked.
	$NM "$tmp/alone.o" | grep -q ' U lastack_request_new$' ||
		fail "the header does not declare C linkage"
else
	echo "no C++ compiler: not tried" >&2
fi

# The functions of the header, the map and the two libraries.
tr '\n' ' ' <"$header" | grep -o 'LASTACK_API [^;]*;' |
	sed -n 's/.*[ *]\(lastack_[a-z0-9_]*\)(.*/\1/p' |
	sort >"$tmp/declared"
[ "$(wc -l <"$tmp/declared")" -ge 40 ] ||
	fail "only so many functions are found in the header" "$tmp/declared"
uniq -d "$tmp/declared" >"$tmp/twice"
[ ! -s "$tmp/twice" ] || fail "declared twice" "$tmp/twice"

sed -n 's/^[ 	]*\(lastack_[a-z0-9_]*\);$/\1/p' "$map" |
	sort >"$tmp/mapped"
same "the header and the map differ" "$tmp/declared" "$tmp/mapped"

defined()
{
	$NM -g "$@" | sed -n 's/^[0-9a-f]* [A-TV-Z] //p' |
		sed 's/@.*//' | sort -u
}

if [ -f "$shared" ]; then
	defined -D "$shared" | grep -v '^LASTACK_[0-9.]*$' >"$tmp/exported"
	same "the header and the shared library differ" "$tmp/declared" \
	    "$tmp/exported"
else
	echo "no shared library: not tried" >&2
fi

if [ -f "$archive" ]; then
	defined "$archive" >"$tmp/archived"
	grep -v '^lastack_' "$tmp/archived" >"$tmp/leaked"
	[ ! -s "$tmp/leaked" ] ||
		fail "the archive leaks names" "$tmp/leaked"
	grep -v '^lastack__' "$tmp/archived" >"$tmp/public"
	same "the header and the archive differ" "$tmp/declared" \
	    "$tmp/public"
	# Global state: data that can be written to once it is relocated.
	$NM -f sysv "$archive" |
		awk -F'|' '$7 ~ /^(\.t?data|\.t?bss|\*COM\*)/ &&
		    $7 !~ /^\.data\.rel\.ro/ { print $1 }' >"$tmp/writable"
	[ ! -s "$tmp/writable" ] ||
		fail "the library keeps global state" "$tmp/writable"
else
	echo "no static library: not tried" >&2
fi

# It never prints, exits or touches signals.
if [ -f "$archive" ]; then
	$NM -u "$archive" 2>/dev/null | sed -n 's/^ *U //p' | sed 's/@.*//' |
		sort -u >"$tmp/wanted"
	for name in printf puts putchar perror fprintf fputs fwrite stdout \
	    stderr syslog exit _exit abort __assert_fail sigaction signal \
	    alarm setlocale setenv getenv; do
		grep -qx "$name" "$tmp/wanted" &&
			fail "the library calls $name()"
	done
	[ -s "$tmp/wanted" ] || fail "nm tells no undefined names"
fi

[ -f "$shared" ] || [ -f "$archive" ] || fail "no library in $builddir"
exit $status
