/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lastack.h"
#include "payload.h"

/* As much as one send() of a 64 KiB loopback segment takes at once. */
#define BITE_BYTES 65536

static struct lastack__part *
payload_grow(struct lastack__payload *payload)
{
	struct lastack__part *parts;

	parts =
	    reallocarray(payload->parts, payload->count + 1, sizeof(*parts));
	if (parts == NULL)
		return NULL;
	payload->parts = parts;
	parts[payload->count] = (struct lastack__part){ .fd = -1 };
	return &parts[payload->count];
}

int
lastack__payload_add(
    struct lastack__payload *payload, const void *data, size_t len)
{
	struct lastack__part *part = NULL;
	unsigned char *bytes;

	if (len == 0)
		return 0;
	if (payload->count > 0 && payload->parts[payload->count - 1].fd == -1)
		part = &payload->parts[payload->count - 1];
	else if ((part = payload_grow(payload)) == NULL)
		return LASTACK_ERROR_MEMORY;
	if (len > SIZE_MAX - part->len)
		return LASTACK_ERROR_ARGUMENT;
	bytes = realloc(part->bytes, part->len + len);
	if (bytes == NULL)
		return LASTACK_ERROR_MEMORY;
	memcpy(bytes + part->len, data, len);
	if (part->bytes == NULL)
		payload->count++;
	part->bytes = bytes;
	part->len += len;
	return 0;
}

int
lastack__payload_add_fd(struct lastack__payload *payload, int fd)
{
	struct lastack__part *part;

	if (fd < 0)
		return LASTACK_ERROR_ARGUMENT;
	part = payload_grow(payload);
	if (part == NULL)
		return LASTACK_ERROR_MEMORY;
	part->fd = fd;
	part->start = lseek(fd, 0, SEEK_CUR);
	payload->count++;
	return 0;
}

void
lastack__payload_free(struct lastack__payload *payload)
{
	for (size_t i = 0; i < payload->count; i++)
		free(payload->parts[i].bytes);
	free(payload->parts);
	*payload = (struct lastack__payload){ 0 };
}

bool
lastack__payload_ready(const struct lastack__payload *payload)
{
	const struct lastack__part *first = payload->parts;

	return payload->count > 0 && (first->fd == -1 || first->start != -1);
}

bool
lastack__payload_has_stream(const struct lastack__payload *payload)
{
	for (size_t i = 0; i < payload->count; i++)
		if (payload->parts[i].fd != -1 && payload->parts[i].start == -1)
			return true;
	return false;
}

void
lastack__cursor_begin(
    struct lastack__cursor *cursor, const struct lastack__payload *payload)
{
	*cursor = (struct lastack__cursor){ .payload = payload };
}

void
lastack__cursor_free(struct lastack__cursor *cursor)
{
	free(cursor->buffer);
	free(cursor->front);
	cursor->buffer = cursor->front = NULL;
}

static const struct lastack__part *
cursor_part(const struct lastack__cursor *cursor)
{
	if (cursor->part == cursor->payload->count)
		return NULL;
	return &cursor->payload->parts[cursor->part];
}

int
lastack__cursor_stream(const struct lastack__cursor *cursor)
{
	const struct lastack__part *part = cursor_part(cursor);

	if (part == NULL || part->fd == -1 || part->start != -1)
		return -1;
	return part->fd;
}

bool
lastack__cursor_closes(const struct lastack__cursor *cursor)
{
	/* A header may be all that there is. */
	return cursor->part + 1 >= cursor->payload->count &&
	    lastack__cursor_stream(cursor) == -1;
}

void
lastack__cursor_poll(struct lastack__cursor *cursor)
{
	struct pollfd stream = { .fd = lastack__cursor_stream(cursor),
		.events = POLLIN };

	if (stream.fd != -1 && poll(&stream, 1, 0) == 1)
		cursor->stream_ready = true;
}

/* Returns what read() does; EAGAIN where a stream might block. */
static ssize_t
cursor_fill(struct lastack__cursor *cursor, const struct lastack__part *part)
{
	ssize_t n;

	if (cursor->buffer == NULL)
		cursor->buffer = malloc(BITE_BYTES);
	if (cursor->buffer == NULL)
		return -1;
	if (part->start != -1) {
		do
			n = pread(part->fd, cursor->buffer, BITE_BYTES,
			    part->start + cursor->offset);
		while (n == -1 && errno == EINTR);
	} else if (cursor->stream_ready) {
		/* One read for one readiness: a second one could block. */
		n = read(part->fd, cursor->buffer, BITE_BYTES);
		cursor->stream_ready = false;
		if (n == -1 && errno == EINTR)
			errno = EAGAIN;
	} else {
		errno = EAGAIN;
		n = -1;
	}
	cursor->begin = 0;
	cursor->end = n > 0 ? (size_t)n : 0;
	return n;
}

/* Whether a part has bytes past an offset that are to be had without a wait. */
static bool
part_has_more(const struct lastack__part *part, off_t offset)
{
	struct stat status;

	if (part->fd == -1)
		return (off_t)part->len > offset;
	return part->start != -1 && fstat(part->fd, &status) == 0 &&
	    S_ISREG(status.st_mode) && status.st_size > part->start + offset;
}

/* Whether bytes follow these len, of this part or of the next one. */
static bool
cursor_more(const struct lastack__cursor *cursor,
    const struct lastack__part *part, size_t len)
{
	const struct lastack__part *end =
	    cursor->payload->parts + cursor->payload->count;

	if (part->fd != -1 && part->start == -1)
		return false; /* a stream may pause before what follows it */
	if (part_has_more(part, cursor->offset + (off_t)len))
		return true;
	for (part++; part < end; part++) {
		if (part_has_more(part, 0))
			return true;
		if (part->fd != -1 && part->start == -1)
			return false;
	}
	return false;
}

/* Whether bytes follow those in front. */
static bool
front_more(const struct lastack__cursor *cursor)
{
	const struct lastack__part *part = cursor_part(cursor);

	return part != NULL &&
	    (cursor->begin < cursor->end || cursor_more(cursor, part, 0));
}

enum lastack__peek
lastack__cursor_peek(struct lastack__cursor *cursor, const unsigned char **data,
    size_t *len, bool *more)
{
	const struct lastack__part *part;

	if (cursor->front_begin < cursor->front_end) {
		*data = cursor->front + cursor->front_begin;
		*len = cursor->front_end - cursor->front_begin;
		*more = front_more(cursor);
		return LASTACK__PEEK_DATA;
	}
	while ((part = cursor_part(cursor)) != NULL) {
		if (part->fd == -1 && cursor->offset < (off_t)part->len) {
			*data = part->bytes + cursor->offset;
			*len = part->len - (size_t)cursor->offset;
			*more = cursor_more(cursor, part, *len);
			return LASTACK__PEEK_DATA;
		}
		if (part->fd != -1 && cursor->begin == cursor->end) {
			ssize_t n = cursor_fill(cursor, part);

			if (n == -1)
				return errno == EAGAIN ? LASTACK__PEEK_WAIT :
							 LASTACK__PEEK_FAILED;
		}
		if (cursor->begin < cursor->end) {
			*data = cursor->buffer + cursor->begin;
			*len = cursor->end - cursor->begin;
			*more = cursor_more(cursor, part, *len);
			return LASTACK__PEEK_DATA;
		}
		cursor->part++;
		cursor->offset = 0;
	}
	return LASTACK__PEEK_END;
}

void
lastack__cursor_take(struct lastack__cursor *cursor, size_t len)
{
	if (cursor->front_begin < cursor->front_end) {
		cursor->front_begin += len;
		return;
	}
	cursor->offset += (off_t)len;
	if (cursor_part(cursor)->fd != -1)
		cursor->begin += len;
}

int
lastack__cursor_gather(struct lastack__cursor *cursor)
{
	const unsigned char *data;
	size_t len = 0;
	bool more;

	if (cursor->front != NULL)
		return 0;
	cursor->front = malloc(LASTACK__LEAD_MAX + BITE_BYTES);
	if (cursor->front == NULL)
		return LASTACK_ERROR_MEMORY;
	lastack__cursor_poll(cursor);
	/* A read that fails will do so again, when the header has gone out. */
	if (lastack__cursor_peek(cursor, &data, &len, &more) ==
	    LASTACK__PEEK_DATA) {
		len = len < BITE_BYTES ? len : BITE_BYTES;
		memcpy(cursor->front + LASTACK__LEAD_MAX, data, len);
		lastack__cursor_take(cursor, len);
	} else {
		len = 0;
	}
	cursor->front_begin = LASTACK__LEAD_MAX;
	cursor->front_end = LASTACK__LEAD_MAX + len;
	return 0;
}

void
lastack__cursor_lead(
    struct lastack__cursor *cursor, const void *header, size_t len)
{
	cursor->front_begin = LASTACK__LEAD_MAX - len;
	memcpy(cursor->front + cursor->front_begin, header, len);
}
