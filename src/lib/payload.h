/* SPDX-License-Identifier: BSD-2-Clause */
/* What to send: parts of memory and of descriptors, and a way through them. */
#ifndef LASTACK_PAYLOAD_H
#define LASTACK_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct lastack__part {
	unsigned char *bytes; /* owned; NULL for a descriptor */
	size_t len;
	int fd;	     /* borrowed; -1 for memory */
	off_t start; /* where it was when it was added; -1: a stream */
};

struct lastack__payload {
	struct lastack__part *parts;
	size_t count;
};

/* 0, or LASTACK_ERROR_*. Memory next to memory becomes one part. */
int lastack__payload_add(
    struct lastack__payload *payload, const void *data, size_t len);
int lastack__payload_add_fd(struct lastack__payload *payload, int fd);
void lastack__payload_free(struct lastack__payload *payload);

/* Its first bytes are there without a wait. */
bool lastack__payload_ready(const struct lastack__payload *payload);

/* Some of it can be read only once. */
bool lastack__payload_has_stream(const struct lastack__payload *payload);

/* One run's way through a payload. */
struct lastack__cursor {
	const struct lastack__payload *payload;
	size_t part;
	off_t offset;	       /* in the part: taken so far */
	unsigned char *buffer; /* a bite out of a descriptor */
	size_t begin, end;     /* what of the buffer is not taken yet */
	bool stream_ready;     /* one read of a stream will not block */

	/* A header and the payload's first bytes, to leave in one segment. */
	unsigned char *front;
	size_t front_begin, front_end; /* what of it is not taken yet */
};

#define LASTACK__LEAD_MAX 108 /* a header's bytes, at most */

enum lastack__peek {
	LASTACK__PEEK_DATA,
	LASTACK__PEEK_END,
	LASTACK__PEEK_WAIT,  /* until the stream is readable */
	LASTACK__PEEK_FAILED /* errno says why */
};

void lastack__cursor_begin(
    struct lastack__cursor *cursor, const struct lastack__payload *payload);
void lastack__cursor_free(struct lastack__cursor *cursor);

/*
 * The next bytes, without taking them. more: others are known to follow at
 * once. The bytes are valid until the next call.
 */
enum lastack__peek lastack__cursor_peek(struct lastack__cursor *cursor,
    const unsigned char **data, size_t *len, bool *more);
void lastack__cursor_take(struct lastack__cursor *cursor, size_t len);

/*
 * Gathers the first bytes, as far as they are there without a wait, for a
 * header to come in front of them: 0, or LASTACK_ERROR_MEMORY. Then puts one
 * there, in place of the one before.
 */
int lastack__cursor_gather(struct lastack__cursor *cursor);
void lastack__cursor_lead(
    struct lastack__cursor *cursor, const void *header, size_t len);

/* What is peeked at is of the last part, and that is not a stream. */
bool lastack__cursor_closes(const struct lastack__cursor *cursor);

/* Notices, without waiting, that the stream which comes next is readable. */
void lastack__cursor_poll(struct lastack__cursor *cursor);

/* The stream whose readiness the cursor waits for, or -1. */
int lastack__cursor_stream(const struct lastack__cursor *cursor);

#endif
