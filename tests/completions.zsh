# SPDX-License-Identifier: BSD-2-Clause
#
# What zsh itself would offer for a command line, one a line:
#
#	zsh -f completions.zsh DIRECTORY DUMP 'lastack --close='
#
# A shell on a terminal of its own completes it, with the functions of DIRECTORY
# before zsh's, and compadd, by which every match goes, tells of them. The file
# DUMP spares the next run the search for functions.

zmodload zsh/zpty || exit 1

setup=$(mktemp) hits=$(mktemp)

cat >$setup <<END
PROMPT= RPROMPT= HITS=${(q)hits}
fpath=(${(q)1} \$fpath)
autoload -Uz compinit
compinit -u -d ${(q)2}
END
cat >>$setup <<'END'
zstyle ':completion:*' menu no

compadd()
{
	local -a found

	# What only asks, or fills an array, adds nothing.
	if [[ " ${(pj: :)@[1,(i)(-|--)]} " != *' '-[a-zA-Z]#[OAD]' '* ]]; then
		builtin compadd -O found "$@"
		print -rl -- $found >>$HITS
	fi
	builtin compadd "$@"
}

complete-and-tell()
{
	zle complete-word
	print -r DONE
}

zle -N complete-and-tell
bindkey '^X' complete-and-tell
print -r READY
END

zpty shell 'TERM=dumb zsh -f -i'
zpty -w shell "source ${(q)setup}"
zpty -r -m shell seen '*READY*' || exit 1
zpty -n -w shell "$3"$'\C-x'
zpty -r -m shell seen '*DONE*' || exit 1
found=(${(fu)"$(<$hits)"})
zpty -d shell
rm -f $setup $hits
print -rl -- $found
