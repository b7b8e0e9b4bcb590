/* SPDX-License-Identifier: MIT */
#include "analyticsd/forms.h"

#include <errno.h>
#include <string.h>

#include "analyticsd/counters.h"
#include "analyticsd/forms_recount.h"
#include "analyticsd/forms_state.h"
#include "analyticsd/zone.h"
#include "lib/log.h"

int
forms_add_row(struct forms *forms, struct hot_form *hot, const struct store_row *row)
{
	if (response_from_record(&forms->response, row->record, row->record_length) < 0) {
		errno = EBADMSG;
		return -1;
	}
	forms->response.form = hot->row.id;
	form_add(hot->form, &forms->response, forms->config.zone);
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
		if (row.id != NULL && forms_add_row(forms, hot, &row) < 0)
			return -1;
		hot->rows_behind++;
	}
	return 0;
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

/* What is held of it becomes hot->form. */
static void
take_form(struct forms *forms, struct hot_form *hot, struct form *form)
{
	hot->state_bytes = (uint32_t)buf_length(&forms->state);
	forms_set_form(forms, hot, form);
	forms->changed_loaded += hot->changed;
	form_touch(hot->form, hot->row.updated_ms);
	counters[COUNTER_form_loads]++;
}

static void
say_lost(const struct hot_form *hot)
{
	char id[FORM_ID_HEX + 1];

	form_id_format(&hot->row.id, id);
	log_error("the state of form %s cannot be read; its responses are counted anew, "
		  "its definition is lost until it comes again",
	    id);
}

/* `form`: out of its state, or NULL. */
static int
bring_up(struct forms *forms, struct hot_form *hot, struct form *form, bool exact, int64_t now_ms)
{
	struct form *nothing = NULL;
	bool lost = form == NULL && hot->row.state_seq != STORE_NO_STATE;

	if (lost)
		say_lost(hot);
	take_form(forms, hot, form != NULL ? form : form_new(&hot->row.id));
	if (lost || hot->row.state_seq == STORE_BARE) {
		forms_redefined(forms, hot, &nothing, now_ms);
		return forms_fresh(forms, hot, now_ms);
	}
	exact = form_set_now(hot->form, now_ms) == FORM_OK && exact && !form_outdated(hot->form);
	if (catch_up(forms, hot) < 0)
		return -1;
	if (!exact)
		forms_stale(forms, hot, now_ms);
	return forms_fresh(forms, hot, now_ms);
}

int
forms_wake(struct forms *forms, struct hot_form *hot, int64_t now_ms)
{
	bool exact = true;
	struct form *form = NULL;

	if (hot->row.state_seq != STORE_NO_STATE)
		form = read_state(forms, &hot->row.id, &exact);
	if (bring_up(forms, hot, form, exact, now_ms) < 0) {
		int error = errno;
		forms->changed_loaded -= hot->changed;
		forms_unload(forms, hot);
		errno = error;
		return -1;
	}
	forms_count_bytes(forms, hot);
	if (forms_is_spent(hot) || (forms_is_empty(hot) && hot->row.head != 0))
		forms_changed(forms, hot, false);
	return 0;
}

int
forms_load(struct forms *forms, struct hot_form *hot, int64_t now_ms)
{
	struct store *store = forms->config.store;
	struct store_form row;

	if (hot->form != NULL) {
		forms_used(forms, hot);
		return 0;
	}
	int found = store->ops->form(store, &hot->row.id, &row, &forms->state);
	if (found == 0)
		errno = EBADMSG; /* only what is in the store is light */
	return found <= 0 ? -1 : forms_wake(forms, hot, now_ms);
}
