#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The library's manual tells of all that the header and the symbol map have, and
# of nothing else. (That its example builds and runs, installcheck.sh shows.)

set -u
LC_ALL=C
export LC_ALL

srcdir=${SRCDIR:-.}
manual=$srcdir/man/liblastack.3
header=$srcdir/src/lib/lastack.h
map=$srcdir/src/lib/liblastack.map
status=0

tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
trap 'exit 99' HUP INT TERM

fail()
{
	printf 'library.sh: %s\n' "$*" >&2
	status=1
}

# told WHAT PATTERN: each name on standard input is a word of such a line.
told()
{
	[ -s "$tmp/names" ] || fail "no $1 found in the sources"
	while read -r name; do
		grep -E "$2" "$manual" | grep -qw -e "$name" ||
			fail "$1 $name is not in the manual"
	done <"$tmp/names"
}

# Twice: how it is called, and what it does.
sed -n 's/^[[:space:]]*\(lastack_[a-z_]*\);$/\1/p' "$map" | sort >"$tmp/map"
cp "$tmp/map" "$tmp/names"
told function '^\.F[no] '
told function '^(\.It )?(\.?Fn |Fn )|^Fn '
sed -n 's/^\.F[no] "*\(lastack_[a-z_]*\).*/\1/p' "$manual" |
	sort -u >"$tmp/manual"
comm -13 "$tmp/map" "$tmp/manual" >"$tmp/extra"
while read -r name; do
	fail "function $name is not in the library"
done <"$tmp/extra"

# Members of the structs that a caller reads.
awk '/^struct lastack_[a-z]* \{/ { inside = 1; next }
	/^}/ { inside = 0 }
	inside && /^\t(    )?[a-z_].*;/ { sub(/;.*/, ""); print }' "$header" |
	tr ',' '\n' | sed 's/.*[ *]\([a-z_]*\)$/\1/' |
	sort -u >"$tmp/names"
told member '^(\.It )?\.?Va '

sed -n -e 's/^[[:space:]]*\(LASTACK_[A-Z0-9_]*\)[ ,].*/\1/p' \
	-e 's/^#define \(LASTACK_[A-Z_]*\) .*/\1/p' "$header" |
	grep -v '^LASTACK_API$' | sort -u >"$tmp/names"
told constant '(^|\.It )\.?Dv '

exit "$status"
