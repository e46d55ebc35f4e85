#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The examples of the manual are true: each command of its EXAMPLES is run as it
# stands there, against real servers in a network namespace of their own, and
# what it prints is what the page shows, but for times, sizes and bars.
# Environment: SRCDIR, BUILDDIR, LASTACK, CI.

set -u

manual=${SRCDIR:-.}/man/lastack.1
lastack=$(realpath "${LASTACK:-${BUILDDIR:-.}/lastack}") || exit 1
PATH=$PATH:/usr/sbin:/sbin
failures=0

# ---- where it can be run

skip()
{
	printf 'examples.sh: %s\n' "$*" >&2
	[ -z "${CI:-}" ] || exit 1
	exit 77
}

if [ "${1:-}" != --inside ]; then
	for tool in nginx redis-server sshd ssh-keygen msmtpd memcached jq ip \
		unshare; do
		command -v "$tool" >/dev/null || skip "$tool: not installed"
	done
	unshare -rnm true 2>/dev/null || skip "no namespaces"
	exec unshare -rnm --kill-child "$0" --inside
fi

tmp=$(mktemp -d) || exit 1
servers=
trap 'kill $servers 2>/dev/null; wait 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail()
{
	printf 'examples.sh: %s\n' "$*" >&2
	failures=$((failures + 1))
}

# ---- the servers, on the ports that the page names

# start PORT COMMAND...: and wait until it listens.
start()
{
	port=$1
	shift
	"$@" >"$tmp/log-$port" 2>&1 &
	servers="$servers $!"
	tries=0
	until "$lastack" -Q -z 127.0.0.1 "$port"; do
		tries=$((tries + 1))
		if [ "$tries" -gt 300 ]; then
			cat "$tmp/log-$port" >&2
			fail "$1: does not listen on $port"
			return
		fi
		sleep 0.1
	done
}

start_nginx()
{
	mkdir "$tmp/root"
	echo 'It works!' >"$tmp/root/index.html"
	cat >"$tmp/nginx.conf" <<END
daemon off; master_process off; user root; pid nginx.pid;
error_log stderr; events { }
http {
	access_log off;
	client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3;
	uwsgi_temp_path t4; scgi_temp_path t5;
	server { listen 127.0.0.1:8080; root $tmp/root; }
	server {
		listen 127.0.0.1:8081 proxy_protocol;
		location / { return 200 "\$proxy_protocol_addr\\n"; }
	}
}
END
	start 8080 nginx -p "$tmp/" -c nginx.conf
}

# It wants a directory that is root's, and a full path.
start_sshd()
{
	mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd || return
	ssh-keygen -q -t ed25519 -N '' -f "$tmp/key"
	start 2222 "$(command -v sshd)" -D -e -f /dev/null -p 2222 \
		-o ListenAddress=127.0.0.1 -o "HostKey=$tmp/key" \
		-o PidFile=none
}

# ---- the page

# Each example of the page: "command" or "cron" and its line, then what it
# prints, each line with a space in front.
examples()
{
	awk '
		/^\.S[hs] / { inside = $0 == ".Sh EXAMPLES" }
		!inside { next }
		/^\.Bd -literal/ { literal = 1; next }
		/^\.Ed/ { literal = 0; print "end" }
		!literal { next }
		{ gsub(/\\e/, "\\"); gsub(/\\&/, "") }
		/^\$ / { print "command " substr($0, 3); next }
		/^> / { print "more " substr($0, 3); next }
		/^\*/ { print "cron " $0; next }
		{ print " " $0 }' "$manual"
}

# Nothing that changes from run to run; the lines may break elsewhere then.
normal()
{
	tr -d '\r' | tr '\n' ' ' | sed -e 's/[#|]\{1,\}//g' \
		-e 's/[0-9][0-9.]* [um]\{0,1\}s\>/T/g' -e 's/[0-9][0-9.]*/N/g' \
		-e 's/  */ /g' -e 's/^ //; s/ $//'
}

# Runs what is in $command, and compares.
run()
{
	[ -n "$command" ] || return 0
	count=$((count + 1))
	printf '%s\n' "$command" >"$tmp/command"
	(cd "$tmp" && timeout 60 sh ./command) >"$tmp/out" 2>&1 </dev/null
	normal <"$tmp/out" >"$tmp/got"
	normal <"$tmp/want" >"$tmp/normal"
	if ! cmp -s "$tmp/got" "$tmp/normal"; then
		fail "\"$command\": prints"
		cat "$tmp/out" >&2
		printf 'examples.sh: and not\n' >&2
		cat "$tmp/want" >&2
	fi
	command=
}

check_examples()
{
	count=0
	command=
	: >"$tmp/want"
	examples >"$tmp/examples"
	while IFS= read -r line; do
		case $line in
		'command '*)
			run
			: >"$tmp/want"
			command=${line#command }
			;;
		'more '*)
			command="$command
${line#more }"
			;;
		'cron '*)
			: >"$tmp/want"
			command=$(echo "${line#cron }" |
				sed 's/^\([^ ]* \)\{5\}//')
			;;
		end) run ;;
		*) printf '%s\n' "${line# }" >>"$tmp/want" ;;
		esac
	done <"$tmp/examples"
	[ "$count" -ge 12 ] || fail "only $count examples were found"
}

LC_ALL=C
export LC_ALL PATH
unset NO_COLOR
COLUMNS=75 # as the page has room for
export COLUMNS

ip link set lo up || skip "no network of our own"
mkdir "$tmp/bin"
ln -s "$lastack" "$tmp/bin/lastack"
PATH=$tmp/bin:$PATH

start 6379 redis-server --port 6379 --bind 127.0.0.1 --save '' --dir "$tmp"
start 11211 memcached -u root -l 127.0.0.1 -p 11211 -U 0
start 2525 msmtpd --interface=127.0.0.1 --port=2525 '--command=cat >/dev/null'
start_nginx
start_sshd || fail "sshd: no directory for it"
check_examples
[ "$failures" -eq 0 ]
