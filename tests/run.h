/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running the command under test. It is $LASTACK, or else the program in the
 * build directory ($BUILDDIR, or the present one). What goes wrong here fails
 * the test at once, so nothing returns an error.
 *
 *	struct run run;
 *
 *	run_command(&run, (const char *[]){ "-z", "127.0.0.1", "80", NULL });
 *	ck_assert_int_eq(run.status, 0);
 *	ck_assert_str_eq(run.err, "");
 *	run_free(&run);
 *
 * Not for two threads at once.
 */
#ifndef RUN_H
#define RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RUN_BOUND_SECONDS 60

/* For run_options.closed: which descriptors the command starts without. */
#define RUN_CLOSED_STDIN 1U
#define RUN_CLOSED_STDOUT 2U
#define RUN_CLOSED_STDERR 4U

/* Zero is a good default for all of it. */
struct run_options {
	const char *name; /* argv[0]; NULL: "lastack" */

	/* Standard input: the bytes; or the descriptor; or nothing at all. */
	const void *input;
	size_t input_bytes;
	int input_fd; /* 0: none; borrowed */

	/*
	 * Standard output and standard error, where not a pipe to out and err.
	 * 0: a pipe; borrowed.
	 */
	int output_fd, error_fd;

	unsigned int closed; /* RUN_CLOSED_*, stronger than all the above */

	/* "NAME=value", NULL at the end, over the test's own environment. */
	const char *const *environment;
	const char *directory; /* to run in; NULL: the test's */

	/* Limits of resources; 0: the test's own. */
	uint64_t address_space_bytes;
	uint64_t file_size_bytes;
	unsigned int descriptors;

	int ignored_signal; /* ignored when the command starts; 0: none */
};

struct run {
	/* Of a finished command. */
	int status; /* the exit status, or -1 */
	int signo;  /* the signal that killed it, or 0 */
	char *out;  /* standard output, and a NUL behind it; never NULL */
	size_t out_bytes;
	char *err;
	size_t err_bytes;
	int64_t elapsed_ns;  /* from before the start until after the end */
	int64_t max_rss_kib; /* not below that of the test program itself */

	/* Of one that runs. */
	pid_t pid;

	/* For run.c alone. */
	int out_fd, err_fd;
	int64_t start_ns;
};

/* Runs the command to its end. argv is without the name; NULL at the end. */
void run_command(struct run *run, const char *const *argv);
void run_command_with(struct run *run, const struct run_options *options,
    const char *const *argv);

/*
 * Only starts it. What it writes stays in a pipe (64 KiB) until run_finish()
 * reads on, which waits for the end. After RUN_BOUND_SECONDS from the start
 * the command is killed and the test fails.
 */
void run_start(struct run *run, const struct run_options *options,
    const char *const *argv);
void run_finish(struct run *run);

/* The strings; the command is to have finished. NULL is fine. */
void run_free(struct run *run);

#endif
