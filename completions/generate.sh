#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Writes the completions for bash, zsh and fish: "make completions". All that
# they know of options is the command's own word: --help lists them, and where a
# value is one of a few words, the complaint about another one does.
#
#	sh completions/generate.sh LASTACK DIRECTORY

set -u

lastack=${1:?} directory=${2:?}
LC_ALL=C
export LC_ALL

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

die()
{
	printf 'generate.sh: %s\n' "$*" >&2
	exit 1
}

# ---- what there is

# Of each option: letter or -, name, value or -, "?" where a long name may go
# without its value or -, and the line of help, with tabs between them.
options()
{
	awk '/^ +-/ {
		letter = value = may = "-"
		if ($1 ~ /^-[^-],$/) {
			letter = substr($1, 2, 1)
			sub(/^ +[^ ]+/, "")
		}
		name = substr($1, 3)
		sub(/^ +[^ ]+ +/, "")
		if ((n = index(name, "=")) > 0) {
			value = substr(name, n + 1)
			name = substr(name, 1, n - 1)
			if (sub(/\[$/, "", name)) {
				sub(/\]$/, "", value)
				may = "?"
			}
		}
		printf "%s\t%s\t%s\t%s\t%s\n", letter, name, value, may, $0
	}' "$tmp/help"
}

# The words of "not auto, fin or rst"; nothing where it says something else.
words_of()
{
	"$lastack" "--$1=?" 2>&1 |
		sed -n "s/^lastack: --$1: '?': not \(.*\)\. Try .*/\1/p" |
		grep -E '^([a-z0-9]+, )*[a-z0-9]+ or [a-z0-9]+$' |
		sed 's/, / /g; s/ or / /'
}

# What the value of an option is: its words, or by what --help calls it.
kind_of()
{
	case $1=$2 in
	*=-) echo - ;;
	*=HOST) echo @host ;;
	*=PORT) echo @port ;;
	*=FILE) echo @file ;;
	*=IFACE) echo @interface ;;
	tos=*)
		printf %s 'EF AF11 AF12 AF13 AF21 AF22 AF23 AF31 AF32 AF33 '
		echo 'AF41 AF42 AF43 CS0 CS1 CS2 CS3 CS4 CS5 CS6 CS7'
		;;
	*) words_of "$1" | grep . || echo @text ;;
	esac
}

table()
{
	options | while IFS='	' read -r letter name value may help; do
		printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$letter" "$name" "$may" \
			"$value" "$(kind_of "$name" "$value")" "$help"
	done
}

# each PROGRAM: an awk program on every row, with its columns by name.
each()
{
	awk -F '\t' -v q="'" '{
		letter = $1; name = $2; may = $3; value = $4
		kind = $5; help = $6
	} '"$1" "$tmp/table"
}

# ---- bash

bash_options()
{
	each '
		letter != "-" { print "-" letter }
		kind == "-" || may == "?" { print "--" name }
		kind != "-" { print "--" name "=" }' |
		paste -s -d ' ' | fold -s -w 60 |
		sed "s/ *\$//; s/^/		/; 1s/	*/	local options='/; \$s/\$/'/"
}

bash_completion()
{
	cat <<'END'
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# bash completion for lastack(1). Written by "make completions": do not edit.

_lastack_words()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_lastack_ports()
{
	local name protocol names=

	while read -r name protocol _; do
		[[ $protocol != */tcp ]] || names+=" $name"
	done 2>/dev/null </etc/services
	_lastack_words "$names" "$1"
}

# _lastack_value KIND TYPED
_lastack_value()
{
	local interfaces=(/sys/class/net/*)

	case $1 in
	@host) mapfile -t COMPREPLY < <(compgen -A hostname -- "$2") ;;
	@port) _lastack_ports "$2" ;;
	@file)
		mapfile -t COMPREPLY < <(compgen -f -- "$2")
		compopt -o filenames 2>/dev/null
		;;
	@interface) _lastack_words "${interfaces[*]##*/}" "$2" ;;
	@*) ;;
	*) _lastack_words "$1" "$2" ;;
	esac
}

# Of the words before the last one. $operands: how many are of the target;
# $option: whose value the last one is; $ended: there was a --.
_lastack_scan()
{
	local word letters

	for word; do
		if [[ -n $option ]]; then
			option=
		elif [[ -n $ended || $word != -?* ]]; then
			operands=$((operands + 1))
		elif [[ $word == -- ]]; then
			ended=1
		elif [[ $word == --* ]]; then
			option=${word%%=*}
			[[ $option == --hostname || $option == --port ]] &&
				operands=$((operands + 1))
			[[ $word != *=* && $option != "$optional" &&
				-n ${values[$option]:-} ]] || option=
		else
			letters=${word#-}
			while [[ -n $letters && -z $option ]]; do
				option=-${letters:0:1}
				letters=${letters:1}
				[[ -n ${values[$option]:-} ]] || option=
			done
			[[ $option == -[Hp] ]] && operands=$((operands + 1))
			[[ -z $letters ]] || option=
		fi
	done
}

_lastack()
{
END
	each '
		BEGIN { print "\tlocal -A values=(" }
		kind == "-" { next }
		letter != "-" && may == "-" {
			printf "\t\t[-%s]=%s%s%s\n", letter, q, kind, q
		}
		{ printf "\t\t[--%s]=%s%s%s\n", name, q, kind, q }
		END { print "\t)" }'
	bash_options
	each 'may == "?" { print "\tlocal optional=--" name }'
	cat <<'END'
	local words=() option='' ended='' operands=0 glue='' word typed kept i

	# Readline may part words at = and : and then wants the last part only.
	for ((i = 1; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ ${#words[@]} -gt 0 && ($word == [:=]* || -n $glue) ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
		[[ $word == *[:=] ]] && glue=1 || glue=
	done
	word=${words[-1]}
	kept=${COMP_WORDS[COMP_CWORD]}
	[[ $kept != [:=] ]] || kept=
	kept=${word%"$kept"}
	_lastack_scan "${words[@]:0:${#words[@]}-1}"

	COMPREPLY=()
	typed=$word
	if [[ -n $option ]]; then
		_lastack_value "${values[$option]}" "$typed"
	elif [[ -z $ended && $word == --*=* ]]; then
		typed=${word#*=}
		_lastack_value "${values[${word%%=*}]:-@none}" "$typed"
	elif [[ -z $ended && $word == -* ]]; then
		_lastack_words "$options" "$typed"
		[[ ${COMPREPLY[*]} != *= ]] || compopt -o nospace 2>/dev/null
	elif [[ $operands -eq 0 && $word == unix:* ]]; then
		typed=${word#unix:}
		_lastack_value @file "$typed"
	elif [[ $operands -eq 0 && $word == *:* ]]; then
		typed=${word##*:}
		_lastack_ports "$typed"
	elif [[ $operands -eq 0 ]]; then
		_lastack_value @host "$typed"
	elif [[ $operands -eq 1 ]]; then
		_lastack_ports "$typed"
	fi

	# What stands before the value is to be told where readline lost it.
	word=${word%"$typed"}
	word=${word#"$kept"}
	[[ -z $word ]] || COMPREPLY=("${COMPREPLY[@]/#/$word}")
}

complete -F _lastack lastack
END
}

# ---- zsh

# Every option may be given again: the last one counts, or they add up.
zsh_options()
{
	each '
		function put(option, action) {
			printf "\t%s*%s[%s]%s%s \\\n", q, option, text, action, q
		}
		{
			text = help
			gsub(/\\/, "\\\\&", text)
			gsub(/\[/, "\\[", text)
			gsub(/\]/, "\\]", text)
			gsub(q, q "\\\\" q q, text)
			message = tolower(value)
			gsub(/:/, "\\:", message)
			action = message ":(" kind ")"
		}
		kind == "@host" { action = message ":_hosts" }
		kind == "@port" { action = message ":_ports" }
		kind == "@file" { action = message ":_files" }
		kind == "@interface" { action = message ":_net_interfaces" }
		kind == "@text" { action = message ": " }
		kind == "-" || may == "?" {
			if (letter != "-")
				put("-" letter)
		}
		kind == "-" { put("--" name) }
		may == "?" { put("--" name "=-", "::" action) }
		kind != "-" && may == "-" {
			if (letter != "-")
				put("-" letter "+", ":" action)
			put("--" name "=", ":" action)
		}'
}

zsh_completion()
{
	cat <<'END'
#compdef lastack
# SPDX-License-Identifier: BSD-2-Clause
# zsh completion for lastack(1). Written by "make completions": do not edit.

# The host, host:port or unix:path; or the port, where an option has told the host.
_lastack_target()
{
	if compset -P 'unix:'; then
		_files
	elif ((words[(I)(-H*|--hostname*)])) || compset -P '*:'; then
		_ports
	else
		_hosts
	fi
}

_arguments -s -S \
END
	zsh_options
	cat <<'END'
	'1:host:_lastack_target' \
	'2:port:_ports'
END
}

# ---- fish

fish_options()
{
	each '
		{
			text = help
			gsub(/\\/, "\\\\&", text)
			gsub(q, "\\\\" q, text)
			action = kind
			printf "complete -c lastack"
		}
		kind == "@host" { action = "(__fish_print_hostnames)" }
		kind == "@port" { action = "(__fish_lastack_ports)" }
		kind == "@interface" { action = "(__fish_print_interfaces)" }
		letter != "-" && may == "-" { printf " -s %s", letter }
		{ printf " -l %s", name }
		kind == "@file" { printf " -r -F" }
		kind !~ /^(-|@file)$/ && may == "-" { printf " -x" }
		kind !~ /^(-|@file|@text)$/ { printf " -a %s%s%s", q, action, q }
		{ printf " -d %s%s%s\n", q, text, q }
		letter != "-" && may == "?" {
			printf "complete -c lastack -s %s -d %s%s%s\n", \
				letter, q, text, q
		}'
}

# The options whose value may be the next word.
# shellcheck disable=SC2016 # the dollars are fish's
fish_awaiting()
{
	each '
		kind != "-" && may == "-" {
			names = names " --" name
			if (letter != "-")
				letters = letters letter
		}
		END {
			print "\t\tif contains -- $word" names
			print "\t\t\tset awaits 1"
			print "\t\telse if string match -qr -- " q "^-[^-]*[" \
				letters "]$" q " $word"
			print "\t\t\tset awaits 1"
		}'
}

fish_completion()
{
	cat <<'END'
# SPDX-License-Identifier: BSD-2-Clause
# fish completion for lastack(1). Written by "make completions": do not edit.

function __fish_lastack_ports
	string match -rg '^(\S+)\s+\d+/tcp' </etc/services
end

# How many parts of the target stand before the word that is typed.
function __fish_lastack_operands
	set -l count 0
	set -l awaits 0
	for word in (commandline -opc)[2..-1]
		if test $awaits = 1
			set awaits 0
			continue
		end
		if string match -qr -- '^(-H|-p|--hostname|--port)' $word
			set count (math $count + 1)
		end
END
	fish_awaiting
	cat <<'END'
		else if not string match -q -- '-*' $word
			set count (math $count + 1)
		end
	end
	echo $count
end

function __fish_lastack_targets
	set -l typed (commandline -ct)
	if string match -q 'unix:*' -- $typed
		printf 'unix:%s\n' (__fish_complete_path (string sub -s 6 -- $typed))
	else
		__fish_print_hostnames
	end
end

complete -c lastack -f
complete -c lastack -n 'test (__fish_lastack_operands) = 0' -a '(__fish_lastack_targets)'
complete -c lastack -n 'test (__fish_lastack_operands) = 1' -a '(__fish_lastack_ports)'
END
	fish_options
}

# ---- all three

"$lastack" --help >"$tmp/help" || die "$lastack --help: failed"
table >"$tmp/table"
[ -s "$tmp/table" ] || die "$lastack --help: no options found"

mkdir -p "$directory/bash" "$directory/zsh" "$directory/fish" || exit 1
bash_completion >"$tmp/bash" && mv "$tmp/bash" "$directory/bash/lastack" &&
	zsh_completion >"$tmp/zsh" && mv "$tmp/zsh" "$directory/zsh/_lastack" &&
	fish_completion >"$tmp/fish" &&
	mv "$tmp/fish" "$directory/fish/lastack.fish"
