/* SPDX-License-Identifier: MIT */
/* What changed, into the transaction. */
#include <errno.h>
#include <string.h>

#include "analyticsd/forms_state.h"
#include "analyticsd/hot_definition.h"
#include "analyticsd/zone.h"

/* A state begins with the name of the zone in which its days were cut: length, name. */
static int
encode_state(struct forms *forms, const struct form *form)
{
	const char *zone = zone_name(forms->config.zone);
	uint8_t length = (uint8_t)strlen(zone);

	buf_clear(&forms->state);
	if (buf_append(&forms->state, &length, 1) < 0 ||
	    buf_append(&forms->state, zone, length) < 0)
		return -1;
	return form_encode(form, &forms->state);
}

/* Into forms->state. */
static int
write_state(struct forms *forms, const struct hot_form *hot)
{
	if (hot->recount == NULL)
		return encode_state(forms, hot->form);
	struct form *bare = form_copy(hot->form);
	if (bare == NULL) {
		errno = ENOBUFS;
		return -1;
	}
	form_reset(bare);
	int result = encode_state(forms, bare);
	form_free(&bare);
	return result;
}

/* Of a light form only what was added is known, and of one that is being counted anew, too. */
static void
tell_list(const struct hot_form *hot, struct store_form *row)
{
	row->whole = hot->form != NULL && hot->recount == NULL;
	if (!row->whole)
		return;
	row->listed = form_known(hot->form);
	row->title = form_title(hot->form);
	row->total = form_total(hot->form);
	row->last_ms = form_last_submission(hot->form);
}

static bool
needs_state(const struct hot_form *hot)
{
	return hot->form != NULL && (hot->needs_state || forms_state_due(hot));
}

static int64_t
state_seq_of(const struct hot_form *hot)
{
	return hot->recount != NULL ? STORE_BARE : hot->row.head;
}

static int
write_form(struct forms *forms, struct hot_form *hot)
{
	struct store *store = forms->config.store;
	struct store_form row = hot->row;

	hot->state_written = needs_state(hot);
	tell_list(hot, &row);
	if (hot->state_written) {
		row.state_seq = state_seq_of(hot);
		if (write_state(forms, hot) < 0)
			return -1;
		hot->state_bytes = (uint32_t)buf_length(&forms->state);
	}
	const struct buf *state = hot->state_written ? &forms->state : NULL;
	return store->ops->put_form(store, &row, state) < 0 ? -1 : hot_definition_write(store, hot);
}

static int
remove_form(struct forms *forms, const struct hot_form *hot)
{
	struct store *store = forms->config.store;

	return hot->stored ? store->ops->remove_form(store, hot->row.number) : 0;
}

int
forms_write(struct forms *forms, bool all)
{
	struct store *store = forms->config.store;
	size_t known = forms->known;
	int64_t seq = forms->written_seq;

	LIST_FOR_EACH (node, &forms->changed) {
		struct hot_form *hot = container_of(node, struct hot_form, link);

		hot->removed = forms_is_spent(hot) && hot->row.head == 0;
		if ((hot->removed ? remove_form(forms, hot) : write_form(forms, hot)) < 0)
			return -1;
		known += (size_t)!hot->removed - (size_t)hot->stored;
	}
	forms->all_written = all;
	if (all) {
		if (forms_write_tail(forms) < 0)
			return -1;
		seq = forms->last_seq;
	}
	if (known == forms->known && seq == forms->written_seq)
		return 0;
	return store->ops->put_forms_end(store, (int64_t)known, seq);
}

static void
note_stored(struct forms *forms, struct hot_form *hot)
{
	forms->known += (size_t)!hot->removed - (size_t)hot->stored;
	hot->stored = !hot->removed;
	if (!hot->removed)
		return;
	hot->row.state_seq = STORE_NO_STATE;
	hot->needs_state = false;
	hot->rows_behind = 0;
}

void
forms_committed(struct forms *forms)
{
	forms->changed_loaded = 0;
	LIST_FOR_EACH_SAFE (node, &forms->changed) {
		struct hot_form *hot = container_of(node, struct hot_form, link);
		bool leaving = hot->leaving;

		forms_left(forms, hot);
		note_stored(forms, hot);
		if (hot->state_written) {
			hot->row.state_seq = state_seq_of(hot);
			hot->needs_state = false;
			hot->rows_behind = 0;
		}
		hot_definition_forget(hot);
		forms_row_written(forms, hot);
		hot->state_written = false;
		forms_count_bytes(forms, hot);
		/* The rest of its tombstones goes with the next commit. */
		hot->changed = forms_is_empty(hot) && hot->row.head != 0;
		if (hot->changed)
			forms->changed_loaded++;
		else if (!hot->stored && hot->room == NULL)
			forms_drop(forms, hot);
		else if (leaving && hot->recount == NULL)
			forms_unload(forms, hot);
		else
			forms_place(forms, hot);
	}
	if (forms->all_written)
		forms_tail_written(forms);
	forms_trim_now(forms);
}
