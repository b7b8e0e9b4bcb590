/* SPDX-License-Identifier: MIT */
/* forms_state: the inside of a struct forms, for forms*.c alone. */
#ifndef ANALYTICSD_FORMS_STATE_H
#define ANALYTICSD_FORMS_STATE_H

#include "analyticsd/forms.h"
#include "analyticsd/hot_table.h"

struct forms {
	struct forms_config config;
	struct hot_table hot;
	struct list changed, kept, watched, idle, light;
	struct list appended;
	size_t appended_count;
	int64_t last_seq; /* of all rows */
	int64_t written_seq; /* the rows of forms in the store account for all up to this one */
	bool all_written; /* in the transaction that is under way */
	size_t light_max;
	bool at_rest;
	size_t loaded, loaded_bytes; /* forms, and their memory */
	size_t leaving, leaving_bytes; /* of them */
	size_t changed_loaded; /* of them: a commit lets them go */
	struct list recounts; /* forms_recount.c's, those that began first, first */
	size_t recount_count;
	bool resumed; /* all that an earlier process was counting anew have been loaded */
	int64_t resumed_to; /* up to this number */
	int64_t last_number;
	size_t known; /* in the store */
	struct buf state; /* of the form that is being loaded or written */
	struct response response; /* of the row that is being added */
};

/* The one place that says on which list a form stands. */
void forms_place(struct forms *forms, struct hot_form *hot);
/* Those that keep the counts of struct forms. */
void forms_set_form(struct forms *forms, struct hot_form *hot, struct form *form);
void forms_unload(struct forms *forms, struct hot_form *hot);
/* Out of memory altogether: what is not changed, nor kept. */
void forms_drop(struct forms *forms, struct hot_form *hot);
/* Neither a definition nor a response: nothing but tombstones, if at all. */
bool forms_is_empty(const struct hot_form *hot);
/* The same, and no deletion is remembered: not even its row is needed. */
bool forms_is_spent(const struct hot_form *hot);
/* It goes to the end of its list. */
void forms_used(struct forms *forms, struct hot_form *hot);

/* Loads it, with its state in forms->state. */
MUST_CHECK int forms_wake(struct forms *forms, struct hot_form *hot, int64_t now_ms);
/* Counts the response of a row. */
MUST_CHECK int forms_add_row(
    struct forms *forms, struct hot_form *hot, const struct store_row *row);
/* How many rows its state may lag while it is loaded. */
uint32_t forms_lag(const struct hot_form *hot);

/* What is in the store of it, light, among the hot ones. */
struct hot_form *forms_keep(struct forms *forms, const struct store_form *row);
/* Its state lags as far as it may, and can be written. */
bool forms_state_due(const struct hot_form *hot);

/* forms_room.c: the memory of its struct form is counted. There is room for one more. */
void forms_count_bytes(struct forms *forms, struct hot_form *hot);
bool forms_roomy(const struct forms *forms);
/* forms_trim(), and nothing is left to be written. */
void forms_trim_now(struct forms *forms);
/* The commit with which it was to go has come. */
void forms_left(struct forms *forms, struct hot_form *hot);

/* forms_tail.c: its row is to be written, in time; it has been; all have been. Those that are not
 * written otherwise, into the transaction. What an earlier process has left to be written. */
void forms_append(struct forms *forms, struct hot_form *hot);
void forms_row_written(struct forms *forms, struct hot_form *hot);
void forms_tail_written(struct forms *forms);
MUST_CHECK int forms_write_tail(struct forms *forms);
MUST_CHECK int forms_read_tail(struct forms *forms, int64_t now_ms);

/* forms_recount.c: a row was appended to its chain; the memory that it takes; and it ends. */
void forms_recount_appended(struct hot_form *hot, int64_t seq);
size_t forms_recount_memory(const struct hot_form *hot);
void forms_recount_end(struct forms *forms, struct hot_form *hot);

#endif
