/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures for a person: a few digits and the unit that fits. */
#ifndef FIGURE_H
#define FIGURE_H

#include <stdint.h>

#define FIGURE_TEXT 32

/* "149". Returns its argument. */
const char *figure_number(char text[FIGURE_TEXT], uint64_t number);

/* "311.2 us", "17.2 ms", "1.23 s"; of nanoseconds. Returns its argument. */
const char *figure_time(char text[FIGURE_TEXT], int64_t ns);

/* "149 B", "65.5 kB", "1073.7 MB". Returns its argument. */
const char *figure_bytes(char text[FIGURE_TEXT], uint64_t bytes);

#endif
