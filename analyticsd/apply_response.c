/* SPDX-License-Identifier: MIT */
/* What events do to responses: what was counted is taken back, what they say now is added. */
#include <errno.h>
#include <string.h>

#include "analyticsd/apply_state.h"
#include "analyticsd/counters.h"
#include "analyticsd/forms_recount.h"
#include "analyticsd/malformed.h"

void
apply_changed_form(struct apply *apply, struct hot_form *hot, int64_t now_ms)
{
	forms_touch(hot, now_ms);
	apply->effective = true;
	apply->config.changed(apply->config.owner, hot, apply->at_ms);
}

/* What was counted for a response: the row in the ledger, the form it stands in, and the record
 * read again as a response. */
struct counted {
	bool found;
	struct store_row row;
	struct hot_form *hot;
};

/* Loading its form may have taken tombstones out of the chain. */
static int
read_prev(struct apply *apply, struct store_row *row)
{
	struct store_row now;

	if (ledger_get(apply->config.ledger, row->seq, &now) < 0)
		return -1;
	row->prev = now.prev;
	return 0;
}

static int
find_counted(struct apply *apply, int64_t now_ms, struct counted *counted)
{
	struct store_row *row = &counted->row;
	int found = ledger_find(
	    apply->config.ledger, buf_bytes(&apply->id), buf_length(&apply->id), row);

	counted->found = found > 0;
	if (found <= 0)
		return found;
	/* The row is lent only until the next call. */
	buf_clear(&apply->old_record);
	if (buf_append(&apply->old_record, row->record, row->record_length) < 0)
		return -1;
	row->record = buf_bytes(&apply->old_record);
	row->id = buf_bytes(&apply->id);
	found = forms_find_number(apply->config.forms, row->form, now_ms, &counted->hot);
	if (found > 0 &&
	    response_from_record(&apply->old_response, row->record, row->record_length) == 0) {
		apply->old_response.form = counted->hot->row.id;
		return read_prev(apply, row);
	}
	if (found >= 0)
		errno = EBADMSG; /* a row of a form that is not there, or not a record */
	return -1;
}

static void
take_back(struct apply *apply, const struct counted *counted, int64_t now_ms)
{
	struct forms *forms = apply->config.forms;
	struct hot_form *hot = counted->hot;

	forms_changed(forms, hot, true);
	if (forms_counted(hot, counted->row.seq) &&
	    form_remove(hot->form, &apply->old_response, forms_zone(forms)) == FORM_REBUILD)
		forms_stale(forms, hot, now_ms);
}

/* The response is in the collection no more, or not as one that counts. */
static int
remove_response(struct apply *apply, int64_t now_ms)
{
	struct counted counted;

	if (find_counted(apply, now_ms, &counted) < 0)
		return -1;
	if (!counted.found)
		return 0;
	take_back(apply, &counted, now_ms);
	ledger_bury(apply->config.ledger, &counted.row);
	apply_changed_form(apply, counted.hot, now_ms);
	return 0;
}

static bool
same_record(const struct store_row *row, const struct buf *record)
{
	return row->record_length == buf_length(record) &&
	    memcmp(row->record, buf_bytes(record), row->record_length) == 0;
}

static int
put_response(struct apply *apply, int64_t now_ms)
{
	struct forms *forms = apply->config.forms;
	struct counted counted;
	struct hot_form *hot;

	/* All that can fail comes first. */
	if (find_counted(apply, now_ms, &counted) < 0 ||
	    forms_seat(forms, &apply->response.form, now_ms, &hot) < 0)
		return -1;
	bool stays = counted.found && counted.hot == hot;
	if (stays && same_record(&counted.row, &apply->record)) {
		counters[COUNTER_unchanged]++;
		return 0;
	}
	struct store_row row = {.form = hot->row.number,
	    .prev = hot->row.head,
	    .id = buf_bytes(&apply->id),
	    .id_length = buf_length(&apply->id),
	    .record = buf_bytes(&apply->record),
	    .record_length = buf_length(&apply->record)};
	if (counted.found)
		take_back(apply, &counted, now_ms);
	if (hot->form != NULL && (!stays || forms_counted(hot, counted.row.seq)))
		form_add(hot->form, &apply->response, forms_zone(forms));
	if (stays) {
		row.seq = counted.row.seq;
		row.prev = counted.row.prev;
		ledger_update(apply->config.ledger, &row);
	} else {
		if (counted.found) {
			ledger_bury(apply->config.ledger, &counted.row);
			apply_changed_form(apply, counted.hot, now_ms);
		}
		forms_row_added(forms, hot, ledger_append(apply->config.ledger, &row),
		    apply->response.submitted_ms);
	}
	apply_changed_form(apply, hot, now_ms);
	return 0;
}

int
apply_response(struct apply *apply, const bson_t *doc, int64_t now_ms)
{
	const char *why;

	counters[COUNTER_responses]++;
	if (response_id(doc, &apply->id, &why) < 0) {
		malformed_note(doc, "response", why);
		return 0;
	}
	if (response_from_bson(&apply->response, doc, &why) < 0) {
		malformed_note(doc, "response", why);
		return remove_response(apply, now_ms);
	}
	if (apply->response.left_out != 0)
		malformed_parts(doc, apply->response.left_out);
	if (response_to_record(&apply->response, &apply->record) < 0) {
		malformed_note(doc, "response", "too long");
		return remove_response(apply, now_ms);
	}
	return put_response(apply, now_ms);
}

int
apply_response_deleted(struct apply *apply, const bson_t *doc, int64_t now_ms)
{
	const char *why;

	counters[COUNTER_responses_deleted]++;
	if (response_id(doc, &apply->id, &why) < 0) {
		malformed_note(doc, "deletion of a response", why);
		return 0;
	}
	return remove_response(apply, now_ms);
}
