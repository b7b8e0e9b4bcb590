/* SPDX-License-Identifier: MIT */
/* forms_recount: forms that are counted anew from their chains, because a call on their struct form
 * said FORM_REBUILD, or because their state is of no use.
 *
 * It goes in steps of a few milliseconds, the newest row first, so that a form with millions of
 * responses stops nobody. Meanwhile hot->form is the one that is being made: it holds the rows
 * that are newer than the one to be read next, and whatever happens to those happens to it; what
 * happens to older ones (forms_counted() is false) is found in the chain when it is their turn.
 * So it is exact at the end, whatever came between the steps. Viewers see the form as it was
 * before (forms_shown()), and are told that it is stale.
 *
 * The store has the definition alone of such a form (STORE_BARE), so that a death in the middle has
 * it counted anew from the beginning, and nothing to be shown until then.
 *
 * Errors are the store's: -1 with errno. */
#ifndef ANALYTICSD_FORMS_RECOUNT_H
#define ANALYTICSD_FORMS_RECOUNT_H

#include "analyticsd/forms.h"

/* What was counted cannot be told from what is held any more: it is counted anew. */
void forms_stale(struct forms *forms, struct hot_form *hot, int64_t now_ms);
/* Before form_define(): a copy, when it might take long to count the form anew; else NULL. */
struct form *forms_before(const struct forms *forms, const struct hot_form *hot);
/* form_define() said FORM_REBUILD: it is counted anew. Takes forms_before()'s. */
void forms_redefined(
    struct forms *forms, struct hot_form *hot, struct form **before, int64_t now_ms);
/* form_undefine(), for those who look at it as well. */
void forms_undefine(struct hot_form *hot);

/* Does its struct form account for that row of its chain? */
bool forms_counted(const struct hot_form *hot, int64_t seq);
/* form_known(), of what it is and of what is shown of it. */
bool forms_is_known(const struct hot_form *hot);
/* The form to be shown; NULL: none for now. */
const struct form *forms_shown(const struct hot_form *hot);
/* What happens to it is not seen until it is counted. */
bool forms_settling(const struct hot_form *hot);

/* The first step of this one, if it has not been taken: most forms need no other. To be called
 * before it is looked at. */
MUST_CHECK int forms_fresh(struct forms *forms, struct hot_form *hot, int64_t now_ms);
/* The same for all, before they are written. */
MUST_CHECK int forms_repair(struct forms *forms, int64_t now_ms);

/* Is there a step to be taken? */
bool forms_recounting(const struct forms *forms);
/* One step of one form; of those too that an earlier process was counting anew. 1: it was the last
 * one, *done is another than before; 0: there are more; -1. */
MUST_CHECK int forms_step(struct forms *forms, int64_t now_ms, struct hot_form **done);
/* How many are being counted anew. */
size_t forms_recounts(const struct forms *forms);

#endif
