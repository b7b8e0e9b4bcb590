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

void
forms_count_bytes(struct forms *forms, struct hot_form *hot)
{
	size_t bytes = hot->form != NULL ? sizeof(*hot) + form_memory(hot->form) : 0;

	bytes += forms_recount_memory(hot);
	forms->loaded_bytes += bytes - hot->bytes;
	hot->bytes = bytes;
}

/* What the loaded ones take: each by itself, and the words that they share, with those of another
 * state, too; but that one is at rest then, and counts them as this one's. */
static size_t
all_bytes(const struct forms *forms)
{
	return forms->loaded_bytes + (forms->at_rest ? 0 : lexicon_memory());
}

static bool
is_over(const struct forms *forms)
{
	return forms->loaded > forms->config.max || all_bytes(forms) > forms->config.max_bytes;
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

void
forms_trim(struct forms *forms)
{
	while (is_over(forms) && can_unload(forms)) {
		struct list *list = list_empty(&forms->idle) ? &forms->watched : &forms->idle;
		struct hot_form *hot = LIST_FIRST(list, struct hot_form, link);

		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): nor what it did to the list */
		if (hot->stored)
			forms_unload(forms, hot);
		else
			forms_drop(forms, hot);
		counters[COUNTER_form_evictions]++;
	}
	while (forms->hot.count - forms->loaded > forms->light_max && !list_empty(&forms->light))
		forms_drop(forms, LIST_FIRST(&forms->light, struct hot_form, link));
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
