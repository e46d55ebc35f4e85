/* SPDX-License-Identifier: BSD-2-Clause */
/* What is wrong with the command line: one line that names the value. */
#ifndef COMPLAIN_H
#define COMPLAIN_H

#include "options.h"
#include "text.h"

/* value and why may be NULL. Returns OPTIONS_USAGE. */
enum options_result complain(
    struct text *text, const char *what, const char *value, const char *why);

/* The reason is errno. Returns OPTIONS_LOCAL. */
enum options_result complain_local(
    struct text *text, const char *what, const char *value);

#endif
