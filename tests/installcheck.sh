#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# "make installcheck": a program is built against the installed library as
# liblastack.pc tells, linked with the shared one and with the static one, as
# far as they are installed, and run.
# Environment: PREFIX_LIBDIR and PREFIX_INCLUDEDIR, where they are to be;
# DESTDIR, SRCDIR, CC, CPPFLAGS, CFLAGS, LDFLAGS, PKG_CONFIG.

set -u

: "${PREFIX_LIBDIR:?}" "${PREFIX_INCLUDEDIR:?}"
DESTDIR=${DESTDIR:-}
libdir=$DESTDIR$PREFIX_LIBDIR
cc=${CC:-cc}

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

die()
{
	printf 'installcheck.sh: %s\n' "$*" >&2
	exit 1
}

# Our file and no other, with its paths taken from below DESTDIR, and none left
# out because the compiler would look there anyway.
ask()
{
	PKG_CONFIG_PATH='' PKG_CONFIG_LIBDIR=$libdir/pkgconfig \
		PKG_CONFIG_SYSROOT_DIR=$DESTDIR \
		PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 \
		PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 \
		"${PKG_CONFIG:-pkg-config}" "$@" liblastack
}

# What to link with, the archive in place of -llastack.
static_libs()
{
	for word in $(ask --static --libs); do
		[ "$word" != -llastack ] || word=$libdir/liblastack.a
		printf '%s ' "$word"
	done
}

# The example of liblastack(3), as one would type it in. What it finds on the
# port does not matter.
example()
{
	awk '/^\.Sh / { inside = /EXAMPLES/ }
		inside && /^\.Ed/ { exit }
		inside && printing
		inside && /^\.Bd -literal/ { printing = 1 }' \
		"${SRCDIR:-.}/man/liblastack.3" | sed 's/\\e/\\/g' \
		>"$tmp/example.c"
	# Words on purpose.
	# shellcheck disable=SC2086
	$cc -std=c11 -pedantic-errors ${CPPFLAGS:-} $cflags ${CFLAGS:-} \
		-o "$tmp/example" "$tmp/example.c" ${LDFLAGS:-} $1 ||
		die 'the example cannot be built'
	LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} \
		"$tmp/example" 127.0.0.1 1 >"$tmp/out" ||
		die 'the example failed'
	grep -q '^[a-z-]*, 127.0.0.1 closed by [a-z+]*$' "$tmp/out" ||
		die "the example said: $(cat "$tmp/out")"
	printf 'installcheck: example: %s\n' "$(cat "$tmp/out")"
}

# build_and_run NAME LIBS
build_and_run()
{
	# Words on purpose.
	# shellcheck disable=SC2086
	$cc -std=c11 -pedantic-errors ${CPPFLAGS:-} $cflags ${CFLAGS:-} \
		-o "$tmp/$1" "${SRCDIR:-.}/tests/consumer.c" \
		${LDFLAGS:-} $2 || die "$1: cannot be built"
	LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} \
		"$tmp/$1" "$version" || die "$1: failed"
	printf 'installcheck: %s: ok\n' "$1"
	built=$((built + 1))
}

[ -r "$DESTDIR$PREFIX_INCLUDEDIR/lastack.h" ] ||
	die "$DESTDIR$PREFIX_INCLUDEDIR/lastack.h: not installed"
for plugin in ${PLUGINS-}; do
	[ -L "$DESTDIR$PLUGINDIR/$plugin" ] ||
		die "$DESTDIR$PLUGINDIR/$plugin: not installed"
done
version=$(ask --modversion) || die "liblastack.pc: cannot be used"
cflags=$(ask --cflags) || die "liblastack.pc: no cflags"
libs=$(ask --libs) || die "liblastack.pc: no libs"

built=0
[ ! -e "$libdir/liblastack.so" ] || build_and_run shared "$libs"
[ ! -e "$libdir/liblastack.a" ] || build_and_run static "$(static_libs)"
[ "$built" -gt 0 ] || die "$libdir: neither a shared nor a static library"
if [ -e "$libdir/liblastack.so" ]; then
	example "$libs"
else
	example "$(static_libs)"
fi
