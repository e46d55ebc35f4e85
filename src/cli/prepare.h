/* SPDX-License-Identifier: BSD-2-Clause */
/* The options, each right by itself, made into one request. */
#ifndef PREPARE_H
#define PREPARE_H

#include "lastack.h"
#include "options.h"
#include "text.h"

/* The host and port out of -H, -p and the operands, into the options. */
enum options_result prepare_target(
    struct options *options, int count, char **operands, struct text *text);

/* Fills the request, and opens the payload's files. */
enum options_result prepare_request(struct options *options,
    struct lastack_request *request, struct text *text);

#endif
