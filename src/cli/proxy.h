/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of the PROXY protocol. */
#ifndef PROXY_H
#define PROXY_H

#include "lastack.h"
#include "options.h"
#include "text.h"

/*
 * Puts them into the request, whose target is set. What does not go together is
 * a usage error.
 */
enum options_result proxy_prepare(const struct options *options,
    struct lastack_request *request, struct text *text);

#endif
