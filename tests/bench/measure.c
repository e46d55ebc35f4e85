/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a command once and tells what that took, on descriptor 3: nanoseconds,
 * microseconds of processor time, KiB at its peak, the status as wait(2) has
 * it. A program of its own, and a small one: the peak of a process begins with
 * that of the one it was forked from.
 */
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TO 3

static long long
us(struct timeval span)
{
	return span.tv_sec * 1000000LL + span.tv_usec;
}

int
main(int argc, char **argv)
{
	struct timespec begin, end;
	struct rusage usage;
	int status;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (argc < 2 ||
	    posix_spawnp(&pid, argv[1], NULL, NULL, argv + 1, environ) != 0 ||
	    wait4(pid, &status, 0, &usage) != pid)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &end);
	return dprintf(TO, "%lld %lld %ld %d\n",
		   (end.tv_sec - begin.tv_sec) * 1000000000LL + end.tv_nsec -
		       begin.tv_nsec,
		   us(usage.ru_utime) + us(usage.ru_stime), usage.ru_maxrss,
		   status) < 0;
}
