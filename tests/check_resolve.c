/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * getaddrinfo() is ours here: it says what a test wants, or nothing until the
 * test lets it, or asks the system.
 */
#include <config.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "lastack.h"
#include "resolve.h"
#include "suite.h"
#include "tcp.h"

/* ---- the resolver */

enum answer {
	ANSWER_SYSTEM, /* the real one's */
	ANSWER_ERROR,
	ANSWER_LIST,
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool silent; /* no answer until released */
	enum answer answer;
	int error, error_errno;
	size_t count;	/* of the list; each third one is neither 4 nor 6 */
	size_t running; /* calls that have not returned */

	/* What it was asked. */
	int family;
	bool deaf; /* every signal was blocked */
} resolver = { .lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER };

static struct addrinfo *
list_entry(size_t i)
{
	struct sockaddr_in *address = calloc(1, sizeof(*address));
	struct addrinfo *entry = calloc(1, sizeof(*entry));

	if (address == NULL || entry == NULL)
		abort();
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(0x0a000000 + (uint32_t)i);
	entry->ai_family = i % 3 == 2 ? AF_UNIX : AF_INET;
	entry->ai_socktype = SOCK_STREAM;
	entry->ai_addr = (struct sockaddr *)(void *)address;
	entry->ai_addrlen = sizeof(*address);
	/* How freeaddrinfo() knows it again. */
	entry->ai_protocol = -1;
	return entry;
}

static void *
real(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (function == NULL)
		abort();
	return function;
}

static int
answer(const char *node, const char *service, const struct addrinfo *hints,
    struct addrinfo **found)
{
	int (*system_one)(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **);
	struct addrinfo *list = NULL;

	if (resolver.answer == ANSWER_ERROR) {
		errno = resolver.error_errno;
		return resolver.error;
	}
	if (resolver.answer == ANSWER_LIST) {
		for (size_t i = resolver.count; i-- > 0;) {
			struct addrinfo *entry = list_entry(i);

			entry->ai_next = list;
			list = entry;
		}
		*found = list;
		return 0;
	}
	*(void **)(void *)&system_one = real("getaddrinfo");
	return system_one(node, service, hints, found);
}

int
getaddrinfo(const char *restrict node, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict found)
{
	sigset_t blocked;
	int error;

	pthread_mutex_lock(&resolver.lock);
	resolver.running++;
	resolver.family = hints->ai_family;
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	resolver.deaf = sigismember(&blocked, SIGINT) == 1 &&
	    sigismember(&blocked, SIGTERM) == 1 &&
	    sigismember(&blocked, SIGCHLD) == 1 &&
	    sigismember(&blocked, SIGUSR1) == 1;
	pthread_cond_broadcast(&resolver.changed);
	while (resolver.silent)
		pthread_cond_wait(&resolver.changed, &resolver.lock);
	error = answer(node, service, hints, found);
	resolver.running--;
	pthread_cond_broadcast(&resolver.changed);
	pthread_mutex_unlock(&resolver.lock);
	return error;
}

void
freeaddrinfo(struct addrinfo *list)
{
	void (*system_one)(struct addrinfo *);

	if (list == NULL || list->ai_protocol != -1) {
		*(void **)(void *)&system_one = real("freeaddrinfo");
		system_one(list);
		return;
	}
	while (list != NULL) {
		struct addrinfo *next = list->ai_next;

		free(list->ai_addr);
		free(list);
		list = next;
	}
}

static void
resolver_says(enum answer answer_kind, int error, int error_errno)
{
	resolver.answer = answer_kind;
	resolver.error = error;
	resolver.error_errno = error_errno;
}

static void
resolver_lists(size_t count)
{
	resolver.answer = ANSWER_LIST;
	resolver.count = count;
}

static void
resolver_release(void)
{
	pthread_mutex_lock(&resolver.lock);
	resolver.silent = false;
	pthread_cond_broadcast(&resolver.changed);
	pthread_mutex_unlock(&resolver.lock);
}

/* Until so many lookups are under way. */
static void
resolver_await(size_t running)
{
	pthread_mutex_lock(&resolver.lock);
	while (resolver.running != running)
		pthread_cond_wait(&resolver.changed, &resolver.lock);
	pthread_mutex_unlock(&resolver.lock);
}

static size_t
entries(const char *directory)
{
	DIR *list = opendir(directory);
	size_t count = 0;

	ck_assert_ptr_nonnull(list);
	while (readdir(list) != NULL)
		count++;
	closedir(list);
	return count;
}

static size_t threads_before; /* the test */

/* The lookups' threads are detached; this is how a test sees them leave. */
static void
await_alone(void)
{
	struct tcp_patience patience = { 0 };

	while (entries("/proc/self/task") > threads_before &&
	    tcp_patient(&patience))
		continue;
	/* Fewer: one of an earlier test may have been about to leave. */
	ck_assert_uint_le(entries("/proc/self/task"), threads_before);
}

/* ---- addresses */

struct numeric {
	const char *host;
	const char *text; /* NULL: no address */
};

static void
assert_numeric(const struct numeric *row)
{
	struct lastack__address address;
	char text[LASTACK__ADDRESS_TEXT];
	bool found;

	memset(&address, 0xff, sizeof(address));
	found = lastack__resolve_numeric(row->host, 4711, &address);
	ck_assert_msg(
	    found == (row->text != NULL), "'%s': %d", row->host, found);
	if (!found)
		return;
	lastack__address_text(&address.u.any, text);
	ck_assert_str_eq(text, row->text);
	if (address.u.any.sa_family == AF_INET) {
		ck_assert_uint_eq(address.len, sizeof(struct sockaddr_in));
		ck_assert_uint_eq(
		    ((struct sockaddr_in *)(void *)&address.u)->sin_port,
		    htons(4711));
	} else {
		ck_assert_int_eq(address.u.any.sa_family, AF_INET6);
		ck_assert_uint_eq(address.len, sizeof(struct sockaddr_in6));
		ck_assert_uint_eq(
		    ((struct sockaddr_in6 *)(void *)&address.u)->sin6_port,
		    htons(4711));
	}
}

START_TEST(numeric_forms)
{
	static const struct numeric rows[] = {
		{ "127.0.0.1", "127.0.0.1" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "0.0.0.0", "0.0.0.0" },
		/* What getaddrinfo(3) takes for an address as well. */
		{ "127.1", "127.0.0.1" },
		{ "0x7f.1", "127.0.0.1" },
		{ "0177.0.0.1", "127.0.0.1" },
		{ "2130706433", "127.0.0.1" },
		{ "::1", "::1" },
		{ "::", "::" },
		{ "2001:DB8::0:1", "2001:db8::1" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
		{ "fe80::1", "fe80::1" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "", NULL },
		{ " ", NULL },
		{ "127.0.0.1 ", NULL },
		{ " 127.0.0.1", NULL },
		{ "127.0.0.1\n", NULL },
		{ "127.0.0.1 x", NULL },
		{ "256.0.0.1", NULL },
		{ "1.2.3.4.5", NULL },
		{ "1.2.3.", NULL },
		{ "localhost", NULL },
		{ "::g", NULL },
		{ ":::", NULL },
		{ "1::2::3", NULL },
		{ "[::1]", NULL },
		{ "1:2:3:4:5:6:7:8:9", NULL },
		{ "::1%", NULL },
		{ "127.0.0.1%lo", NULL },
		{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001",
		    NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_numeric(&rows[i]);
}
END_TEST

START_TEST(scopes)
{
	static const struct numeric rows[] = {
		{ "fe80::1%lo", "fe80::1%lo" },
		{ "fe80::1%1", "fe80::1%lo" },
		{ "fe80::1%4294967295", "fe80::1%4294967295" },
		{ "fe80::1%4294967296", NULL },
		{ "fe80::1%99999999999999999999", NULL },
		{ "fe80::1%", NULL },
		{ "fe80::1%-1", NULL },
		{ "fe80::1%+1", NULL },
		{ "fe80::1% 1", NULL },
		{ "fe80::1%1x", NULL },
		{ "fe80::1%lo%lo", NULL },
		{ "fe80::1%nosuchinterface0", NULL },
		{ "%lo", NULL },
	};

	/* lo is the first interface of every network namespace. */
	ck_assert_uint_eq(if_nametoindex("lo"), 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_numeric(&rows[i]);
}
END_TEST

START_TEST(not_an_address_changes_nothing)
{
	struct lastack__address address, before;

	memset(&address, 0x5a, sizeof(address));
	before = address;
	ck_assert(!lastack__resolve_numeric("1.2.3.4 x", 1, &address));
	ck_assert(!lastack__resolve_numeric("fe80::1%nosuch0", 1, &address));
	ck_assert_mem_eq(&address, &before, sizeof(address));
}
END_TEST

START_TEST(text_of_no_address)
{
	struct sockaddr_storage storage = { .ss_family = AF_UNIX };
	char text[LASTACK__ADDRESS_TEXT] = "x";

	lastack__address_text(
	    (const struct sockaddr *)(const void *)&storage, text);
	ck_assert_str_eq(text, "");
}
END_TEST

/* ---- lookups */

static int
look_up(const char *host, enum lastack_family family,
    struct lastack__addresses *addresses)
{
	struct lastack__lookup *lookup =
	    lastack__lookup_start(host, 80, family);
	struct pollfd ready = { .events = POLLIN };
	struct lastack__answer answer = { .error = 1 };

	ck_assert_ptr_nonnull(lookup);
	ready.fd = lastack__lookup_fd(lookup);
	ck_assert_int_eq(poll(&ready, 1, 60000), 1);
	ck_assert(lastack__lookup_answer(lookup, &answer));
	lastack__lookup_free(lookup);
	*addresses = answer.addresses;
	return answer.error;
}

static bool
is_loopback(const struct lastack__address *address)
{
	const struct sockaddr_in *v4 = (const void *)&address->u;
	const struct sockaddr_in6 *v6 = (const void *)&address->u;

	if (address->u.any.sa_family == AF_INET)
		return v4->sin_port == htons(80) &&
		    ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	return v6->sin6_port == htons(80) &&
	    IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

START_TEST(localhost)
{
	static const enum lastack_family families[] = { LASTACK_FAMILY_ANY,
		LASTACK_FAMILY_IPV4 };

	for (int i = 0; i < 2; i++) {
		struct lastack__addresses addresses = { 0 };

		ck_assert_int_eq(
		    look_up("localhost", families[i], &addresses), 0);
		ck_assert_uint_gt(addresses.count, 0);
		for (size_t j = 0; j < addresses.count; j++)
			ck_assert(is_loopback(&addresses.list[j]));
		lastack__addresses_free(&addresses);
		ck_assert_ptr_null(addresses.list);
	}
}
END_TEST

START_TEST(family_asked_for)
{
	struct lastack__addresses addresses = { 0 };

	resolver_says(ANSWER_ERROR, EAI_NONAME, 0);
	look_up("x", LASTACK_FAMILY_ANY, &addresses);
	ck_assert_int_eq(resolver.family, AF_UNSPEC);
	look_up("x", LASTACK_FAMILY_IPV4, &addresses);
	ck_assert_int_eq(resolver.family, AF_INET);
	look_up("x", LASTACK_FAMILY_IPV6, &addresses);
	ck_assert_int_eq(resolver.family, AF_INET6);
}
END_TEST

START_TEST(errors)
{
	static const int rows[] = { EAI_NONAME, EAI_AGAIN, EAI_FAIL, EAI_MEMORY,
		EAI_FAMILY, EAI_SYSTEM };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lastack__addresses addresses = { 0 };

		resolver_says(ANSWER_ERROR, rows[i], 0);
		ck_assert_int_eq(
		    look_up("x", LASTACK_FAMILY_ANY, &addresses), rows[i]);
		ck_assert_uint_eq(addresses.count, 0);
		ck_assert_ptr_null(addresses.list);
	}
}
END_TEST

/* In the resolver's order, without what is not TCP over IP, and bounded. */
START_TEST(long_lists)
{
	struct lastack__addresses addresses = { 0 };
	size_t want = 0;

	resolver_lists(1000);
	ck_assert_int_eq(look_up("x", LASTACK_FAMILY_ANY, &addresses), 0);
	ck_assert_uint_eq(addresses.count, LASTACK__ADDRESSES_MAX);
	for (size_t i = 0; i < addresses.count; i++, want++) {
		char text[LASTACK__ADDRESS_TEXT], wanted[32];

		if (want % 3 == 2)
			want++;
		snprintf(wanted, sizeof(wanted), "10.0.0.%zu", want);
		lastack__address_text(&addresses.list[i].u.any, text);
		ck_assert_str_eq(text, wanted);
	}
	lastack__addresses_free(&addresses);
}
END_TEST

START_TEST(no_usable_address)
{
	struct lastack__addresses addresses = { 0 };

	resolver_lists(0);
	ck_assert_int_eq(
	    look_up("x", LASTACK_FAMILY_ANY, &addresses), EAI_NONAME);
	lastack__addresses_free(&addresses);
}
END_TEST

/* Signals belong to the program; a thread of ours must not take one. */
START_TEST(signals_are_left_alone)
{
	struct lastack__addresses addresses = { 0 };
	sigset_t before, after;

	resolver_says(ANSWER_ERROR, EAI_NONAME, 0);
	sigemptyset(&after);
	sigaddset(&after, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &after, &before);
	look_up("x", LASTACK_FAMILY_ANY, &addresses);
	ck_assert(resolver.deaf);
	pthread_sigmask(SIG_SETMASK, &before, &after);
	ck_assert_int_eq(sigismember(&after, SIGUSR2), 1);
	ck_assert_int_eq(sigismember(&after, SIGINT), 0);
}
END_TEST

START_TEST(no_answer_yet)
{
	struct lastack__answer answer = { .error = 4711 };
	struct lastack__lookup *lookup;
	struct pollfd ready = { .events = POLLIN };

	resolver_lists(2);
	resolver.silent = true;
	lookup = lastack__lookup_start("x", 80, LASTACK_FAMILY_ANY);
	ck_assert_ptr_nonnull(lookup);
	resolver_await(1);
	ck_assert(!lastack__lookup_answer(lookup, &answer));
	ck_assert_int_eq(answer.error, 4711);
	ck_assert_ptr_null(answer.addresses.list);
	ready.fd = lastack__lookup_fd(lookup);
	ck_assert_int_eq(poll(&ready, 1, 0), 0);
	resolver_release();
	ck_assert_int_eq(poll(&ready, 1, 60000), 1);
	ck_assert(lastack__lookup_answer(lookup, &answer));
	ck_assert_int_eq(answer.error, 0);
	ck_assert_uint_eq(answer.addresses.count, 2);
	lastack__addresses_free(&answer.addresses);
	lastack__lookup_free(lookup);
}
END_TEST

/*
 * Left before and after the answer: in the end neither a thread nor a
 * descriptor is left behind. Memory is valgrind's to look at.
 */
START_TEST(left_before_the_answer)
{
	size_t descriptors = entries("/proc/self/fd");
	struct lastack__lookup *lookups[16];

	resolver_lists(5);
	resolver.silent = true;
	for (int i = 0; i < 16; i++) {
		lookups[i] = lastack__lookup_start("x", 80, LASTACK_FAMILY_ANY);
		ck_assert_ptr_nonnull(lookups[i]);
	}
	resolver_await(16);
	for (int i = 0; i < 16; i += 2)
		lastack__lookup_free(lookups[i]);
	resolver_release();
	await_alone();
	for (int i = 1; i < 16; i += 2)
		lastack__lookup_free(lookups[i]);
	ck_assert_uint_le(entries("/proc/self/fd"), descriptors);
	lastack__lookup_free(NULL);
}
END_TEST

/* ---- a probe */

static struct lastack_probe *
probe_of(struct lastack_request **request, const char *host, int64_t total_ns)
{
	struct lastack_probe *probe = NULL;

	*request = lastack_request_new();
	ck_assert_ptr_nonnull(*request);
	ck_assert_int_eq(lastack_request_set_target(*request, host, 80), 0);
	ck_assert_int_eq(
	    lastack_request_set_time(*request, LASTACK_TIME_TOTAL, total_ns),
	    0);
	ck_assert_int_eq(lastack_probe_new(*request, &probe), 0);
	return probe;
}

/* A name server that never answers. */
START_TEST(deadline)
{
	const int64_t total_ns = 200000000;
	size_t descriptors = entries("/proc/self/fd");
	int64_t begin_ns = lastack__clock_now_ns();
	const struct lastack_result *result;
	struct lastack_request *request;
	struct lastack_probe *probe;

	resolver_lists(1);
	resolver.silent = true;
	probe = probe_of(&request, "name.example", total_ns);
	ck_assert_int_eq(lastack_probe_run(probe, NULL), 0);
	ck_assert_int_ge(lastack__clock_now_ns() - begin_ns, total_ns);
	result = lastack_probe_result(probe);
	ck_assert_int_eq(result->outcome, LASTACK_OUTCOME_RESOLVE);
	ck_assert_int_eq(result->error_phase, LASTACK_PHASE_RESOLVE);
	ck_assert_int_eq(result->error_errno, ETIMEDOUT);
	ck_assert_ptr_null(lastack_result_remote(result));
	ck_assert_uint_eq(lastack_result_attempts(result), 0);
	ck_assert_int_ge(
	    lastack_result_phase_ns(result, LASTACK_PHASE_RESOLVE), total_ns);
	ck_assert_int_eq(
	    lastack_result_phase_ns(result, LASTACK_PHASE_CONNECT), -1);
	ck_assert_int_eq(
	    lastack_result_event_ns(result, LASTACK_EVENT_RESOLVED), -1);
	lastack_probe_free(probe);
	lastack_request_free(request);
	resolver_release();
	await_alone();
	ck_assert_uint_le(entries("/proc/self/fd"), descriptors);
}
END_TEST

START_TEST(interrupted)
{
	const struct lastack_result *result;
	struct lastack_request *request;
	struct lastack_probe *probe;

	resolver_lists(1);
	resolver.silent = true;
	probe = probe_of(&request, "name.example", LASTACK_TIME_MAX_NS);
	ck_assert_int_eq(lastack_probe_step(probe), 1);
	lastack_probe_interrupt(probe, SIGTERM);
	ck_assert_int_eq(lastack_probe_step(probe), 0);
	result = lastack_probe_result(probe);
	ck_assert_int_eq(result->outcome, LASTACK_OUTCOME_INTERRUPTED);
	ck_assert_int_eq(result->interrupted_by, SIGTERM);
	lastack_probe_free(probe);
	lastack_request_free(request);
	resolver_release();
	await_alone();
}
END_TEST

START_TEST(unknown_name)
{
	const struct lastack_result *result;
	struct lastack_request *request;
	struct lastack_probe *probe;

	resolver_says(ANSWER_ERROR, EAI_NONAME, 0);
	probe = probe_of(&request, "name.example", LASTACK_TIME_MAX_NS);
	ck_assert_int_eq(lastack_probe_run(probe, NULL), 0);
	result = lastack_probe_result(probe);
	ck_assert_int_eq(result->outcome, LASTACK_OUTCOME_RESOLVE);
	ck_assert_int_eq(result->error_errno, 0);
	ck_assert_str_eq(
	    lastack_result_error_text(result), gai_strerror(EAI_NONAME));
	lastack_probe_free(probe);
	lastack_request_free(request);
}
END_TEST

/* errno belongs to the thread that met it. */
START_TEST(errno_of_the_lookup)
{
	const struct lastack_result *result;
	struct lastack_request *request;
	struct lastack_probe *probe;

	resolver_says(ANSWER_ERROR, EAI_SYSTEM, EMFILE);
	probe = probe_of(&request, "name.example", LASTACK_TIME_MAX_NS);
	ck_assert_int_eq(lastack_probe_run(probe, NULL), 0);
	result = lastack_probe_result(probe);
	ck_assert_int_eq(result->outcome, LASTACK_OUTCOME_RESOLVE);
	ck_assert_int_eq(result->error_errno, EMFILE);
	lastack_probe_free(probe);
	lastack_request_free(request);
}
END_TEST

/* An address never goes to the resolver. */
START_TEST(address_without_a_lookup)
{
	int bound = tcp_bound(AF_INET);
	struct lastack_request *request = lastack_request_new();
	struct lastack_probe *probe = NULL;

	resolver_says(ANSWER_ERROR, EAI_FAIL, 0);
	ck_assert_int_eq(
	    lastack_request_set_target(request, "127.0.0.1", tcp_port(bound)),
	    0);
	ck_assert_int_eq(lastack_probe_new(request, &probe), 0);
	ck_assert_int_eq(lastack_probe_run(probe, NULL), 0);
	ck_assert_int_eq(
	    lastack_probe_result(probe)->outcome, LASTACK_OUTCOME_REFUSED);
	lastack_probe_free(probe);
	lastack_request_free(request);
	close(bound);
}
END_TEST

/* Before each test; without fork() they share the resolver. */
static void
reset_resolver(void)
{
	resolver.silent = false;
	resolver_says(ANSWER_SYSTEM, 0, 0);
	threads_before = entries("/proc/self/task");
}

int
main(void)
{
	TCase *tests = tcase_create("resolve");

	tcase_add_checked_fixture(tests, reset_resolver, NULL);
	tcase_add_test(tests, numeric_forms);
	tcase_add_test(tests, scopes);
	tcase_add_test(tests, not_an_address_changes_nothing);
	tcase_add_test(tests, text_of_no_address);
	tcase_add_test(tests, localhost);
	tcase_add_test(tests, family_asked_for);
	tcase_add_test(tests, errors);
	tcase_add_test(tests, long_lists);
	tcase_add_test(tests, no_usable_address);
	tcase_add_test(tests, signals_are_left_alone);
	tcase_add_test(tests, no_answer_yet);
	tcase_add_test(tests, left_before_the_answer);
	tcase_add_test(tests, deadline);
	tcase_add_test(tests, interrupted);
	tcase_add_test(tests, unknown_name);
	tcase_add_test(tests, errno_of_the_lookup);
	tcase_add_test(tests, address_without_a_lookup);
	return suite_run(tests, "resolve");
}
