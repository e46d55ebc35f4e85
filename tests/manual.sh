#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The manual tells of what is there, and of nothing else: options and exit
# statuses are those of --help, the members of the JSON report those of a run.
# Environment: SRCDIR, BUILDDIR, LASTACK.

set -u

manual=${SRCDIR:-.}/man/lastack.1
lastack=${LASTACK:-${BUILDDIR:-.}/lastack}
failures=0

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail()
{
	printf 'manual.sh: %s\n' "$*" >&2
	failures=$((failures + 1))
}

# only_in FILE OTHER WHAT: lines of FILE that OTHER has not.
only_in()
{
	awk 'FILENAME == ARGV[1] { other[$0] = 1; next } !($0 in other)' \
		"$2" "$1" >"$tmp/only" || fail "awk: failed"
	while read -r line; do
		fail "$3: $line"
	done <"$tmp/only"
}

# same FILE OTHER WHAT: both are to have the same lines, and some.
same()
{
	[ -s "$1" ] || fail "$3: nothing found in --help"
	only_in "$1" "$2" "$3 only in --help"
	only_in "$2" "$1" "$3 only in the manual"
}

# The lines of a section, .Sh or .Ss.
section()
{
	awk -v name="$1" '
		/^\.S[hs] / { inside = substr($0, 5) == name; next }
		inside' "$manual"
}

# ---- options: "-s --send string", "--close how"

options_of_help()
{
	awk '/^ +-/ {
		row = ""
		for (i = 1; i <= 2 && $i ~ /^-/; i++) {
			word = $i
			sub(/,$/, "", word)
			n = index(word, "=")
			if (n > 0)
				word = substr(word, 1, n - 1) " " \
				    tolower(substr(word, n + 1))
			row = row (i == 1 ? "" : " ") word
		}
		print row
	}' "$tmp/help"
}

options_of_manual()
{
	sed -n 's/^\.It \(Fl .*\)/\1/p' "$manual" |
		sed 's/ Ar [a-z]* ,//; s/ ,//; s/Fl Fl /--/; s/Fl /-/
			s/ Ns = Ns Ar / /'
}

# What the manual mentions anywhere, as "-s" and "--send", one a line.
mentioned()
{
	awk '/^\./ {
		for (i = 1; i < NF; i++) {
			if ($i != "Fl" && $i != ".Fl")
				continue
			if ($(i + 1) == "Fl")
				print "--" $(i += 2)
			else
				print "-" $(i + 1)
		}
	}' "$manual"
}

check_options()
{
	options_of_help >"$tmp/a"
	options_of_manual >"$tmp/b"
	same "$tmp/a" "$tmp/b" option

	tr -s ' ,=' '\n' <"$tmp/help" | grep '^-' >"$tmp/a"
	mentioned >"$tmp/b"
	[ -s "$tmp/b" ] || fail "no option is mentioned in the manual"
	only_in "$tmp/b" "$tmp/a" "option mentioned that is not in --help"
}

# ---- the same of the plugin, which is the command by another name

check_plugin()
{
	manual=${SRCDIR:-.}/man/check_lastack.1
	program=${LASTACK:-${BUILDDIR:-.}/.libs/lastack}
	[ -x "$program" ] || program=${BUILDDIR:-.}/lastack
	ln -s "$(realpath "$program")" "$tmp/check_lastack"
	LD_LIBRARY_PATH=$(realpath "${BUILDDIR:-.}/.libs"):${LD_LIBRARY_PATH-} \
		"$tmp/check_lastack" --help >"$tmp/help"
	[ $? -eq 3 ] || fail "check_lastack --help: not status 3"
	options_of_help >"$tmp/a"
	options_of_manual >"$tmp/b"
	same "$tmp/a" "$tmp/b" "option of the plugin"
	check_page
}

# ---- exit statuses: "4 refused"; of signals only "128+n"

statuses_of_help()
{
	sed -n '/^Exit status: /,/^More/p' "$tmp/help" |
		sed '/^More/d; s/^Exit status: //' | tr ',' '\n' |
		sed 's/^ *//; s/ *$//; s/ signal n$//; /^$/d'
}

statuses_of_manual()
{
	section "EXIT STATUS" |
		sed -n 's/^\.It \([0-9][^ ]*\) Ta \([^ ]*\) Ta .*/\1 \2/p' |
		sed 's/^128+n .*/128+n/'
}

check_statuses()
{
	statuses_of_help >"$tmp/a"
	statuses_of_manual >"$tmp/b"
	same "$tmp/a" "$tmp/b" "exit status"
}

# ---- JSON: "attempts[].address"; "kernel null" where it is null

# Prints the path of each member of the object on standard input.
json_paths()
{
	awk '
		function die(why) {
			print "not JSON at " p ": " why >"/dev/stderr"
			exit 1
		}
		function at() {
			if (p > length(s))
				die("its end")
			return substr(s, p, 1)
		}
		function string(  from) {
			if (at() != "\"")
				die("no string")
			for (from = ++p; at() != "\""; p++)
				if (at() == "\\")
					p++
			return substr(s, from, p++ - from)
		}
		function object(path,  name) {
			for (p++; at() != "}"; at() == "," && p++) {
				name = path (path == "" ? "" : ".") string()
				if (at() != ":")
					die("no colon")
				p++
				print name (substr(s, p, 4) == "null" ? \
				    " null" : "")
				value(name)
			}
			p++
		}
		function value(path) {
			if (at() == "{") {
				object(path)
			} else if (at() == "[") {
				for (p++; at() != "]"; at() == "," && p++)
					value(path "[]")
				p++
			} else if (at() == "\"") {
				string()
			} else {
				while (at() ~ /[-+.0-9a-z]/)
					p++
				if (at() !~ /[],}]/)
					die("no value")
			}
		}
		{ s = $0; p = 1; object("") }'
}

# A member of an object that is null in this run is not to be seen in it.
members_to_be_seen()
{
	awk '
		FILENAME == ARGV[1] { if ($2 == "null") null[$1] = 1; next }
		{
			parent = $0
			sub(/(\[\])?\.[^.]*$/, "", parent)
			if (parent == $0 || !(parent in null))
				print
		}' "$tmp/run" "$tmp/members"
}

check_json()
{
	"$lastack" -n -f json 127.0.0.1 1 >"$tmp/json"
	[ "$(wc -l <"$tmp/json")" -eq 1 ] || fail "JSON: not one line"
	json_paths <"$tmp/json" >"$tmp/run" || fail "JSON: cannot be read"
	[ -s "$tmp/run" ] || fail "JSON: no member found"

	section JSON | sed -n 's/^\.It Va //p' >"$tmp/members"
	cut -d ' ' -f 1 "$tmp/run" >"$tmp/a"
	members_to_be_seen >"$tmp/b"
	[ -s "$tmp/b" ] || fail "JSON: no member in the manual"
	only_in "$tmp/a" "$tmp/members" "JSON member not in the manual"
	only_in "$tmp/b" "$tmp/a" "JSON member only in the manual"
}

# ---- the page itself

check_page()
{
	command -v mandoc >/dev/null 2>&1 || return 0
	mandoc -Tlint -Wwarning "$manual" >"$tmp/lint" 2>&1
	while read -r line; do
		fail "$line"
	done <"$tmp/lint"
	mandoc -Tascii "$manual" 2>/dev/null |
		sed "s/.$(printf '\b')//g" >"$tmp/page"
	awk 'length($0) > 80 { found = 1 } END { exit found }' "$tmp/page" ||
		fail "the page is wider than 80 columns"
}

LC_ALL=C
export LC_ALL

[ -r "$manual" ] || fail "$manual: cannot be read"
"$lastack" --help >"$tmp/help" || fail "$lastack --help: failed"
check_options
check_statuses
check_json
check_page
check_plugin
[ "$failures" -eq 0 ]
