/* SPDX-License-Identifier: BSD-2-Clause */
/* The conversation as the command line has it: one exchange, or several. */
#ifndef TALK_H
#define TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum piece_kind {
	PIECE_STRING,
	PIECE_HEX,
	PIECE_FILE,
};

/* A part of the payload, as written. */
struct piece {
	enum piece_kind kind;
	const char *value;
};

enum expectation_kind {
	EXPECTATION_STRING,
	EXPECTATION_HEX,
	EXPECTATION_REGEX,
	EXPECTATION_NOT, /* a string that must not appear */
};

struct expectation {
	enum expectation_kind kind;
	const char *value;
};

/* One exchange. */
struct turn {
	struct piece *pieces; /* owned */
	size_t piece_count;
	struct expectation *expectations; /* owned; as written */
	size_t expectation_count;
	bool all;
	uint64_t maxbytes;
	int64_t idle_ns, delay_ns; /* 0: the default */
};

struct talk {
	struct turn *turns; /* owned */
	size_t count;	    /* 0: nothing was said of any */
};

/* The one that options speak of; NULL: no memory. */
struct turn *talk_turn(struct talk *talk);

/* Each returns NULL, or why not. The strings are borrowed. */
const char *talk_add_piece(
    struct talk *talk, enum piece_kind kind, const char *value);
const char *talk_add_expectation(
    struct talk *talk, enum expectation_kind kind, const char *value);
const char *talk_then(struct talk *talk);

/* Neither payload, expectation nor maxbytes. */
bool talk_is_empty(const struct turn *turn);

/* In all exchanges. */
size_t talk_pieces(const struct talk *talk);
size_t talk_expectations(const struct talk *talk);

void talk_free(struct talk *talk);

#endif
