/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ERRNAME_H
#define ERRNAME_H

/* The symbol of an errno value, "ECONNREFUSED"; NULL for 0. */
const char *errname(int error);

#endif
