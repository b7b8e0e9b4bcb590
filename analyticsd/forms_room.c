/* SPDX-License-Identifier: MIT */
/* How many forms are in memory, and who goes when there are too many. */
#include "analyticsd/forms.h"

#include "analyticsd/counters.h"
#include "analyticsd/forms_recount.h"
#include "analyticsd/forms_state.h"
#include "analyticsd/lexicon.h"

/* A commit that makes room is to make it for a part of the limits, or it would come too often. */
#define CROWD_PART 4
#define ROOM_PART 4
#define REST_PART 8
/* A form that goes has its state written before, unless it lags by less than this part of what it
 * may: the rows behind it would be read once more, a page for each, when it is loaded again. */
#define LEAVE_PART 32
/* Of all bytes, those that wait for that; what is more goes without. */
#define LEAVING_PART 8

void
forms_count_bytes(struct forms *forms, struct hot_form *hot)
{
	size_t bytes = hot->form != NULL ? sizeof(*hot) + form_memory(hot->form) : 0;

	bytes += forms_recount_memory(hot);
	forms->loaded_bytes += bytes - hot->bytes;
	if (hot->leaving)
		forms->leaving_bytes += bytes - hot->bytes;
	hot->bytes = bytes;
}

/* It goes with the commit that writes it. */
static void
leave(struct forms *forms, struct hot_form *hot)
{
	hot->leaving = true;
	forms->leaving++;
	forms->leaving_bytes += hot->bytes;
	forms_changed(forms, hot, true);
}

void
forms_left(struct forms *forms, struct hot_form *hot)
{
	if (!hot->leaving)
		return;
	hot->leaving = false;
	forms->leaving--;
	forms->leaving_bytes -= hot->bytes;
}

/* What the loaded ones take: each by itself, and the words that they share, with those of another
 * state, too; but that one is at rest then, and counts them as this one's. */
static size_t
all_bytes(const struct forms *forms)
{
	return forms->loaded_bytes + (forms->at_rest ? 0 : lexicon_memory());
}

/* Those that are about to go do not count. */
static bool
is_over(const struct forms *forms)
{
	return forms->loaded - forms->leaving > forms->config.max ||
	    all_bytes(forms) - forms->leaving_bytes > forms->config.max_bytes;
}

/* Far enough from over, so that loading one does not have another unloaded, and so on. */
bool
forms_roomy(const struct forms *forms)
{
	const struct forms_config *config = &forms->config;

	return forms->loaded < config->max - config->max / ROOM_PART &&
	    all_bytes(forms) < config->max_bytes - config->max_bytes / ROOM_PART;
}

static bool
can_unload(const struct forms *forms)
{
	return !list_empty(&forms->idle) || !list_empty(&forms->watched);
}

static bool
is_worth_writing(const struct forms *forms, const struct hot_form *hot)
{
	return hot->rows_behind >= forms_lag(hot) / LEAVE_PART &&
	    forms->leaving_bytes < forms->config.max_bytes / LEAVING_PART;
}

static void
evict(struct forms *forms, struct hot_form *hot, bool at_once)
{
	counters[COUNTER_form_evictions]++;
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not see what list_remove() did */
	if (!hot->stored)
		forms_drop(forms, hot);
	else if (!at_once && is_worth_writing(forms, hot))
		leave(forms, hot);
	else
		forms_unload(forms, hot);
}

static void
trim(struct forms *forms, bool at_once)
{
	while (is_over(forms) && can_unload(forms)) {
		struct list *list = list_empty(&forms->idle) ? &forms->watched : &forms->idle;
		evict(forms, LIST_FIRST(list, struct hot_form, link), at_once);
	}
	while (forms->hot.count - forms->loaded > forms->light_max && !list_empty(&forms->light))
		forms_drop(forms, LIST_FIRST(&forms->light, struct hot_form, link));
}

void
forms_trim(struct forms *forms)
{
	trim(forms, forms->at_rest);
}

void
forms_trim_now(struct forms *forms)
{
	trim(forms, true);
}

void
forms_rest(struct forms *forms)
{
	forms->config.max = MAX(forms->config.max / REST_PART, 1);
	forms->config.max_bytes /= REST_PART;
	forms->light_max /= REST_PART;
	forms->at_rest = true;
	forms_trim(forms);
}

bool
forms_crowded(const struct forms *forms)
{
	const struct forms_config *config = &forms->config;
	size_t count = config->max / CROWD_PART, bytes = config->max_bytes / CROWD_PART;

	return !can_unload(forms) && forms->changed_loaded > forms->loaded / CROWD_PART &&
	    (forms->loaded > config->max + count || all_bytes(forms) > config->max_bytes + bytes);
}
