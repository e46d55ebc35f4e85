/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of the report, each in one row: what JSON prints and what
 * --write-out can name. The schema only grows. Described in lastack(1).
 */
#ifndef FIELDS_H
#define FIELDS_H

#include "field.h"

/* Ends with a row without a name, as all of its tables do. */
extern const struct field fields[];

#endif
