/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <stdlib.h>

#include "talk.h"

#define TURNS_MAX 1000

static struct turn *
add_turn(struct talk *talk)
{
	struct turn *turns =
	    reallocarray(talk->turns, talk->count + 1, sizeof(*turns));

	if (turns == NULL)
		return NULL;
	talk->turns = turns;
	turns[talk->count] = (struct turn){ 0 };
	return &turns[talk->count++];
}

struct turn *
talk_turn(struct talk *talk)
{
	if (talk->count == 0)
		return add_turn(talk);
	return &talk->turns[talk->count - 1];
}

const char *
talk_add_piece(struct talk *talk, enum piece_kind kind, const char *value)
{
	struct turn *turn = talk_turn(talk);
	struct piece *pieces;

	if (turn == NULL)
		return "out of memory";
	pieces =
	    reallocarray(turn->pieces, turn->piece_count + 1, sizeof(*pieces));
	if (pieces == NULL)
		return "out of memory";
	turn->pieces = pieces;
	pieces[turn->piece_count++] =
	    (struct piece){ .kind = kind, .value = value };
	return NULL;
}

const char *
talk_add_expectation(
    struct talk *talk, enum expectation_kind kind, const char *value)
{
	struct turn *turn = talk_turn(talk);
	struct expectation *expectations;

	if (turn == NULL)
		return "out of memory";
	expectations = reallocarray(turn->expectations,
	    turn->expectation_count + 1, sizeof(*expectations));
	if (expectations == NULL)
		return "out of memory";
	turn->expectations = expectations;
	expectations[turn->expectation_count++] =
	    (struct expectation){ .kind = kind, .value = value };
	return NULL;
}

bool
talk_is_empty(const struct turn *turn)
{
	return turn->piece_count == 0 && turn->expectation_count == 0 &&
	    turn->maxbytes == 0;
}

const char *
talk_then(struct talk *talk)
{
	struct turn *turn = talk_turn(talk);

	if (turn == NULL)
		return "out of memory";
	if (talk_is_empty(turn))
		return "the exchange before it is empty: no payload, no "
		       "expectation, no --maxbytes";
	if (talk->count == TURNS_MAX)
		return "more than 1000 exchanges";
	return add_turn(talk) == NULL ? "out of memory" : NULL;
}

size_t
talk_pieces(const struct talk *talk)
{
	size_t count = 0;

	for (size_t i = 0; i < talk->count; i++)
		count += talk->turns[i].piece_count;
	return count;
}

size_t
talk_expectations(const struct talk *talk)
{
	size_t count = 0;

	for (size_t i = 0; i < talk->count; i++)
		count += talk->turns[i].expectation_count;
	return count;
}

void
talk_free(struct talk *talk)
{
	for (size_t i = 0; i < talk->count; i++) {
		free(talk->turns[i].pieces);
		free(talk->turns[i].expectations);
	}
	free(talk->turns);
	*talk = (struct talk){ 0 };
}
