/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * liblastack: one TCP connection, followed from its first SYN to its last ACK.
 *
 * The way through: build a request, make a probe of it, run the probe, read
 * the result.
 *
 *	struct lastack_request *request = lastack_request_new();
 *	struct lastack_probe *probe = NULL;
 *
 *	if (request != NULL &&
 *	    lastack_request_set_target(request, "192.0.2.1", 80) == 0 &&
 *	    lastack_probe_new(request, &probe) == 0 &&
 *	    lastack_probe_run(probe, NULL) == 0)
 *		puts(lastack_outcome_name(
 *		    lastack_probe_result(probe)->outcome));
 *	lastack_probe_free(probe);
 *	lastack_request_free(request);
 *
 * A connection that is refused, reset or silent is a result and not an error:
 * functions fail only for bad arguments, lack of memory or descriptors, and
 * wrong order of calls. The library keeps no global state, never prints, never
 * exits and installs no signal handler. Calls on different probes may run in
 * different threads at once; one probe belongs to one thread at a time.
 *
 * Every duration is in nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef LASTACK_H
#define LASTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LASTACK_API __attribute__((visibility("default")))
#else
#define LASTACK_API
#endif

/* What a function that returns int returns: 0, or one of these. Since 0.1. */
enum lastack_error {
	LASTACK_ERROR_MEMORY = -1,
	LASTACK_ERROR_ARGUMENT = -2,	/* a value out of its range */
	LASTACK_ERROR_SYSTEM = -3,	/* no descriptor to wait with; errno */
	LASTACK_ERROR_INTERRUPTED = -4, /* a signal handler ran; call again */
};

/* How the run ended, the most specific cause. Since 0.1. */
enum lastack_outcome {
	LASTACK_OUTCOME_NONE,	     /* still running */
	LASTACK_OUTCOME_OK,	     /* connected, expectations met */
	LASTACK_OUTCOME_MISMATCH,    /* a response came that does not satisfy */
	LASTACK_OUTCOME_RESOLVE,     /* the name did not resolve in time */
	LASTACK_OUTCOME_REFUSED,     /* RST to our SYN */
	LASTACK_OUTCOME_UNREACHABLE, /* ICMP or no route */
	LASTACK_OUTCOME_CONNECT_TIMEOUT, /* no SYN/ACK in time */
	LASTACK_OUTCOME_RESET, /* RST before the exchange was complete */
	LASTACK_OUTCOME_RESPONSE_TIMEOUT, /* exchange not complete in time */
	LASTACK_OUTCOME_CLOSED_EARLY,	  /* FIN and not a byte of a response */
	LASTACK_OUTCOME_CLOSE_MISMATCH,	  /* the peer ended in another way */
	LASTACK_OUTCOME_FASTOPEN,	  /* required, and not accepted */
	LASTACK_OUTCOME_SYSTEM,	     /* local: permission, descriptors, disk */
	LASTACK_OUTCOME_INTERRUPTED, /* lastack_probe_interrupt() was called */
};

/*
 * The phases follow each other without a gap. RESOLVE: the name. CONNECT: the
 * handshake, over all addresses. SEND: until the kernel has the last byte of
 * the payload. WAIT: until the first byte of the response. RECEIVE: until the
 * response is complete. DRAIN: discarding until the peer's FIN or the time is
 * up. CLOSE: our own FIN or RST and the last ACK. Since 0.1.
 */
enum lastack_phase {
	LASTACK_PHASE_RESOLVE,
	LASTACK_PHASE_CONNECT,
	LASTACK_PHASE_SEND,
	LASTACK_PHASE_WAIT,
	LASTACK_PHASE_RECEIVE,
	LASTACK_PHASE_DRAIN,
	LASTACK_PHASE_CLOSE,
	LASTACK_PHASE_TOTAL,
};

/*
 * What happened when; each event at most once. Of a response that comes fast
 * and that nobody looks at, LAST_BYTE may be noticed up to a millisecond late.
 * Since 0.1.
 */
enum lastack_event {
	LASTACK_EVENT_START,
	LASTACK_EVENT_RESOLVED,
	LASTACK_EVENT_CONNECTING, /* the first SYN */
	LASTACK_EVENT_CONNECTED,
	LASTACK_EVENT_SENT, /* the kernel has the whole payload */
	LASTACK_EVENT_FIRST_BYTE,
	LASTACK_EVENT_LAST_BYTE, /* the last byte of the response */
	LASTACK_EVENT_MATCHED,
	LASTACK_EVENT_PEER_FIN,
	LASTACK_EVENT_PEER_RST,
	LASTACK_EVENT_LOCAL_FIN,
	LASTACK_EVENT_LOCAL_RST,
	LASTACK_EVENT_LAST_ACK, /* our FIN was seen to be acknowledged */
	LASTACK_EVENT_END,
	LASTACK_EVENT_COUNT, /* grows with the library */
};

enum lastack_family {
	LASTACK_FAMILY_ANY,
	LASTACK_FAMILY_IPV4,
	LASTACK_FAMILY_IPV6,
	LASTACK_FAMILY_UNIX, /* of a result; stream sockets */
};

/* How we end the connection. Since 0.1. */
enum lastack_close {
	LASTACK_CLOSE_AUTO, /* FIN if the peer has closed, RST otherwise */
	LASTACK_CLOSE_FIN,  /* FIN, even where the peer has not closed */
	LASTACK_CLOSE_RST,  /* RST, at once */
};

/* How a side ended the connection, as far as the run could see. Since 0.1. */
enum lastack_end {
	LASTACK_END_UNKNOWN, /* this system does not tell */
	LASTACK_END_NONE,    /* peer: never connected; local: sent neither */
	LASTACK_END_FIN,
	LASTACK_END_RST,
	LASTACK_END_FIN_RST, /* peer only: a reset after its FIN */
	LASTACK_END_OPEN,    /* peer only: had not closed when we ended */
	LASTACK_END_LOST,    /* peer only: timed out or became unreachable */
};

enum lastack_side {
	LASTACK_SIDE_UNKNOWN,
	LASTACK_SIDE_PEER,
	LASTACK_SIDE_LOCAL,
};

/* The header of HAProxy's PROXY protocol. Since 0.1. */
enum lastack_proxy {
	LASTACK_PROXY_OFF,
	LASTACK_PROXY_V1,    /* a line of text */
	LASTACK_PROXY_V2,    /* binary */
	LASTACK_PROXY_LOCAL, /* version 2, on no one's behalf */
};

/* TCP Fast Open, RFC 7413. Since 0.1. */
enum lastack_fastopen {
	LASTACK_FASTOPEN_OFF,
	LASTACK_FASTOPEN_TRY,
	LASTACK_FASTOPEN_REQUIRE, /* all but ACCEPTED is a failure */
};

/* What of the local side the kernel refused. Since 0.1. */
enum lastack_local {
	LASTACK_LOCAL_NONE,
	LASTACK_LOCAL_SOURCE,
	LASTACK_LOCAL_INTERFACE,
	LASTACK_LOCAL_MARK,
	LASTACK_LOCAL_TOS,
};

/* What became of it. Since 0.1. */
enum lastack_fastopen_status {
	LASTACK_FASTOPEN_UNKNOWN,     /* not told, or never connected */
	LASTACK_FASTOPEN_NOT_ASKED,   /* OFF */
	LASTACK_FASTOPEN_ACCEPTED,    /* all that the SYN carried was ACKed */
	LASTACK_FASTOPEN_PARTIAL,     /* a part of it was */
	LASTACK_FASTOPEN_REQUESTED,   /* no cookie yet: asked for one */
	LASTACK_FASTOPEN_REFUSED,     /* none of it was: sent again */
	LASTACK_FASTOPEN_BLACKHOLED,  /* that SYN was lost, a plain one not */
	LASTACK_FASTOPEN_PAUSED,      /* by the kernel's blackhole timer */
	LASTACK_FASTOPEN_DISABLED,    /* by sysctl net.ipv4.tcp_fastopen */
	LASTACK_FASTOPEN_UNSUPPORTED, /* by the kernel */
	LASTACK_FASTOPEN_UNUSED,      /* nothing to carry */
};

/* How a time of the wire was measured, the best first. Since 0.1. */
enum lastack_method {
	LASTACK_METHOD_NONE,
	LASTACK_METHOD_KERNEL_RTT,  /* the kernel's round trip of the SYN */
	LASTACK_METHOD_STAMP,	    /* the kernel's receive stamp */
	LASTACK_METHOD_STAMP_BOUND, /* likewise, at the latest */
	LASTACK_METHOD_CLOCK,	    /* read after waking up */
};

enum lastack_truth {
	LASTACK_UNKNOWN, /* not measured, or this system does not tell */
	LASTACK_NO,
	LASTACK_YES,
};

enum lastack_match {
	LASTACK_MATCH_UNDECIDED, /* the exchange ended before it was decided */
	LASTACK_MATCH_NONE,	 /* nothing was expected */
	LASTACK_MATCH_YES,
	LASTACK_MATCH_NO,
};

/* Which time lastack_request_set_time() sets. Since 0.1. */
enum lastack_time {
	LASTACK_TIME_TOTAL,   /* one deadline for everything; 10 s */
	LASTACK_TIME_CONNECT, /* per address; 0: only the deadline */
	LASTACK_TIME_IDLE,    /* silence that completes a response; 1 s */
	LASTACK_TIME_DRAIN,   /* wait for the peer's FIN; 100 ms */
	LASTACK_TIME_DELAY,   /* pause between payload and reading; 0 */
};

#define LASTACK_TIME_MAX_NS INT64_C(31536000000000000) /* a year */
#define LASTACK_KEEP_DEFAULT_BYTES 65536
#define LASTACK_TOS_ECN 3 /* the bits of a type of service that TCP uses */

struct lastack_request;
struct lastack_probe;

/*
 * Takes len bytes of the response as they arrive, in order. Returns 0, or an
 * errno value, which ends the run with LASTACK_OUTCOME_SYSTEM (INTERRUPTED, if
 * it has called lastack_probe_interrupt()). It is called on the thread that
 * steps the probe and must not block past the deadline.
 */
typedef int (*lastack_sink)(void *context, const void *data, size_t len);

/*
 * The result of a run. It belongs to the probe and lives as long; what was not
 * reached is absent from the events and phases, UNKNOWN or 0 here. The struct
 * only ever grows at its end: a member is there if it lies within the first
 * size bytes.
 */
struct lastack_result {
	size_t size; /* bytes of this struct that the running library filled */

	/* 0.1 */
	enum lastack_outcome outcome;
	enum lastack_phase error_phase; /* where it failed, unless ok */
	int error_errno;		/* what the kernel said, 0 if nothing */
	int interrupted_by;	    /* as given to lastack_probe_interrupt() */
	enum lastack_family family; /* UNIX also where never connected */
	uint16_t local_port;	    /* 0: never connected, or UNIX */

	uint64_t sent_bytes;	 /* payload the kernel took from us */
	uint64_t received_bytes; /* the response, up to its completion */
	uint64_t kept_bytes;	 /* of these, in lastack_result_response() */
	uint64_t drained_bytes;	 /* discarded after the completion */

	enum lastack_match match;
	int match_which; /* the expectation that matched, or (with "all") the
			    first that did not; from 0; -1: none to name */

	/*
	 * With UNIX, FIN is the end of what a side sends, RST a close with data
	 * unread, and truth unknown.
	 */
	enum lastack_end close_peer;
	enum lastack_end close_local; /* NONE, FIN or RST */
	enum lastack_side close_first;
	enum lastack_truth close_clean;	    /* both FINs, no RST, ours ACKed */
	enum lastack_truth close_last_ack;  /* our FIN was acknowledged */
	enum lastack_truth close_time_wait; /* this machine holds it now */

	/* TCP_INFO at the end of the exchange; has_kernel tells. */
	bool has_kernel;
	uint32_t rtt_us;
	uint32_t rttvar_us;
	uint32_t min_rtt_us; /* 0: no sample */
	uint32_t retransmits;
	uint32_t mss_bytes;
	uint32_t segments_out;
	uint32_t segments_in;

	enum lastack_fastopen fastopen;
	enum lastack_fastopen_status fastopen_status;
	enum lastack_truth fastopen_cookie; /* the kernel holds one now */
	uint64_t in_syn_bytes;		    /* payload that the SYN carried */

	/* The best estimate of what a capture would show; method NONE: none. */
	int64_t handshake_ns; /* SYN to SYN/ACK */
	enum lastack_method handshake_method;
	uint32_t
	    syn_retransmits;   /* of retransmits; also where never connected */
	int64_t first_byte_ns; /* first payload byte to first of the response */
	enum lastack_method first_byte_method;

	enum lastack_local error_local; /* why it never connected */
	/* The exchange that the run ended in, from 0; match is what it met. */
	uint32_t exchange;
};

/* One address that was tried. Since 0.1. */
struct lastack_attempt {
	size_t size;
	const char *address; /* numeric */
	enum lastack_outcome outcome;
	int error_errno; /* 0 if it connected */
	int64_t time_ns;
};

/* One exchange that was begun. Since 0.1. */
struct lastack_exchange {
	size_t size;
	uint64_t sent_bytes;
	uint64_t received_bytes;
	enum lastack_match match; /* as in the result */
	int match_which;
	int64_t send_ns, wait_ns, receive_ns; /* -1: not reached */
};

/*
 * ---- request: what to do. Fixed while a probe of it exists; may be shared by
 * any number of probes, one after another or side by side. Every setter
 * validates, and changes nothing when it fails.
 */

/* Returns NULL when memory is short. Since 0.1. */
LASTACK_API struct lastack_request *lastack_request_new(void);

/* Frees what the request copied; descriptors stay open. NULL is fine. */
LASTACK_API void lastack_request_free(struct lastack_request *request);

/* host: a name or a numeric address, copied; at most 1025 bytes. port: 1 up. */
LASTACK_API int lastack_request_set_target(
    struct lastack_request *request, const char *host, uint16_t port);

/*
 * Instead of a target: a Unix stream socket, by its path, or after '@' by its
 * abstract name; 1 to 107 bytes, without the '@'. What only TCP has cannot be
 * asked for then: a family, numeric, Fast Open, a local side, a close policy,
 * an expected close.
 */
LASTACK_API int lastack_request_set_path(
    struct lastack_request *request, const char *path);

LASTACK_API int lastack_request_set_family(
    struct lastack_request *request, enum lastack_family family);

/*
 * Every address of the name is probed with the whole request, one after
 * another, within the one deadline, whether or not another connected. Each has
 * an attempt of its own, with the outcome and the time of its run, and the
 * result is that of the first of those with the worst outcome: from bad to
 * worse FASTOPEN, CLOSE_MISMATCH, MISMATCH, CLOSED_EARLY, RESET,
 * RESPONSE_TIMEOUT, REFUSED, UNREACHABLE, CONNECT_TIMEOUT (also for lack of
 * time), SYSTEM, INTERRUPTED. Its connect phase has what came before it. A sink
 * takes all responses. A descriptor in the payload has to be seekable.
 */
LASTACK_API int lastack_request_set_all_addresses(
    struct lastack_request *request, bool all_addresses);

/* The host must be an address; nothing is ever resolved. */
LASTACK_API int lastack_request_set_numeric(
    struct lastack_request *request, bool numeric);

/* Appends len bytes, copied, to the payload. */
LASTACK_API int lastack_request_add_payload(
    struct lastack_request *request, const void *data, size_t len);

/*
 * Appends all that fd gives from its present offset to its end. The
 * descriptor is borrowed and must stay open and blocking while probes run; it
 * is streamed, never read whole. A seekable one is read anew by every probe,
 * and its offset does not move. Any other also ends where the peer has closed
 * and it gives nothing for IDLE.
 */
LASTACK_API int lastack_request_add_payload_fd(
    struct lastack_request *request, int fd);

/*
 * Ends an exchange and begins the next one on the same connection. Payload,
 * expectations, maxbytes, IDLE and DELAY are those of the exchange that was
 * begun last. An exchange must send, expect or take at most so many bytes; the
 * next one begins when its expectations are met (without any: when its response
 * is complete), and finds what was received behind that.
 */
LASTACK_API int lastack_request_add_exchange(struct lastack_request *request);

/*
 * A goodbye, copied, sent once the last exchange is over, unless the peer has
 * closed by then or is lost; len 0: none. Not with half-close.
 */
LASTACK_API int lastack_request_set_quit(
    struct lastack_request *request, const void *data, size_t len);

/*
 * An exchange is over when its payload is sent and the DELAY has passed: no
 * response is awaited. Not with an expectation or a sink. Since 0.1.
 */
LASTACK_API int lastack_request_set_send_only(
    struct lastack_request *request, bool send_only);

/* After the payload (the last one), send our FIN and read on. */
LASTACK_API int lastack_request_set_half_close(
    struct lastack_request *request, bool half_close);

/* The response must contain these bytes, copied. len 0: any byte at all. */
LASTACK_API int lastack_request_add_expect(
    struct lastack_request *request, const void *data, size_t len);

/*
 * The response must match this POSIX extended regular expression. '^' is its
 * beginning, '$' its end, and '.' any byte but NUL. It is decided by the first
 * bytes that hold a match, however they arrive; at most 64 KiB before them are
 * looked at. ARGUMENT: not an expression.
 */
LASTACK_API int lastack_request_add_expect_regex(
    struct lastack_request *request, const char *regex);

/*
 * The response must not contain these bytes, copied, at least one, before the
 * other expectations are met; without any other, in all of it. It fails at once
 * when they appear.
 */
LASTACK_API int lastack_request_add_unwanted(
    struct lastack_request *request, const void *data, size_t len);

/* All expectations must be met, not any of them. */
LASTACK_API int lastack_request_set_expect_all(
    struct lastack_request *request, bool all);

/*
 * The response must begin with one of the strings that are expected, or with
 * all of them, and is complete as soon as it cannot any more. Since 0.1.
 */
LASTACK_API int lastack_request_set_expect_start(
    struct lastack_request *request, bool start);

/*
 * How the peer must have ended: FIN, RST (also after its FIN) or OPEN; UNKNOWN
 * takes the demand back.
 */
LASTACK_API int lastack_request_set_expect_close(
    struct lastack_request *request, enum lastack_end end);

/* The response is complete after this many bytes; 0: no limit. */
LASTACK_API int lastack_request_set_maxbytes(
    struct lastack_request *request, uint64_t bytes);

/*
 * 0 to LASTACK_TIME_MAX_NS; for TOTAL and IDLE at least 1. IDLE of
 * LASTACK_TIME_MAX_NS or more than what is left means: never.
 */
LASTACK_API int lastack_request_set_time(
    struct lastack_request *request, enum lastack_time which, int64_t ns);

LASTACK_API int lastack_request_set_close(
    struct lastack_request *request, enum lastack_close policy);

/*
 * The first bytes of the payload ride on the SYN, where they are there without
 * a wait and the kernel has a cookie.
 */
LASTACK_API int lastack_request_set_fastopen(
    struct lastack_request *request, enum lastack_fastopen fastopen);

/*
 * Where the connection comes from: a numeric address, with a zone where it
 * needs one (NULL: any), and a port (0: the kernel's choice). An address of the
 * target that is of another family is an attempt that fails with EAFNOSUPPORT.
 */
LASTACK_API int lastack_request_set_source(
    struct lastack_request *request, const char *address, uint16_t port);

/* The interface that it leaves by and comes in by; NULL: by the routes. */
LASTACK_API int lastack_request_set_interface(
    struct lastack_request *request, const char *name);

/* The mark of its packets (SO_MARK); 0, which none has anyway, sets none. */
LASTACK_API int lastack_request_set_mark(
    struct lastack_request *request, uint32_t mark);

/*
 * The type of service, or traffic class, of its packets: the DSCP in the upper
 * six bits; ARGUMENT for any of LASTACK_TOS_ECN. 0 sets none.
 */
LASTACK_API int lastack_request_set_tos(
    struct lastack_request *request, uint8_t tos);

/*
 * A header in front of the first byte of the payload, in the same segment, and
 * in the SYN with Fast Open; sent_bytes counts it. It is there as a payload is,
 * also where there is no other.
 */
LASTACK_API int lastack_request_set_proxy(
    struct lastack_request *request, enum lastack_proxy version);

/*
 * What V1 and V2 tell: a numeric address with its port; NULL with 0 is the real
 * one, by getsockname(2) or the target's. Where the two are of different
 * families the one of IPv4 becomes an IPv4-mapped address; V1 with two that are
 * known to be is an ARGUMENT of lastack_request_check(), and so is either with
 * another version. A path has no real ones: both have to be given.
 */
LASTACK_API int lastack_request_set_proxy_source(
    struct lastack_request *request, const char *address, uint16_t port);
LASTACK_API int lastack_request_set_proxy_destination(
    struct lastack_request *request, const char *address, uint16_t port);

/*
 * Connect, send nothing, read nothing, end. A request with neither payload,
 * half-close, expectation nor sink is one without this call.
 */
LASTACK_API int lastack_request_set_connect_only(
    struct lastack_request *request, bool connect_only);

/*
 * For those who count: does without what costs something and no verdict needs,
 * the kernel's receive stamp (the first byte's method is CLOCK then) and the
 * name of the congestion control. Unless another program has stamps anyway, as
 * those that set the clock by the network do, switching them on and off again
 * costs the machine up to some milliseconds. Since 0.1.
 */
LASTACK_API int lastack_request_set_lean(
    struct lastack_request *request, bool lean);

/* How much of the response to keep for lastack_result_response(); 0. */
LASTACK_API int lastack_request_set_keep(
    struct lastack_request *request, size_t bytes);

/* Hand the response to a function; NULL takes it back. */
LASTACK_API int lastack_request_set_sink(
    struct lastack_request *request, lastack_sink sink, void *context);

/*
 * The descriptor, borrowed, that the sink writes to: while it takes nothing, as
 * a pipe that is full, nothing is read for the sink, and we go on sending. The
 * sink is then given 4096 bytes at most, which a pipe that is ready takes
 * without blocking. -1, the default: none.
 */
LASTACK_API int lastack_request_set_sink_fd(
    struct lastack_request *request, int fd);

/*
 * Whether a probe can be made of it: it has a target and does not contradict
 * itself (an address or a source of the wrong family, connect-only with a
 * payload, a name where only an address may be, Fast Open with a path). 0, or
 * LASTACK_ERROR_ARGUMENT.
 */
LASTACK_API int lastack_request_check(const struct lastack_request *request);

/*
 * ---- probe: one run of a request.
 */

/*
 * The clock starts here; what the kernel takes to switch on receive stamps comes
 * before. On success *probe is the caller's, to be freed by
 * lastack_probe_free(). ARGUMENT: as lastack_request_check(). Since 0.1.
 */
LASTACK_API int lastack_probe_new(
    const struct lastack_request *request, struct lastack_probe **probe);

/* A run that is not over is ended with a reset and tells no one. */
LASTACK_API void lastack_probe_free(struct lastack_probe *probe);

/*
 * Runs to the end and returns 0. mask, if not NULL, points to a sigset_t, the
 * signal mask while it waits, as in ppoll(2). INTERRUPTED: a handler ran
 * meanwhile; call again to go on, after lastack_probe_interrupt() to end it.
 */
LASTACK_API int lastack_probe_run(
    struct lastack_probe *probe, const void *mask);

/*
 * For a poll loop of the caller's: wait until the descriptor is readable or
 * the deadline (an instant of CLOCK_MONOTONIC) is reached, then step. Step
 * never blocks; it returns 1 while the run goes on, 0 when it is over, or an
 * error.
 */
LASTACK_API int lastack_probe_fd(const struct lastack_probe *probe);
LASTACK_API int64_t lastack_probe_deadline_ns(
    const struct lastack_probe *probe);
LASTACK_API int lastack_probe_step(struct lastack_probe *probe);

/*
 * Ends the run by its close policy, without waiting any longer, at the next
 * step. signo is told in the result. Not to be called from a signal handler.
 */
LASTACK_API void lastack_probe_interrupt(
    struct lastack_probe *probe, int signo);

/* Final once the run is over; outcome NONE before. */
LASTACK_API const struct lastack_result *lastack_probe_result(
    const struct lastack_probe *probe);

/*
 * ---- result: what a struct that only grows cannot hold. Strings and lists
 * belong to the result.
 */

/* Numeric addresses, NULL where never connected. Since 0.1. */
LASTACK_API const char *lastack_result_remote(
    const struct lastack_result *result);
LASTACK_API const char *lastack_result_local(
    const struct lastack_result *result);

/* Why it failed, in the system's words: the resolver's, or strerror()'s. */
LASTACK_API const char *lastack_result_error_text(
    const struct lastack_result *result);

/* The congestion control algorithm, "cubic"; NULL where it is not told. */
LASTACK_API const char *lastack_result_congestion(
    const struct lastack_result *result);

/* -1: not reached. */
LASTACK_API int64_t lastack_result_phase_ns(
    const struct lastack_result *result, enum lastack_phase phase);
LASTACK_API int64_t lastack_result_event_ns(
    const struct lastack_result *result, enum lastack_event event);

LASTACK_API size_t lastack_result_attempts(const struct lastack_result *result);
LASTACK_API const struct lastack_attempt *lastack_result_attempt(
    const struct lastack_result *result, size_t index);

/* Those that were begun, in order; none in a pure connect check. */
LASTACK_API size_t lastack_result_exchanges(
    const struct lastack_result *result);
LASTACK_API const struct lastack_exchange *lastack_result_exchange(
    const struct lastack_result *result, size_t index);

/*
 * What the regular expression that matched matched (0) and its groups (from 1,
 * at most 9): raw bytes; NULL for a group that took no part.
 */
LASTACK_API size_t lastack_result_groups(const struct lastack_result *result);
LASTACK_API const void *lastack_result_group(
    const struct lastack_result *result, size_t index, size_t *len);

/* The first kept_bytes of the response, raw; never NULL. */
LASTACK_API const void *lastack_result_response(
    const struct lastack_result *result);

/* The words of the command's reports; never NULL. Since 0.1. */
LASTACK_API const char *lastack_outcome_name(enum lastack_outcome outcome);
LASTACK_API const char *lastack_phase_name(enum lastack_phase phase);
LASTACK_API const char *lastack_event_name(enum lastack_event event);
LASTACK_API const char *lastack_end_name(enum lastack_end end);
LASTACK_API const char *lastack_fastopen_name(
    enum lastack_fastopen_status status);
LASTACK_API const char *lastack_method_name(enum lastack_method method);
LASTACK_API const char *lastack_error_text(int error);

/* Of the running library, "0.1.0". Since 0.1. */
LASTACK_API const char *lastack_version(void);

#ifdef __cplusplus
}
#endif

#endif
