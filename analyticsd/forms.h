/* SPDX-License-Identifier: MIT */
/* forms: the forms in memory, in front of the store.
 *
 * A form is loaded (it has its struct form) or light (its row alone). A response that is new is
 * appended to a light form without loading it: the row goes into the chain, and that is all. Its
 * state lags behind its chain then, and what came behind the state is found in the chain and added
 * when the form is loaded. It is loaded when somebody asks for it, when anything but an append
 * happens to it, when there is room, or when its state lags by a thousand rows, which are read in
 * some milliseconds. So what a response costs hardly depends on how many forms there are, nor on
 * how large their states are.
 *
 * The state of a loaded form is not written each time that a response is added either, but when it
 * lags by some hundred rows, or when the form is to be unloaded. Anything else that happens to a
 * form (a response changed or taken back, a definition) has it written with the next commit, row
 * and state. A form that cannot be brought up to date by what is in memory, or whose state does not
 * decode or was made in another time zone, is counted anew from its chain, in steps
 * (forms_recount.h).
 *
 * Nor is the row of a form that was only appended to written with each commit: forms_write() is
 * told when. What is committed without it stands in the rows of responses, at their end (the
 * tail): the store knows up to which row its forms account for all, and forms_new() reads what
 * came behind that. Each form's own head says what of it the form has already.
 *
 * A hot form stands on exactly one list, by what is true of it first:
 *   changed   it differs from the store by more than that (until the next commit)
 *   kept      it is being counted anew; or it is light and has a room (analyticsd/interest.h) or a
 *             row that is not written; or it has a room and is not in the store
 *   watched   it has a room and is loaded; the longest unused first
 *   idle      neither, and loaded; the longest unused first
 *   light     neither, and not loaded; the longest unused first, and these alone are dropped
 * and, beside it, on `appended` when its row is not written.
 * At most `max` forms of together at most `max_bytes` are loaded as long as idle ones can go, or
 * then watched ones; FORMS_LIGHT_MAX are light. forms_crowded() tells that a commit is to make
 * room, forms_tail_full() that it is to write all rows.
 *
 * A form of which nothing is left, no definition and no response, is taken out of the store by the
 * next commit (of a long chain of tombstones, a part by each), and then out of memory once nobody
 * watches it. Where the deletion of its definition was seen, that is remembered: its row stays.
 *
 * A hot form is lent until the next commit or forms_trim(). Errors are the store's: -1 with
 * errno. */
#ifndef ANALYTICSD_FORMS_H
#define ANALYTICSD_FORMS_H

#include <stdbool.h>

#include "analyticsd/form.h"
#include "analyticsd/ledger.h"
#include "analyticsd/store.h"
#include "lib/list.h"

struct forms;
struct recount;
struct room;
struct zone;

#define FORMS_LIGHT_MAX 131072
/* A few milliseconds. */
#define FORMS_STEP_ROWS 1000

struct hot_form {
	struct form *form; /* NULL: it is light */
	struct store_form row; /* as it shall stand in the store */
	struct room *room; /* who watches it, or NULL; see forms_watch() */
	bool changed; /* it is written with the next commit */
	bool leaving; /* it is unloaded then */
	bool needs_state; /* the rows behind the state do not tell what changed */
	struct recount *recount; /* it is being counted anew (forms_recount.h); else NULL */
	bool stored; /* it has a row in the store */
	bool state_written, removed; /* in the transaction that is under way */
	uint32_t rows_behind; /* that the state in the store does not account for */
	uint32_t state_bytes; /* of the state in the store, when last seen; 0: not seen */
	size_t bytes; /* of memory that its struct form takes, by the last count */
	char *definition; /* hot_definition.h's: not committed yet; NULL: it is in the store */
	size_t definition_length;
	struct list link, appended;
};

struct forms_config {
	struct store *store;
	struct ledger *ledger;
	const struct zone *zone;
	size_t max;
	size_t max_bytes; /* with their words; 0: no bound */
	size_t step_rows; /* of a form that is counted anew, at once; 0: FORMS_STEP_ROWS */
};

/* NULL with errno when the store cannot be read. Of forms in the tail it is not known when their
 * numbers changed: `now_ms` will do. */
struct forms *forms_new(const struct forms_config *config, int64_t now_ms);
void forms_free(struct forms **pointer);

/* The form of that id, loaded: 1; 0: nobody knows it; -1. */
MUST_CHECK int forms_find(
    struct forms *forms, const struct form_id *id, int64_t now_ms, struct hot_form **hot);
MUST_CHECK int forms_find_number(
    struct forms *forms, int64_t number, int64_t now_ms, struct hot_form **hot);
/* The same, but made when it is in neither: 0 or -1. */
MUST_CHECK int forms_get(
    struct forms *forms, const struct form_id *id, int64_t now_ms, struct hot_form **hot);
/* The same for one that a response is to be appended to: it may be light. */
MUST_CHECK int forms_seat(
    struct forms *forms, const struct form_id *id, int64_t now_ms, struct hot_form **hot);
/* Loads it if it is light: 0 or -1. Whoever has a room may find it light. */
MUST_CHECK int forms_load(struct forms *forms, struct hot_form *hot, int64_t now_ms);

/* Its numbers have changed at that time: form_touch(). */
void forms_touch(struct hot_form *hot, int64_t wall_ms);
/* It differs from the store now. `with_state`: by more than rows at the head of its chain. */
void forms_changed(struct forms *forms, struct hot_form *hot, bool with_state);
/* A row was appended to its chain, and its response added to its form (if that is loaded). */
void forms_row_added(struct forms *forms, struct hot_form *hot, int64_t seq, int64_t submitted_ms);
/* NULL: nobody watches it any more. */
void forms_watch(struct forms *forms, struct hot_form *hot, struct room *room);

/* Something is to be written: now, or in time. */
bool forms_dirty(const struct forms *forms);
/* Puts what changed into the transaction; with `all`, the rows of those too that were only
 * appended to. As often as it takes. */
MUST_CHECK int forms_write(struct forms *forms, bool all);
void forms_committed(struct forms *forms);
/* So much is in the tail that the next commit must write all rows. */
bool forms_tail_full(const struct forms *forms);
/* Unloads idle forms while there are more than the limits allow, and drops light ones likewise. One
 * whose state lags by some rows is unloaded by the next commit, which writes it. */
void forms_trim(struct forms *forms);
/* More are loaded than the limits allow, and a commit would let some of them go. */
bool forms_crowded(const struct forms *forms);
/* From now on they are only looked at: an eighth of the limits is enough. */
void forms_rest(struct forms *forms);
/* An hour has turned: form_set_now() for all. */
void forms_set_now(struct forms *forms, int64_t now_ms);
const struct zone *forms_zone(const struct forms *forms);
/* How many are loaded. */
size_t forms_count(const struct forms *forms);
/* How many there are in the store. */
size_t forms_known(const struct forms *forms);

#endif
