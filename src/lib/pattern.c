/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "lastack.h"
#include "pattern.h"

struct lastack__pattern {
	regex_t regex;
};

int
lastack__pattern_new(const char *text, struct lastack__pattern **pattern)
{
	struct lastack__pattern *p = malloc(sizeof(*p));
	int error;

	if (p == NULL)
		return LASTACK_ERROR_MEMORY;
	error = regcomp(&p->regex, text, REG_EXTENDED);
	if (error != 0) {
		free(p);
		return error == REG_ESPACE ? LASTACK_ERROR_MEMORY :
					     LASTACK_ERROR_ARGUMENT;
	}
	*pattern = p;
	return 0;
}

void
lastack__pattern_free(struct lastack__pattern *p)
{
	if (p == NULL)
		return;
	regfree(&p->regex);
	free(p);
}

/* ---- the window */

int
lastack__window_add(struct lastack__window *w, const void *data, size_t len)
{
	if (w->bytes == NULL) {
		w->bytes = malloc(LASTACK__WINDOW_BYTES + 1);
		if (w->bytes == NULL)
			return LASTACK_ERROR_MEMORY;
	}
	if (w->len + len > LASTACK__WINDOW_BYTES) {
		size_t stays = LASTACK__WINDOW_BYTES / 2;

		memmove(w->bytes, w->bytes + w->len - stays, stays);
		w->len = stays;
		w->moved = true;
	}
	memcpy(w->bytes + w->len, data, len);
	w->len += len;
	return 0;
}

void
lastack__window_free(struct lastack__window *w)
{
	free(w->bytes);
	*w = (struct lastack__window){ 0 };
}

/* ---- the search */

/* Of the first len bytes of the window; at the latest their end is no end. */
static int
search_flags(const struct lastack__window *w, size_t from, size_t to)
{
	int flags = 0;

	if (w->moved || from > 0)
		flags |= REG_NOTBOL;
	if (!w->over || to < w->len)
		flags |= REG_NOTEOL;
	return flags;
}

#ifdef REG_STARTEND

static bool
search(const struct lastack__pattern *p, const struct lastack__window *w,
    size_t len, regmatch_t *matches)
{
	matches[0] = (regmatch_t){ .rm_so = 0, .rm_eo = (regoff_t)len };
	return regexec(&p->regex, (const char *)w->bytes, LASTACK__GROUPS_MAX,
		   matches, REG_STARTEND | search_flags(w, 0, len)) == 0;
}

#else

/* The stretches between NULs, one after another. */
static bool
search(const struct lastack__pattern *p, const struct lastack__window *w,
    size_t len, regmatch_t *matches)
{
	unsigned char beyond = w->bytes[len];
	size_t from = 0;
	bool found = false;

	w->bytes[len] = '\0';
	while (!found && from <= len) {
		const char *stretch = (const char *)w->bytes + from;
		size_t to = from + strlen(stretch);

		found = regexec(&p->regex, stretch, LASTACK__GROUPS_MAX,
			    matches, search_flags(w, from, to)) == 0;
		for (int i = 0; found && i < LASTACK__GROUPS_MAX; i++) {
			if (matches[i].rm_so == -1)
				continue;
			matches[i].rm_so += (regoff_t)from;
			matches[i].rm_eo += (regoff_t)from;
		}
		from = to + 1;
	}
	w->bytes[len] = beyond;
	return found;
}

#endif

size_t
lastack__pattern_end(const struct lastack__pattern *p,
    const struct lastack__window *w, size_t past, size_t limit)
{
	regmatch_t matches[LASTACK__GROUPS_MAX];

	if (limit <= past || !search(p, w, limit, matches))
		return 0;
	/* What a beginning holds, a longer one holds as well. */
	while (limit - past > 1) {
		size_t middle = past + (limit - past) / 2;

		if (search(p, w, middle, matches))
			limit = middle;
		else
			past = middle;
	}
	return limit;
}

size_t
lastack__pattern_groups(const struct lastack__pattern *p,
    const struct lastack__window *w,
    struct lastack__span spans[LASTACK__GROUPS_MAX])
{
	regmatch_t matches[LASTACK__GROUPS_MAX];
	size_t count = p->regex.re_nsub + 1;

	if (w->bytes == NULL || !search(p, w, w->len, matches))
		return 0;
	if (count > LASTACK__GROUPS_MAX)
		count = LASTACK__GROUPS_MAX;
	for (size_t i = 0; i < count; i++) {
		spans[i] = (struct lastack__span){ .from = 1 };
		if (matches[i].rm_so != -1)
			spans[i] =
			    (struct lastack__span){ (size_t)matches[i].rm_so,
				    (size_t)matches[i].rm_eo };
	}
	return count;
}
