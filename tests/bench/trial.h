/* SPDX-License-Identifier: BSD-2-Clause */
/* One run of a command: what it took, and what it said. */
#ifndef TRIAL_H
#define TRIAL_H

#include <stdbool.h>
#include <stddef.h>

#define TRIAL_WORDS_BYTES 8192
#define TRIAL_SECONDS 300 /* then it is killed, and the bench with it */

struct trial {
	const char *const *argv; /* NULL at the end */
	const char *input;	 /* standard input; NULL: nothing */
	bool listen;		 /* take its words; else they are thrown away */

	double wall_us, cpu_us;
	long peak_kib;
	int status;		       /* as wait(2) has it */
	char words[TRIAL_WORDS_BYTES]; /* standard output and error */
};

/* By the program "measure" in the directory. */
void trial_run(struct trial *trial, const char *measure);

/* The user-space instructions, by valgrind; 0: it is not installed. */
double trial_instructions(const struct trial *trial);

/* The system calls, by strace; 0: it is not installed. */
unsigned int trial_calls(const struct trial *trial);

/* Whether a program is in PATH, or is there as a path. */
bool trial_installed(const char *program);

#endif
