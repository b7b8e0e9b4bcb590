/* SPDX-License-Identifier: MIT */
/* forms_state: the inside of a struct forms, for forms.c and forms_load.c alone. */
#ifndef ANALYTICSD_FORMS_STATE_H
#define ANALYTICSD_FORMS_STATE_H

#include "analyticsd/forms.h"

struct forms {
	struct forms_config config;
	struct hot_form *by_id, *by_number;
	struct list changed, watched, idle, light;
	size_t loaded, loaded_bytes; /* forms, and their memory */
	size_t changed_unwatched; /* of those loaded */
	size_t stale_count;
	int64_t last_number;
	struct buf state; /* of the form that is being loaded or written */
	struct response response; /* of the row that is being added */
};

/* Those that keep the counts of struct forms. */
void forms_set_form(struct forms *forms, struct hot_form *hot, struct form *form);
void forms_unload(struct forms *forms, struct hot_form *hot);
void forms_set_stale(struct forms *forms, struct hot_form *hot, bool stale);
void forms_count_bytes(struct forms *forms, struct hot_form *hot);

/* Loads it, with its state in forms->state. */
MUST_CHECK int forms_wake(struct forms *forms, struct hot_form *hot, int64_t now_ms);
MUST_CHECK int forms_rebuild(struct forms *forms, struct hot_form *hot, int64_t now_ms);
/* Its state into forms->state. */
MUST_CHECK int forms_write_state(struct forms *forms, const struct hot_form *hot);

#endif
