/* SPDX-License-Identifier: MIT */
#include "analyticsd/forms.h"

#include <errno.h>
#include <string.h>

#include "analyticsd/counters.h"
#include "analyticsd/forms_state.h"
#include "analyticsd/zone.h"
#include "lib/log.h"

/* Tombstones that one rebuild takes out of a chain, so that it stays a bounded transaction. */
#define UNLINK_MAX 4096

static int
add_row(struct forms *forms, struct hot_form *hot, const struct store_row *row)
{
	if (response_from_record(&forms->response, row->record, row->record_length) < 0) {
		errno = EBADMSG;
		return -1;
	}
	forms->response.form = hot->row.id;
	form_add(hot->form, &forms->response, forms->config.zone);
	return 0;
}

/* Takes the tombstone out of the chain; `newer` is the seq of the row before it, 0: it was the
 * head. */
static int
unlink_row(
    struct forms *forms, struct hot_form *hot, int64_t newer, const struct store_row *tombstone)
{
	struct store_row row;
	int64_t seq = tombstone->seq, prev = tombstone->prev;

	if (newer == 0) {
		hot->row.head = prev;
	} else {
		if (ledger_get(forms->config.ledger, newer, &row) < 0)
			return -1;
		row.prev = prev;
		ledger_update(forms->config.ledger, &row);
	}
	ledger_delete(forms->config.ledger, seq);
	return 0;
}

int
forms_rebuild(struct forms *forms, struct hot_form *hot, int64_t now_ms)
{
	struct store_row row;
	int64_t newer = 0;
	unsigned unlinked = 0;

	form_reset(hot->form);
	/* With no responses nothing that is needed was dropped. */
	if (form_set_now(hot->form, now_ms) == FORM_REBUILD)
		form_reset(hot->form);
	for (int64_t seq = hot->row.head; seq != 0; seq = row.prev) {
		if (ledger_get(forms->config.ledger, seq, &row) < 0)
			return -1;
		if (row.id != NULL) {
			if (add_row(forms, hot, &row) < 0)
				return -1;
			newer = seq;
			continue;
		}
		if (unlinked < UNLINK_MAX) {
			unlinked++;
			int64_t prev = row.prev;
			if (unlink_row(forms, hot, newer, &row) < 0)
				return -1;
			row.prev = prev;
		} else {
			newer = seq;
		}
	}
	counters[COUNTER_form_rebuilds]++;
	forms_set_stale(forms, hot, false);
	forms_changed(forms, hot, true);
	return 0;
}

/* The rows that came behind the state. */
static int
catch_up(struct forms *forms, struct hot_form *hot)
{
	struct store_row row;

	hot->rows_behind = 0;
	for (int64_t seq = hot->row.head; seq != 0 && seq > hot->row.state_seq; seq = row.prev) {
		if (ledger_get(forms->config.ledger, seq, &row) < 0)
			return -1;
		if (row.id != NULL && add_row(forms, hot, &row) < 0)
			return -1;
		hot->rows_behind++;
	}
	return 0;
}

/* A state begins with the name of the zone in which its days were cut: length, name. */
int
forms_write_state(struct forms *forms, const struct hot_form *hot)
{
	const char *zone = zone_name(forms->config.zone);
	uint8_t length = (uint8_t)strlen(zone);

	buf_clear(&forms->state);
	if (buf_append(&forms->state, &length, 1) < 0 ||
	    buf_append(&forms->state, zone, length) < 0)
		return -1;
	return form_encode(hot->form, &forms->state);
}

/* NULL: it does not decode. */
static struct form *
read_state(const struct forms *forms, const struct form_id *id, bool *same_zone)
{
	const char *zone = zone_name(forms->config.zone);
	const uint8_t *bytes = buf_bytes(&forms->state);
	size_t length = buf_length(&forms->state);

	if (length < 1 || length < 1U + bytes[0])
		return NULL;
	size_t head = 1U + bytes[0];
	*same_zone = bytes[0] == strlen(zone) && memcmp(bytes + 1, zone, bytes[0]) == 0;
	return form_decode(id, bytes + head, length - head);
}

int
forms_wake(struct forms *forms, struct hot_form *hot, int64_t now_ms)
{
	bool has_state = hot->row.state_seq >= 0, same_zone = false;
	struct form *form = has_state ? read_state(forms, &hot->row.id, &same_zone) : NULL;

	if (has_state && form == NULL) {
		char id[FORM_ID_HEX + 1];
		form_id_format(&hot->row.id, id);
		log_error("the state of form %s cannot be read; its responses are counted anew, "
			  "its definition is lost until it comes again",
		    id);
	}
	bool whole = !has_state || (form != NULL && same_zone);
	hot->state_bytes = (uint32_t)buf_length(&forms->state);
	forms_set_form(forms, hot, form != NULL ? form : form_new(&hot->row.id));
	forms->changed_unwatched += hot->changed && hot->room == NULL;
	form_touch(hot->form, hot->row.updated_ms);
	counters[COUNTER_form_loads]++;
	if (!whole || form_set_now(hot->form, now_ms) == FORM_REBUILD)
		forms_stale(forms, hot);
	int result = hot->stale ? forms_rebuild(forms, hot, now_ms) : catch_up(forms, hot);
	if (result < 0) {
		int error = errno;
		forms->changed_unwatched -= hot->changed && hot->room == NULL;
		forms_unload(forms, hot);
		errno = error;
		return -1;
	}
	forms_count_bytes(forms, hot);
	return 0;
}

int
forms_load(struct forms *forms, struct hot_form *hot, int64_t now_ms)
{
	struct store *store = forms->config.store;
	struct store_form row;

	if (hot->form != NULL)
		return 0;
	int found = store->ops->form(store, &hot->row.id, &row, &forms->state);
	if (found == 0)
		errno = EBADMSG; /* only what is in the store is light */
	return found <= 0 ? -1 : forms_wake(forms, hot, now_ms);
}
