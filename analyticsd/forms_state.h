/* SPDX-License-Identifier: MIT */
/* forms_state: the inside of a struct forms, for forms*.c alone. */
#ifndef ANALYTICSD_FORMS_STATE_H
#define ANALYTICSD_FORMS_STATE_H

#include "analyticsd/forms.h"

struct forms {
	struct forms_config config;
	struct hot_form *by_id, *by_number;
	struct list changed, kept, watched, idle, light;
	size_t light_max;
	size_t loaded, loaded_bytes; /* forms, and their memory */
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
void forms_count_bytes(struct forms *forms, struct hot_form *hot);

/* Loads it, with its state in forms->state. */
MUST_CHECK int forms_wake(struct forms *forms, struct hot_form *hot, int64_t now_ms);
/* Counts the response of a row. */
MUST_CHECK int forms_add_row(
    struct forms *forms, struct hot_form *hot, const struct store_row *row);
/* How many rows its state may lag. */
uint32_t forms_lag(const struct hot_form *hot);

/* forms_recount.c: a row was appended to its chain; the memory that it takes; and it ends. */
void forms_recount_appended(struct hot_form *hot, int64_t seq);
size_t forms_recount_memory(const struct hot_form *hot);
void forms_recount_end(struct forms *forms, struct hot_form *hot);

#endif
