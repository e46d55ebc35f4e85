/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of a test's own: an /etc/hosts that nobody else sees, in a mount
 * namespace. For tests of the command, which asks the system's resolver.
 */
#ifndef HOSTS_H
#define HOSTS_H

/*
 * In the lab (lab.h), in a test that forks: this process and its children have
 * these lines for /etc/hosts. False where there may be no such namespace; the
 * test fails instead where the environment has a non-empty CI.
 */
#include <stdbool.h>

bool hosts_enter(const char *lines);

#endif
