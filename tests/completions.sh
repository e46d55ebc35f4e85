#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The completions are those that "make completions" writes; each offers every
# option of --help and no other, with the words that the command takes; and the
# shells themselves, as far as they are installed, complete with them.
# Environment: SRCDIR, BUILDDIR, LASTACK.

set -u

source=${SRCDIR:-.}
lastack=${LASTACK:-${BUILDDIR:-.}/lastack}
completions=$source/completions
failures=0

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail()
{
	printf 'completions.sh: %s\n' "$*" >&2
	failures=$((failures + 1))
}

has()
{
	command -v "$1" >/dev/null 2>&1
}

# ---- the files

check_generated()
{
	sh "$completions/generate.sh" "$lastack" "$tmp/new" ||
		fail "completions/generate.sh: failed"
	for file in bash/lastack zsh/_lastack fish/lastack.fish; do
		cmp -s "$tmp/new/$file" "$completions/$file" && continue
		fail "completions/$file is not what --help says: run" \
			"\"make completions\" and commit what it changes there"
		diff "$completions/$file" "$tmp/new/$file" >&2
	done
}

# ---- what a shell offers, one a line, for a line of the command

# As readline does: words are parted at = and : as well.
in_bash()
{
	bash -c '
		source "$1" || exit
		line=${2//=/ = }
		line=${line//:/ : }
		read -ra COMP_WORDS <<<"$line"
		[[ $2 != *" " ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_lastack
		printf "%s\n" "${COMPREPLY[@]}"' \
		bash "$completions/bash/lastack" "$1"
}

# And where = and : do not part words.
in_bash_whole()
{
	bash -c '
		source "$1" || exit
		read -ra COMP_WORDS <<<"$2"
		[[ $2 != *" " ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_lastack
		printf "%s\n" "${COMPREPLY[@]}"' \
		bash "$completions/bash/lastack" "$1"
}

in_zsh()
{
	zsh -f "$source/tests/completions.zsh" "$completions/zsh" "$tmp/dump" "$1"
}

in_fish()
{
	# shellcheck disable=SC2016
	fish --no-config -c 'source $argv[1]; complete -C $argv[2]' \
		"$completions/fish/lastack.fish" "$1" | cut -f 1
}

# offers SHELL LINE WORD...: all of these, in any order, and nothing else.
offers()
{
	shell=$1 line=$2
	shift 2
	"in_$shell" "$line" 2>"$tmp/errors" | sort -u | grep . >"$tmp/got"
	for word; do
		echo "$word"
	done | sort -u >"$tmp/want"
	cmp -s "$tmp/got" "$tmp/want" && [ ! -s "$tmp/errors" ] && return
	fail "$shell: \"$line\": offers $(paste -s -d ' ' "$tmp/got")," \
		"not $*; $(cat "$tmp/errors")"
}

# offers_among SHELL LINE WORD: this one, and maybe others.
offers_among()
{
	"in_$1" "$2" 2>"$tmp/errors" >"$tmp/got"
	grep -qxF -e "$3" "$tmp/got" ||
		fail "$1: \"$2\": does not offer $3; $(cat "$tmp/errors")"
}

# ---- options, and the words that the command takes

names_of_help()
{
	tr -s ' ,=[' '\n' <"$tmp/help" | grep '^-.'
}

# Of an option with such a value: the words that its complaint names.
words_of_command()
{
	"$lastack" "$1=?" 2>&1 | sed -n "s/.*'?': not \([a-z, ]* or [a-z]*\)\..*/\1/p" |
		tr ',' ' ' | sed 's/ or / /'
}

# What a shell offers of options without their sign of a value.
options_in()
{
	for start in - --; do
		"in_$1" "lastack $start"
	done | sed 's/=$//' | sort -u
}

check_options()
{
	names_of_help | sort -u >"$tmp/names"
	options_in "$1" >"$tmp/offered"
	cmp -s "$tmp/names" "$tmp/offered" && return
	diff "$tmp/names" "$tmp/offered" >&2
	fail "$1: the options are not those of --help"
}

check_words()
{
	found=0
	grep '^--' "$tmp/names" >"$tmp/long"
	while read -r name; do
		words=$(words_of_command "$name")
		[ -n "$words" ] || continue
		found=$((found + 1))
		# Fish offers the whole of what is typed.
		[ "$1" != fish ] || words=$(echo "$words" |
			sed "s/[a-z]/$name=&/; s/ \([a-z]\)/ $name=\1/g")
		# Words on purpose.
		# shellcheck disable=SC2086
		offers "$1" "lastack $name=" $words
	done <"$tmp/long"
	[ "$found" -ge 5 ] || fail "only $found options were found to take words"
}

# Names that no complaint lists are to be taken, each of them.
check_names()
{
	"in_$1" "lastack --tos=" | sed 's/^--tos=//' >"$tmp/got"
	grep -qx AF21 "$tmp/got" || fail "$1: --tos: AF21 is not offered"
	while read -r name; do
		"$lastack" "--tos=$name" 2>&1 | grep -q -e --tos &&
			fail "$1: --tos: $name is offered and not taken"
	done <"$tmp/got"
	offers_among "$1" "lastack --interface l" lo
}

# ---- a command line as it grows

check_lines()
{
	offers "$1" "lastack --expect-c" --expect-close"$2"
	offers "$1" "lastack --close " auto fin rst
	offers "$1" "lastack --close f" fin
	offers "$1" "lastack -f j" json
	offers "$1" "lastack -vf j" json
	offers "$1" "lastack -4 --fastopen --expect-close r" rst
	offers_among "$1" "lastack localhost ss" ssh
	offers_among "$1" "lastack -f json localhost ss" ssh
	offers_among "$1" "lastack -F localhost ss" ssh
	offers_among "$1" "lastack --fastopen localhost ss" ssh
	offers_among "$1" "lastack -s text localhost ss" ssh
	offers_among "$1" "lastack -H localhost ss" ssh
	offers_among "$1" "lastack --hostname=localhost ss" ssh
	offers_among "$1" "lastack -p ss" ssh
	offers_among "$1" "lastack --port ss" ssh
	offers "$1" "lastack -s "
	offers "$1" "lastack localhost ssh any"
}

check_files()
{
	: >"$tmp/file-one"
	offers_among "$1" "lastack -o $tmp/file-" "$2"
	offers_among "$1" "lastack --output $tmp/file-" "$2"
	offers_among "$1" "lastack -vo $tmp/file-" "$2"
}

# What it offers is relative to, or the whole of, what is typed.
check_unix()
{
	offers_among "$1" "lastack unix:$tmp/file-" "$2"
}

check_bash()
{
	bash -n "$completions/bash/lastack" || fail "bash -n: failed"
	check_options bash
	check_words bash
	check_names bash
	check_lines bash =
	check_files bash "$tmp/file-one"
	check_unix bash "$tmp/file-one"
	offers bash "lastack --output=$tmp/file-" "$tmp/file-one"
	offers bash "lastack --fastopen=r" require
	offers bash "lastack --fastop" --fastopen --fastopen=
	offers_among bash "lastack localhost:ss" ssh
	offers_among bash "lastack -4 localho" localhost
	offers bash_whole "lastack --close=f" --close=fin
	offers bash_whole "lastack --output=$tmp/file-" \
		"--output=$tmp/file-one"
	offers_among bash_whole "lastack localhost:ss" localhost:ssh
	offers bash "lastack -- --clo"
}

check_zsh()
{
	zsh -n "$completions/zsh/_lastack" || fail "zsh -n: failed"
	check_options zsh
	check_words zsh
	check_names zsh
	check_lines zsh ''
	check_files zsh file-one
	check_unix zsh file-one
	offers_among zsh "lastack localhost:ss" ssh
	offers_among zsh "lastack -4 localho" localhost
}

check_fish()
{
	fish --no-config -n "$completions/fish/lastack.fish" ||
		fail "fish -n: failed"
	check_options fish
	check_words fish
	check_names fish
	check_lines fish ''
	check_files fish "$tmp/file-one"
	check_unix fish "unix:$tmp/file-one"
	offers fish "lastack --fastopen=r" --fastopen=require
}

LC_ALL=C
export LC_ALL

"$lastack" --help >"$tmp/help" || fail "$lastack --help: failed"
check_generated
for shell in bash zsh fish; do
	if has "$shell"; then
		"check_$shell"
	fi
done
[ "$failures" -eq 0 ]
