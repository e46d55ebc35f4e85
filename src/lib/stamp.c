/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#ifdef LASTACK_STAMPS
#include <linux/net_tstamp.h>
#endif

#include "clock.h"
#include "stamp.h"

/* Steps of CLOCK_REALTIME below that are what reading two clocks costs. */
#define STEP_NS 20000
#define READINGS 3

#ifdef LASTACK_STAMPS

/* The readings that were nearest to each other: we may be held up in between. */
void
lastack__stamp_clocks(struct lastack__clocks *clocks)
{
	int64_t least_ns = INT64_MAX;

	for (int i = 0; i < READINGS; i++) {
		struct timespec real;
		int64_t before_ns = lastack__clock_now_ns();
		int64_t apart_ns;

		clock_gettime(CLOCK_REALTIME, &real);
		apart_ns = lastack__clock_now_ns() - before_ns;
		if (apart_ns >= least_ns)
			continue;
		least_ns = apart_ns;
		clocks->offset_ns = (int64_t)real.tv_sec * 1000000000 +
		    real.tv_nsec - (before_ns + apart_ns / 2);
	}
}

void
lastack__stamp_ask(int fd)
{
	int flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;

	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags));
}

/* The work is queued on this processor: net_enable_timestamp() in the kernel. */
void
lastack__stamp_settle(void)
{
	sched_yield();
}

static int64_t
stamp_of(struct msghdr *message)
{
	struct timespec stamps[3];

	for (struct cmsghdr *item = CMSG_FIRSTHDR(message); item != NULL;
	     item = CMSG_NXTHDR(message, item)) {
		if (item->cmsg_level != SOL_SOCKET ||
		    item->cmsg_type != SO_TIMESTAMPING ||
		    item->cmsg_len < CMSG_LEN(sizeof(stamps)))
			continue;
		memcpy(stamps, CMSG_DATA(item), sizeof(stamps));
		if (stamps[0].tv_sec != 0)
			return (int64_t)stamps[0].tv_sec * 1000000000 +
			    stamps[0].tv_nsec;
	}
	return -1;
}

ssize_t
lastack__stamp_receive(int fd, void *data, size_t len,
    const struct lastack__clocks *clocks, int64_t *stamp_ns)
{
	union {
		struct cmsghdr header;
		unsigned char bytes[256];
	} control;
	struct iovec part = { .iov_base = data, .iov_len = len };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct lastack__clocks now;
	int64_t real_ns;
	ssize_t n = recvmsg(fd, &message, data == NULL ? MSG_TRUNC : 0);

	*stamp_ns = -1;
	if (n <= 0)
		return n;
	real_ns = stamp_of(&message);
	lastack__stamp_clocks(&now);
	/* If the clock was set meanwhile, the stamp means nothing. */
	if (real_ns != -1 && now.offset_ns - clocks->offset_ns < STEP_NS &&
	    clocks->offset_ns - now.offset_ns < STEP_NS)
		*stamp_ns = real_ns - now.offset_ns;
	return n;
}

#else

void
lastack__stamp_clocks(struct lastack__clocks *clocks)
{
	clocks->offset_ns = 0;
}

void
lastack__stamp_ask(int fd)
{
	(void)fd;
}

void
lastack__stamp_settle(void)
{
}

ssize_t
lastack__stamp_receive(int fd, void *data, size_t len,
    const struct lastack__clocks *clocks, int64_t *stamp_ns)
{
	(void)clocks;
	*stamp_ns = -1;
	return recv(fd, data, len, data == NULL ? MSG_TRUNC : 0);
}

#endif
