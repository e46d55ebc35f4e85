/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "suite.h"

/* For a machine under load; nothing here waits that long if all is well. */
#define TIMEOUT_SECONDS 180

int
suite_run(TCase *tests, const char *name)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, TIMEOUT_SECONDS);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

unsigned int
suite_seed(void)
{
	const char *given = getenv("SEED");
	unsigned int seed = given ? (unsigned int)strtoul(given, NULL, 0) :
				    (unsigned int)getpid() * 2654435761U;

	printf("SEED=%u\n", seed);
	fflush(stdout);
	return seed;
}
