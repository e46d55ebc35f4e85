/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "clock.h"
#include "fastopen.h"
#include "payload.h"
#include "proxy.h"

#if defined(LASTACK_FASTOPEN_CONNECT) || defined(MSG_FASTOPEN)

/* The bytes of the load; there are some. */
static const unsigned char *
load_bytes(const struct lastack__load *load, size_t *len)
{
	const unsigned char *bytes = NULL;
	bool more;

	*len = 0;
	lastack__cursor_peek(load->cursor, &bytes, len, &more);
	return bytes;
}

#endif

/*
 * Where a cookie is there, connect() returns 0 and does nothing: the SYN leaves
 * with the first send(), so that there must be one. Where none is, it sends a
 * plain SYN that asks for one.
 */
#ifdef LASTACK_FASTOPEN_CONNECT

int
lastack__fastopen_connect(int fd, const struct sockaddr *address, socklen_t len,
    const struct lastack__load *load, struct lastack__syn *syn)
{
	const unsigned char *payload;
	size_t payload_bytes;
	int on = 1;
	ssize_t n;

	if (setsockopt(
		fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on)) == -1) {
		syn->opening = errno == EOPNOTSUPP ?
		    LASTACK__OPENING_DISABLED :
		    LASTACK__OPENING_UNSUPPORTED;
		return 0;
	}
	syn->opening = LASTACK__OPENING_EMPTY;
	syn->sent_ns = lastack__clock_now_ns();
	if (connect(fd, address, len) == -1)
		return errno == EINPROGRESS ? 0 : errno;
	/* The port has been chosen, though no SYN has left. */
	if (load->proxy != NULL)
		lastack__proxy_lead(load->proxy, fd, address, load->cursor);
	payload = load_bytes(load, &payload_bytes);
	syn->sent_ns = lastack__clock_now_ns();
	n = send(fd, payload, payload_bytes, MSG_NOSIGNAL);
	if (n == -1) /* EINPROGRESS: the cookie has just expired */
		return errno == EINPROGRESS ? 0 : errno;
	syn->opening = LASTACK__OPENING_LOADED;
	syn->payload_bytes = (size_t)n;
	return 0;
}

#elif defined(MSG_FASTOPEN)

/* The way of kernels before 4.11: sendto() connects. */
int
lastack__fastopen_connect(int fd, const struct sockaddr *address, socklen_t len,
    const struct lastack__load *load, struct lastack__syn *syn)
{
	const unsigned char *payload;
	size_t payload_bytes;
	ssize_t n;

	/* The header would need our address, which sendto() chooses. */
	if (load->proxy != NULL) {
		syn->opening = LASTACK__OPENING_UNSUPPORTED;
		return 0;
	}
	payload = load_bytes(load, &payload_bytes);
	syn->sent_ns = lastack__clock_now_ns();
	n = sendto(fd, payload, payload_bytes, MSG_FASTOPEN | MSG_NOSIGNAL,
	    address, len);
	if (n >= 0) {
		syn->opening = LASTACK__OPENING_LOADED;
		syn->payload_bytes = (size_t)n;
		return 0;
	}
	switch (errno) {
	case EINPROGRESS:
		syn->opening = LASTACK__OPENING_EMPTY;
		return 0;
	case EOPNOTSUPP:
		syn->opening = LASTACK__OPENING_DISABLED;
		return 0;
	case ENOTCONN: /* a kernel that does not know the flag */
	case EPIPE:
		syn->opening = LASTACK__OPENING_UNSUPPORTED;
		return 0;
	default:
		return errno;
	}
}

#else

int
lastack__fastopen_connect(int fd, const struct sockaddr *address, socklen_t len,
    const struct lastack__load *load, struct lastack__syn *syn)
{
	(void)fd;
	(void)address;
	(void)len;
	(void)load;
	syn->opening = LASTACK__OPENING_UNSUPPORTED;
	return 0;
}

#endif

/* tcpi_fastopen_client_fail: enum tcp_fastopen_client_fail in linux/tcp.h. */
enum {
	FAIL_UNSPECIFIED,
	FAIL_COOKIE_UNAVAILABLE,
	FAIL_DATA_NOT_ACKED,
	FAIL_SYN_RETRANSMITTED,
};

static enum lastack_fastopen_status
status_of_empty(
    const struct lastack__evidence *evidence, enum lastack_truth known)
{
	if (evidence->fastopen_fail == FAIL_COOKIE_UNAVAILABLE)
		return LASTACK_FASTOPEN_REQUESTED;
	if (evidence->has_fastopen_fail || known == LASTACK_YES)
		return LASTACK_FASTOPEN_PAUSED;
	if (known == LASTACK_NO)
		return LASTACK_FASTOPEN_REQUESTED;
	return LASTACK_FASTOPEN_UNKNOWN;
}

/* What the SYN/ACK did not take is sent again at once. */
static enum lastack_fastopen_status
status_of_loaded(
    const struct lastack__syn *syn, const struct lastack__evidence *evidence)
{
	if (!evidence->has_figures)
		return LASTACK_FASTOPEN_UNKNOWN;
	if (evidence->syn_data_acked)
		return LASTACK_FASTOPEN_ACCEPTED;
	if (evidence->fastopen_fail == FAIL_SYN_RETRANSMITTED)
		return LASTACK_FASTOPEN_BLACKHOLED;
	/* The SYN counts as one; what was sent again may be ACKed by now. */
	if (evidence->bytes_acked > 1 && evidence->has_resent &&
	    evidence->resent_bytes < syn->payload_bytes)
		return LASTACK_FASTOPEN_PARTIAL;
	return LASTACK_FASTOPEN_REFUSED;
}

enum lastack_fastopen_status
lastack__fastopen_status(const struct lastack__syn *syn,
    const struct lastack__evidence *evidence, enum lastack_truth known)
{
	switch (syn->opening) {
	case LASTACK__OPENING_PLAIN:
		return LASTACK_FASTOPEN_UNUSED;
	case LASTACK__OPENING_DISABLED:
		return LASTACK_FASTOPEN_DISABLED;
	case LASTACK__OPENING_UNSUPPORTED:
		return LASTACK_FASTOPEN_UNSUPPORTED;
	case LASTACK__OPENING_EMPTY:
		return status_of_empty(evidence, known);
	case LASTACK__OPENING_LOADED:
		return status_of_loaded(syn, evidence);
	}
	return LASTACK_FASTOPEN_UNKNOWN;
}
