/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each allocation fails in turn. Linked with --wrap (see ld(1)) for malloc,
 * calloc, realloc, reallocarray, strdup and free. Those of the check library
 * come by here as well, so nothing is asserted while one is due to fail.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lastack.h"
#include "suite.h"
#include "tcp.h"

/* Under the address sanitizer a size beyond all memory is NULL as well. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size);
char *__wrap_strdup(const char *string);
void __wrap_free(void *block);

#define WRONG 1 /* of a scene: beside every error that there is */

static atomic_long countdown; /* the allocation that reaches 0 fails */
static atomic_long failures;
static atomic_long blocks; /* allocated and not freed */

static bool
fails(void)
{
	if (atomic_fetch_sub(&countdown, 1) != 1)
		return false;
	atomic_fetch_add(&failures, 1);
	errno = ENOMEM;
	return true;
}

static void *
counted(void *block)
{
	if (block != NULL)
		atomic_fetch_add(&blocks, 1);
	return block;
}

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : counted(__real_malloc(size));
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : counted(__real_calloc(count, size));
}

void *
__wrap_realloc(void *block, size_t size)
{
	if (block == NULL)
		return __wrap_malloc(size);
	return fails() ? NULL : __real_realloc(block, size);
}

void *
__wrap_reallocarray(void *block, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	return __wrap_realloc(block, count * size);
}

char *
__wrap_strdup(const char *string)
{
	size_t len = strlen(string) + 1;
	char *copy = __wrap_malloc(len);

	return copy == NULL ? NULL : memcpy(copy, string, len);
}

void
__wrap_free(void *block)
{
	if (block != NULL)
		atomic_fetch_sub(&blocks, 1);
	__real_free(block);
}

static size_t
descriptors(void)
{
	DIR *list = opendir("/proc/self/fd");
	size_t count = 0;

	ck_assert_ptr_nonnull(list);
	while (readdir(list) != NULL)
		count++;
	closedir(list);
	return count;
}

struct before {
	size_t descriptors;
	long blocks;
};

static struct before
look(void)
{
	return (struct before){ descriptors(), atomic_load(&blocks) };
}

/* A lookup's thread may still be about to leave. */
static void
assert_nothing_left(const struct before *before, long nth)
{
	struct tcp_patience patience = { 0 };
	struct before now = look();

	while ((now.blocks != before->blocks ||
		   now.descriptors != before->descriptors) &&
	    tcp_patient(&patience))
		now = look();
	ck_assert_msg(now.blocks == before->blocks &&
		now.descriptors == before->descriptors,
	    "failure of allocation %ld: %ld blocks and %zu descriptors, %ld "
	    "and %zu before",
	    nth, now.blocks, now.descriptors, before->blocks,
	    before->descriptors);
}

/*
 * Plays the scene until it needs no more allocations than have failed. The
 * scene frees all it made, and returns the first error that it was told.
 */
static long
play_all(int (*scene)(void))
{
	long nth = 0, failed;

	do {
		struct before before = look();
		int error, want;

		nth++;
		atomic_store(&failures, 0);
		atomic_store(&countdown, nth);
		error = scene();
		atomic_store(&countdown, 0);
		failed = atomic_load(&failures);
		want = failed > 0 ? LASTACK_ERROR_MEMORY : 0;
		ck_assert_msg(
		    error == want, "failure of allocation %ld: %d", nth, error);
		assert_nothing_left(&before, nth);
	} while (failed > 0);
	return nth - 1;
}

/* ---- requests */

static int
fill(struct lastack_request *request)
{
	static const char long_one[5000] = "x";
	int error;

	if ((error = lastack_request_set_target(request, "127.0.0.1", 80)) !=
		0 ||
	    (error = lastack_request_set_target(request, "127.0.0.2", 80)) !=
		0 ||
	    (error = lastack_request_add_payload(request, "abc", 3)) != 0 ||
	    (error = lastack_request_add_payload(
		 request, long_one, sizeof(long_one))) != 0 ||
	    (error = lastack_request_add_payload_fd(request, STDIN_FILENO)) !=
		0 ||
	    (error = lastack_request_add_payload(request, "def", 3)) != 0 ||
	    (error = lastack_request_add_expect(request, "", 0)) != 0 ||
	    (error = lastack_request_add_expect(request, "abab", 4)) != 0 ||
	    (error = lastack_request_add_expect(
		 request, long_one, sizeof(long_one))) != 0 ||
	    (error = lastack_request_add_exchange(request)) != 0 ||
	    (error = lastack_request_add_expect_regex(request, "a(b)")) != 0 ||
	    (error = lastack_request_add_unwanted(request, "abab", 4)) != 0 ||
	    (error = lastack_request_set_quit(request, "abc", 3)) != 0 ||
	    (error = lastack_request_set_quit(request, "def", 3)) != 0)
		return error;
	return lastack_request_check(request);
}

static int
scene_request(void)
{
	struct lastack_request *request = lastack_request_new();
	int error;

	if (request == NULL)
		return LASTACK_ERROR_MEMORY;
	error = fill(request);
	lastack_request_free(request);
	return error;
}

START_TEST(requests)
{
	ck_assert_int_ge(play_all(scene_request), 12);
}
END_TEST

static int
scene_probe(void)
{
	struct lastack_request *request = lastack_request_new();
	struct lastack_probe *made = NULL;
	int error;

	if (request == NULL)
		return LASTACK_ERROR_MEMORY;
	error = fill(request);
	if (error == 0)
		error = lastack_probe_new(request, &made);
	if ((made != NULL) != (error == 0))
		error = WRONG;
	lastack_probe_free(made);
	lastack_request_free(request);
	return error;
}

START_TEST(probe_of_an_address)
{
	ck_assert_int_ge(play_all(scene_probe), 15);
}
END_TEST

/* The thread of the lookup allocates too, and is not waited for here. */
static int
scene_lookup(void)
{
	struct lastack_request *request = lastack_request_new();
	struct lastack_probe *made = NULL;
	int error;

	if (request == NULL)
		return LASTACK_ERROR_MEMORY;
	error = lastack_request_set_target(request, "localhost", 1);
	if (error == 0)
		error = lastack_probe_new(request, &made);
	lastack_probe_free(made);
	lastack_request_free(request);
	return error;
}

START_TEST(probe_of_a_name)
{
	/* request, host, probe, lookup: what happens before the thread. */
	for (long nth = 1; nth <= 4; nth++) {
		struct before before = look();
		int error;

		atomic_store(&countdown, nth);
		error = scene_lookup();
		atomic_store(&countdown, 0);
		ck_assert_msg(error == LASTACK_ERROR_MEMORY,
		    "failure of allocation %ld: %d", nth, error);
		assert_nothing_left(&before, nth);
	}
}
END_TEST

static int
set_target(struct lastack_request *request)
{
	return lastack_request_set_target(request, "127.0.0.1", 1);
}

static int
add_expect(struct lastack_request *request)
{
	return lastack_request_add_expect(request, "abab", 4);
}

static int
add_payload(struct lastack_request *request)
{
	return lastack_request_add_payload(request, "abc", 3);
}

static int
add_stdin(struct lastack_request *request)
{
	return lastack_request_add_payload_fd(request, STDIN_FILENO);
}

static struct lastack_probe *probe;

static int
make_probe(struct lastack_request *request)
{
	return lastack_probe_new(request, &probe);
}

/* What has failed has changed nothing and can be called again. */
START_TEST(repeated_until_it_works)
{
	static int (*const calls[])(struct lastack_request *) = { set_target,
		set_target, add_expect, add_expect, add_payload, add_payload,
		add_stdin, add_payload, make_probe };
	struct before before = look();
	struct lastack_request *request = lastack_request_new();
	int error;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		long nth = 0;

		do {
			atomic_store(&countdown, ++nth);
			error = calls[i](request);
			atomic_store(&countdown, 0);
			ck_assert(error == 0 || error == LASTACK_ERROR_MEMORY);
			ck_assert(error == 0 || probe == NULL);
		} while (error != 0);
	}
	lastack_probe_free(probe);
	lastack_request_free(request);
	assert_nothing_left(&before, 0);
}
END_TEST

/* ---- a run */

static int listener;
static uint16_t port; /* the listener's */
static atomic_bool over;

/* Gives each client the same and closes; it allocates nothing. */
static void *
serve(void *unused)
{
	(void)unused;
	while (!atomic_load(&over)) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		char byte;

		if (fd == -1)
			continue;
		send(fd, "hello, world", 12, MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
		while (recv(fd, &byte, 1, 0) > 0)
			continue;
		close(fd);
	}
	return NULL;
}

static int
sink(void *context, const void *data, size_t len)
{
	(void)data;
	*(size_t *)context += len;
	return 0;
}

/* Memory that runs out on the way is a local failure, told in the result. */
static int
judge_run(const struct lastack_result *result, size_t sunk)
{
	if (result->outcome == LASTACK_OUTCOME_SYSTEM)
		return result->error_errno == ENOMEM ? LASTACK_ERROR_MEMORY :
						       WRONG;
	if (result->outcome != LASTACK_OUTCOME_OK || sunk != 12 ||
	    result->kept_bytes != 5 ||
	    memcmp(lastack_result_response(result), "hello", 5) != 0)
		return WRONG;
	return 0;
}

static int
run(const struct lastack_request *request, const size_t *sunk)
{
	struct lastack_probe *running = NULL;
	int error = lastack_probe_new(request, &running);

	if (error == 0)
		error = lastack_probe_run(running, NULL);
	if (error == 0)
		error = judge_run(lastack_probe_result(running), *sunk);
	lastack_probe_free(running);
	return error;
}

static int
scene_run(void)
{
	struct lastack_request *request = lastack_request_new();
	size_t sunk = 0;
	int error;

	if (request == NULL)
		return LASTACK_ERROR_MEMORY;
	error = lastack_request_set_target(request, "127.0.0.1", port);
	if (error == 0)
		error = lastack_request_add_payload(request, "abc", 3);
	if (error == 0)
		error = lastack_request_add_payload_fd(request, STDIN_FILENO);
	if (error == 0)
		error = lastack_request_add_expect(request, "hello", 5);
	if (error == 0)
		error = lastack_request_add_exchange(request);
	if (error == 0)
		error = lastack_request_add_expect_regex(request, "w(.*)d$");
	lastack_request_set_keep(request, 5);
	lastack_request_set_sink(request, sink, &sunk);
	if (error == 0)
		error = run(request, &sunk);
	lastack_request_free(request);
	return error;
}

START_TEST(whole_run)
{
	pthread_t thread;

	ck_assert_ptr_nonnull(freopen("/dev/null", "r", stdin));
	listener = tcp_listen(AF_INET, 8);
	port = tcp_port(listener);
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
	ck_assert_int_ge(play_all(scene_run), 10);
	atomic_store(&over, true);
	shutdown(listener, SHUT_RD);
	pthread_join(thread, NULL);
	close(listener);
}
END_TEST

/* An expectation that could never fit. */
START_TEST(sizes_beyond_memory)
{
	struct before before = look();
	struct lastack_request *request = lastack_request_new();

	ck_assert_ptr_nonnull(request);
	ck_assert_int_eq(lastack_request_add_payload(request, "x", 1), 0);
	ck_assert_int_ne(
	    lastack_request_add_payload(request, "x", SIZE_MAX), 0);
	ck_assert_int_eq(
	    lastack_request_add_expect(request, "x", SIZE_MAX / 16),
	    LASTACK_ERROR_MEMORY);
	lastack_request_free(request);
	assert_nothing_left(&before, 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("memory");

	tcase_add_test(tests, requests);
	tcase_add_test(tests, probe_of_an_address);
	tcase_add_test(tests, probe_of_a_name);
	tcase_add_test(tests, repeated_until_it_works);
	tcase_add_test(tests, whole_run);
	tcase_add_test(tests, sizes_beyond_memory);
	return suite_run(tests, "memory");
}
