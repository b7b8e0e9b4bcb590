/* SPDX-License-Identifier: MIT */
/* hot_definition: a form's definition as text. It lies in the store alone, so that it takes no
 * memory, but for one that is not committed yet. Errors are the store's: -1 with errno. */
#ifndef ANALYTICSD_HOT_DEFINITION_H
#define ANALYTICSD_HOT_DEFINITION_H

#include <stdbool.h>

#include "analyticsd/forms.h"

/* Puts it into `text`, which is cleared before. 1; 0: there is none; -1. */
MUST_CHECK int hot_definition(struct store *store, const struct hot_form *hot, struct buf *text);
/* Is `text` another than that? 1, 0 or -1. */
MUST_CHECK int hot_definition_differs(
    struct store *store, const struct hot_form *hot, const struct buf *text);
/* It goes into the store with the next commit; forms_changed() is the caller's. */
void hot_definition_set(struct hot_form *hot, const struct buf *text);

/* forms.c's: into the transaction, if there is something; and behind its commit. */
MUST_CHECK int hot_definition_write(struct store *store, const struct hot_form *hot);
void hot_definition_forget(struct hot_form *hot);

#endif
