#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What it costs the receiver to take 1 GiB from a local nginx, side by side:
# processor time (user and system), memory at its peak, and time. A benchmark,
# not a test: of how long anything takes it asserts nothing.
#
#	tests/bench_drain.sh [RUNS]
#
# RUNS: of each command, one after another in turn (5); the median is shown.
# Environment: BUILDDIR, where lastack was built (the present directory); CC.

set -u

bytes=1073741824
limit=120 # seconds for one run
runs=${1:-5}
builddir=${BUILDDIR:-.}
port=${BENCH_PORT:-8080}

die()
{
	printf 'bench_drain.sh: %s\n' "$*" >&2
	exit 1
}

case $runs in
'' | *[!0-9]* | 0*) die "$runs: not a number of runs" ;;
esac

# In a network of our own no port is taken, and nobody else is disturbed.
if [ "${BENCH_INSIDE:-}" = '' ]; then
	BENCH_INSIDE=yes
	export BENCH_INSIDE
	if unshare -rn ip link set lo up 2>/dev/null; then
		exec unshare -rn sh "$0" "$runs"
	fi
	BENCH_PORT=$((20000 + $$ % 10000))
	export BENCH_PORT
	exec sh "$0" "$runs"
fi
ip link set lo up 2>/dev/null

PATH=$PATH:/usr/sbin:/sbin
tmp=$(mktemp -d) || exit 1
nginx=
clean_up()
{
	[ -z "$nginx" ] || kill "$nginx" 2>/dev/null
	rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for program in nginx curl "${CC:-cc}"; do
	command -v "${program%% *}" >/dev/null || die "$program: not installed"
done
if [ -x "$builddir/.libs/lastack" ]; then
	lastack=$builddir/.libs/lastack
	LD_LIBRARY_PATH=$builddir/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
	export LD_LIBRARY_PATH
elif [ -x "$builddir/lastack" ]; then
	lastack=$builddir/lastack
else
	die "$builddir: no lastack there; set BUILDDIR"
fi

# The shell's own times have hundredths of a second, and tell of no memory.
# Prints: processor time in ms, peak in KiB, time in ms.
cat >"$tmp/measure.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
ms(struct timeval span)
{
	return span.tv_sec * 1e3 + span.tv_usec / 1e3;
}

int
main(int argc, char **argv)
{
	struct timespec begin, end;
	struct rusage usage;
	int status = 0;
	FILE *out;

	if (argc < 4 || (out = fopen(argv[1], "a")) == NULL)
		return 125;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (fork() == 0) {
		alarm((unsigned int)atoi(argv[2]));
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	if (wait(&status) == -1 || status != 0)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &end);
	getrusage(RUSAGE_CHILDREN, &usage);
	fprintf(out, "%.3f %ld %.3f\n",
	    ms(usage.ru_utime) + ms(usage.ru_stime), usage.ru_maxrss,
	    (end.tv_sec - begin.tv_sec) * 1e3 +
		(end.tv_nsec - begin.tv_nsec) / 1e6);
	return 0;
}
END
# CC may be a command with arguments.
# shellcheck disable=SC2086
${CC:-cc} -O1 -o "$tmp/measure" "$tmp/measure.c" ||
	die "${CC:-cc}: cannot compile"

dd if=/dev/null of="$tmp/big" bs=1 seek=$bytes 2>/dev/null ||
	die "$tmp/big: cannot write"
cat >"$tmp/nginx.conf" <<END
daemon off;
master_process off;
user root;
pid $tmp/pid;
error_log stderr;
events {
}
http {
	access_log off;
	sendfile on;
	client_body_temp_path $tmp/body;
	proxy_temp_path $tmp/proxy;
	fastcgi_temp_path $tmp/fastcgi;
	uwsgi_temp_path $tmp/uwsgi;
	scgi_temp_path $tmp/scgi;
	server {
		listen 127.0.0.1:$port;
		root $tmp;
	}
}
END
nginx -p "$tmp" -c "$tmp/nginx.conf" >"$tmp/log" 2>&1 &
nginx=$!

wait_for_nginx()
{
	left=100
	until "$lastack" -z -Q 127.0.0.1 "$port"; do
		left=$((left - 1))
		[ $left -gt 0 ] && kill -0 "$nginx" 2>/dev/null || return
		sleep 0.1
	done
	kill -0 "$nginx" 2>/dev/null
}
wait_for_nginx || {
	cat "$tmp/log" >&2
	die "nginx: does not start"
}

request='GET /big HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n'
# Its escapes are those of printf(1).
# shellcheck disable=SC2059
printf "$request" >"$tmp/request"

received_all()
{
	"$lastack" -f json -j -t $limit --idle=$limit -s "$request" \
		127.0.0.1 "$port" >"$tmp/report"
	received=$(sed -n 's/.*"received":\([0-9]*\).*/\1/p' "$tmp/report")
	[ "${received:-0}" -gt $bytes ]
}

# one NAME [FILE]: one run, measured into FILE.
one()
{
	into=$tmp/$1.figures
	case $1 in
	lastack)
		set -- "$lastack" -Q -t $limit --idle=$limit -s "$request" \
			127.0.0.1 "$port"
		;;
	curl) set -- curl -s -o /dev/null "http://127.0.0.1:$port/big" ;;
	nc) set -- nc 127.0.0.1 "$port" ;;
	esac
	"$tmp/measure" "$into" $limit "$@" <"$tmp/request" >/dev/null
}

median()
{
	cut -d ' ' -f "$2" "$tmp/$1.figures" | sort -n |
		awk '{ v[NR] = $1 } END {
			print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

commands='lastack curl'
if command -v nc >/dev/null; then
	commands="$commands nc"
fi

# Once without counting: the file's pages are then in memory, for all alike.
received_all || die "lastack: not all of the file came"
run=0
while [ $run -lt "$runs" ]; do
	for name in $commands; do
		one "$name" || die "$name: failed"
	done
	run=$((run + 1))
done

cpu=$(median curl 1)
peak=$(median curl 2)
echo "1 GiB from nginx on $(uname -sr), medians of $runs runs"
printf '%-8s %10s %7s %10s %7s %10s\n' '' 'cpu ms' '/curl' 'peak KiB' \
	'/curl' 'ms'
for name in $commands; do
	echo "$name $(median "$name" 1) $(median "$name" 2) $(median "$name" 3)"
done | awk -v cpu="$cpu" -v peak="$peak" '{
	printf("%-8s %10.1f %7.2f %10d %7.2f %10.1f\n",
	    $1, $2, $2 / cpu, $3, $3 / peak, $4) }'
