/* SPDX-License-Identifier: BSD-2-Clause */
/* What came of a run: the public struct, and what its accessors reach. */
#ifndef LASTACK_RESULT_H
#define LASTACK_RESULT_H

#include <stdint.h>

#include "connect.h"
#include "lastack.h"
#include "pattern.h"
#include "resolve.h"

#define LASTACK__ERROR_TEXT 128
#define LASTACK__CONGESTION_TEXT 16 /* TCP_CA_NAME_MAX */

struct lastack__result {
	struct lastack_result public; /* first: accessors cast back */
	char remote[LASTACK__ADDRESS_TEXT];
	char local[LASTACK__ADDRESS_TEXT];
	char error_text[LASTACK__ERROR_TEXT];
	char congestion[LASTACK__CONGESTION_TEXT];
	int64_t phase_ns[LASTACK_PHASE_TOTAL + 1]; /* spans; -1: not reached */
	int64_t event_ns[LASTACK_EVENT_COUNT];	   /* from start; -1: never */
	const struct lastack__attempt *attempts;   /* the probe's */
	size_t attempt_count;
	const void *response; /* the probe's; NULL: nothing kept */
	struct lastack_exchange *exchanges; /* the probe's */
	size_t exchange_count;
	const unsigned char *group_bytes; /* the probe's */
	struct lastack__span groups[LASTACK__GROUPS_MAX];
	size_t group_count;
};

void lastack__result_init(struct lastack__result *result);

/* Sets the outcome unless one is set: the first cause is the one. */
void lastack__result_fail(struct lastack__result *result,
    enum lastack_outcome outcome, enum lastack_phase phase, int error);

/* The words for it, copied. */
void lastack__result_text(struct lastack__result *result, const char *text);

#endif
