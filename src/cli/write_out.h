/* SPDX-License-Identifier: BSD-2-Clause */
/* The format of --write-out, before there is a result. */
#ifndef WRITE_OUT_H
#define WRITE_OUT_H

#include <stdbool.h>

#include "text.h"

struct write_out_fault {
	struct text what; /* of the format, as written */
	struct text why;
};

#define WRITE_OUT_FAULT_INIT                                                   \
	{                                                                      \
		.what = TEXT_INIT, .why = TEXT_INIT                            \
	}

/* False: the fault says what is wrong. It is to be freed in every case. */
bool write_out_check(const char *format, struct write_out_fault *fault);

/* Whether it may tell a figure that a lean run does without. */
bool write_out_is_dear(const char *format);

void write_out_fault_free(struct write_out_fault *fault);

#endif
