/* SPDX-License-Identifier: MIT */
/* world: analyticsd's state, from apply down, over a store in memory that outlives it. */
#ifndef TESTS_UNIT_ANALYTICSD_WORLD_H
#define TESTS_UNIT_ANALYTICSD_WORLD_H

#include "analyticsd/apply.h"
#include "analyticsd/zone.h"

#define WORLD_NOW INT64_C(1772357400000) /* 2026-03-01T09:30:00Z */

struct world {
	struct zone *zone;
	struct store *store;
	struct ledger *ledger;
	struct forms *forms;
	struct apply *apply;
	size_t max, max_bytes; /* forms_config's */
	size_t step_rows; /* likewise */
	unsigned changes; /* that were told */
	int64_t at_ms; /* of the last one */
};

/* UTC, steps of the usual length. */
void world_begin(struct world *w, size_t max);
void world_end(struct world *w);
/* As a SIGKILL would: what is not committed is lost. */
void world_down(struct world *w);
void world_up(struct world *w);

/* An event or a document as Extended JSON; one that exists. */
void world_take(struct world *w, const char *format, ...) PRINTF_LIKE(2, 3);
void world_take_bson(struct world *w, const bson_t *doc);
/* Succeeds, and leaves nothing. */
void world_commit(struct world *w);
/* The form with that number as its id (24 decimal digits), its first step taken; NULL: none. */
struct hot_form *world_find(struct world *w, int form);

/* An event: the response `id` of that form, with one rating; its deletion. */
void world_put(struct world *w, int id, int form, int value);
void world_take_away(struct world *w, int id);
/* How many responses the form has; -1: there is no such form. */
int64_t world_total(struct world *w, int form);
/* The form's frame, or "" when it has no responses; the caller frees it. */
char *world_frame(struct world *w, int form);

#endif
