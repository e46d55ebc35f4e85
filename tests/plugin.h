/* SPDX-License-Identifier: BSD-2-Clause */
/* The output of a monitoring plugin, taken apart and held to its rules. */
#ifndef PLUGIN_H
#define PLUGIN_H

#include <stdbool.h>
#include <stddef.h>

#define PLUGIN_LINE 4096

/*
 * The shape: one "|" in the first line and none below it, printable characters,
 * a line feed at the end, figures as the guidelines have them, "time" first.
 */
void plugin_check_shape(const char *out, size_t len);

/* The words before "|" and the first figure, each number an "N". */
void plugin_mask(
    const char *out, char words[PLUGIN_LINE], char figure[PLUGIN_LINE]);

/* Whether there is a figure with that label. */
bool plugin_has(const char *out, const char *label);

#endif
