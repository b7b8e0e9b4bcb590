/* SPDX-License-Identifier: MIT */
/* forms: the forms in memory, in front of the store.
 *
 * A hot form stands on exactly one list, by what is true of it first:
 *   changed   it differs from the store (until the next commit)
 *   watched   it has a room (analyticsd/interest.h)
 *   idle      neither; the longest unused first, and these alone are evicted
 * At most `max` forms are held as long as idle ones can go; forms_crowded() tells that only a
 * commit can make room.
 *
 * The state of a form is not written each time that a response is added: what came behind the
 * state (at most STATE_EVERY rows) is found in the chain and added when the form is loaded.
 * Anything else that happens to a form (a response changed or taken back, a definition) has the
 * state written with the next commit. A form that cannot be brought up to date by what is in
 * memory, or whose state does not decode or was made in another time zone, is computed anew from
 * its chain.
 *
 * A hot form is lent until the next commit or forms_trim(). Errors are the store's: -1 with
 * errno. */
#ifndef ANALYTICSD_FORMS_H
#define ANALYTICSD_FORMS_H

#include <stdbool.h>
#include <uthash.h>

#include "analyticsd/form.h"
#include "analyticsd/ledger.h"
#include "analyticsd/store.h"
#include "lib/list.h"

struct forms;
struct room;
struct zone;

struct hot_form {
	struct form *form;
	struct store_form row; /* as it shall stand in the store */
	struct room *room; /* who watches it, or NULL; see forms_watch() */
	bool changed;
	bool needs_state; /* the rows behind the state do not tell what changed */
	bool stale; /* to be computed anew before anybody looks at it */
	bool state_written; /* in the transaction that is under way */
	unsigned rows_behind; /* added since the state was written */
	struct list link;
	UT_hash_handle by_id, by_number;
};

struct forms_config {
	struct store *store;
	struct ledger *ledger;
	const struct zone *zone;
	size_t max;
};

/* NULL with errno when the store cannot be read. */
struct forms *forms_new(const struct forms_config *config);
void forms_free(struct forms **forms);

/* The form of that id, from memory or the store: 1; 0: it is in neither; -1. */
MUST_CHECK int forms_find(
    struct forms *forms, const struct form_id *id, int64_t now_ms, struct hot_form **hot);
MUST_CHECK int forms_find_number(
    struct forms *forms, int64_t number, int64_t now_ms, struct hot_form **hot);
/* The same, but made when it is in neither: 0 or -1. */
MUST_CHECK int forms_get(
    struct forms *forms, const struct form_id *id, int64_t now_ms, struct hot_form **hot);

/* It differs from the store now. `with_state`: by more than rows at the head of its chain. */
void forms_changed(struct forms *forms, struct hot_form *hot, bool with_state);
/* A row was appended to its chain, and its response added to its form. */
void forms_row_added(struct forms *forms, struct hot_form *hot, int64_t seq);
/* A call on its struct form said FORM_REBUILD. It goes on taking additions and removals, and is
 * computed anew, once for all of them, before it is looked at (forms_fresh) or written
 * (forms_repair). */
void forms_stale(struct forms *forms, struct hot_form *hot);
MUST_CHECK int forms_fresh(struct forms *forms, struct hot_form *hot, int64_t now_ms);
MUST_CHECK int forms_repair(struct forms *forms, int64_t now_ms);
/* NULL: nobody watches it any more. */
void forms_watch(struct forms *forms, struct hot_form *hot, struct room *room);

bool forms_dirty(const struct forms *forms);
/* Puts what changed into the transaction; as often as it takes. */
MUST_CHECK int forms_write(struct forms *forms);
void forms_committed(struct forms *forms);
/* Evicts idle forms while there are more than `max`. */
void forms_trim(struct forms *forms);
/* More than `max` are held, and none may go before a commit. */
bool forms_crowded(const struct forms *forms);
/* An hour has turned: form_set_now() for all. */
void forms_set_now(struct forms *forms, int64_t now_ms);
const struct zone *forms_zone(const struct forms *forms);
size_t forms_count(const struct forms *forms);

#endif
