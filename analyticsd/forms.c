/* SPDX-License-Identifier: MIT */
#include "analyticsd/forms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyticsd/counters.h"
#include "analyticsd/zone.h"
#include "lib/log.h"
#include "lib/mem.h"

/* How many rows a state may lag: a state costs kilobytes to write, a row microseconds to add. */
#define STATE_EVERY 16
#define STATE_MAX (32U << 20)
/* Tombstones that one rebuild takes out of a chain, so that it stays a bounded transaction. */
#define UNLINK_MAX 4096

struct forms {
	struct forms_config config;
	struct hot_form *by_id, *by_number;
	struct list changed, watched, idle;
	size_t stale_count;
	int64_t last_number;
	struct buf state; /* of the form that is being loaded or written */
	struct response response; /* of the row that is being added */
};

struct forms *
forms_new(const struct forms_config *config)
{
	struct forms *forms = mem_zalloc(sizeof(*forms));
	struct store_ends ends;

	forms->config = *config;
	list_init(&forms->changed);
	list_init(&forms->watched);
	list_init(&forms->idle);
	buf_init(&forms->state, STATE_MAX);
	if (config->store->ops->ends(config->store, &ends) < 0) {
		forms_free(&forms);
		return NULL;
	}
	forms->last_number = ends.last_form;
	return forms;
}

/* The one place that says on which list a form stands. */
static void
place(struct forms *forms, struct hot_form *hot)
{
	list_remove(&hot->link);
	if (hot->changed)
		list_append(&forms->changed, &hot->link);
	else if (hot->room != NULL)
		list_append(&forms->watched, &hot->link);
	else
		list_append(&forms->idle, &hot->link);
}

static void
set_stale(struct forms *forms, struct hot_form *hot, bool stale)
{
	forms->stale_count += (size_t)(stale - hot->stale);
	hot->stale = stale;
}

static void
drop(struct forms *forms, struct hot_form *hot)
{
	set_stale(forms, hot, false);
	list_remove(&hot->link);
	HASH_DELETE(by_id, forms->by_id, hot);
	HASH_DELETE(by_number, forms->by_number, hot);
	form_free(&hot->form);
	free(hot);
}

void
forms_free(struct forms **pointer)
{
	struct forms *forms = *pointer;
	struct hot_form *hot, *next;

	HASH_ITER (by_id, forms->by_id, hot, next)
		drop(forms, hot);
	buf_free(&forms->state);
	response_free(&forms->response);
	MEM_FREE(pointer);
}

const struct zone *
forms_zone(const struct forms *forms)
{
	return forms->config.zone;
}

size_t
forms_count(const struct forms *forms)
{
	return HASH_CNT(by_id, forms->by_id);
}

void
forms_trim(struct forms *forms)
{
	while (forms_count(forms) > forms->config.max && !list_empty(&forms->idle)) {
		drop(forms, LIST_FIRST(&forms->idle, struct hot_form, link));
		counters[COUNTER_form_evictions]++;
	}
}

bool
forms_crowded(const struct forms *forms)
{
	return forms_count(forms) > forms->config.max && list_empty(&forms->idle) &&
	    !list_empty(&forms->changed);
}

static struct hot_form *
keep(struct forms *forms, const struct store_form *row, struct form *form)
{
	struct hot_form *hot = mem_zalloc(sizeof(*hot));

	hot->form = form;
	hot->row = *row;
	list_init(&hot->link);
	HASH_ADD(by_id, forms->by_id, row.id, sizeof(hot->row.id), hot);
	HASH_ADD(by_number, forms->by_number, row.number, sizeof(hot->row.number), hot);
	place(forms, hot);
	return hot;
}

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

static int
rebuild(struct forms *forms, struct hot_form *hot, int64_t now_ms)
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
	set_stale(forms, hot, false);
	forms_changed(forms, hot, true);
	return 0;
}

/* The rows that came behind the state. */
static int
catch_up(struct forms *forms, struct hot_form *hot)
{
	struct store_row row;

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
static int
write_state(struct forms *forms, const struct hot_form *hot)
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

static int
load(struct forms *forms, const struct store_form *row, int64_t now_ms, struct hot_form **out)
{
	bool has_state = row->state_seq >= 0, same_zone = false;
	struct form *form = has_state ? read_state(forms, &row->id, &same_zone) : NULL;
	struct hot_form *hot;

	if (has_state && form == NULL) {
		char id[FORM_ID_HEX + 1];
		form_id_format(&row->id, id);
		log_error("the state of form %s cannot be read; its responses are counted anew, "
			  "its definition is lost until it comes again",
		    id);
	}
	hot = keep(forms, row, form != NULL ? form : form_new(&row->id));
	form_touch(hot->form, row->updated_ms);
	counters[COUNTER_form_loads]++;
	if (has_state && (form == NULL || !same_zone))
		forms_stale(forms, hot);
	else if (form_set_now(hot->form, now_ms) == FORM_REBUILD)
		forms_stale(forms, hot);
	int result = hot->stale ? rebuild(forms, hot, now_ms) : catch_up(forms, hot);
	if (result < 0) {
		int error = errno;
		drop(forms, hot);
		errno = error;
		return -1;
	}
	*out = hot;
	return 1;
}

/* A form that is used goes to the end of its list. */
static int
use(struct forms *forms, struct hot_form *hot, struct hot_form **out)
{
	if (!hot->changed && hot->room == NULL)
		place(forms, hot);
	*out = hot;
	return 1;
}

int
forms_find(struct forms *forms, const struct form_id *id, int64_t now_ms, struct hot_form **out)
{
	struct store *store = forms->config.store;
	struct hot_form *hot;
	struct store_form row;

	HASH_FIND(by_id, forms->by_id, id, sizeof(*id), hot);
	if (hot != NULL)
		return use(forms, hot, out);
	int found = store->ops->form(store, id, &row, &forms->state);
	return found <= 0 ? found : load(forms, &row, now_ms, out);
}

int
forms_find_number(struct forms *forms, int64_t number, int64_t now_ms, struct hot_form **out)
{
	struct store *store = forms->config.store;
	struct hot_form *hot;
	struct form_id id;

	HASH_FIND(by_number, forms->by_number, &number, sizeof(number), hot);
	if (hot != NULL)
		return use(forms, hot, out);
	int found = store->ops->form_by_number(store, number, &id);
	return found <= 0 ? found : forms_find(forms, &id, now_ms, out);
}

int
forms_get(struct forms *forms, const struct form_id *id, int64_t now_ms, struct hot_form **out)
{
	int found = forms_find(forms, id, now_ms, out);
	struct store_form row = {.id = *id, .state_seq = -1, .updated_ms = now_ms};

	if (found != 0)
		return found < 0 ? -1 : 0;
	row.number = ++forms->last_number;
	struct form *form = form_new(id);
	/* An empty form has nothing to be dropped. */
	if (form_set_now(form, now_ms) == FORM_REBUILD)
		form_reset(form);
	*out = keep(forms, &row, form);
	forms_changed(forms, *out, false);
	return 0;
}

void
forms_changed(struct forms *forms, struct hot_form *hot, bool with_state)
{
	if (with_state)
		hot->needs_state = true;
	if (hot->changed)
		return;
	hot->changed = true;
	place(forms, hot);
}

void
forms_row_added(struct forms *forms, struct hot_form *hot, int64_t seq)
{
	hot->row.head = seq;
	hot->rows_behind++;
	forms_changed(forms, hot, false);
}

void
forms_stale(struct forms *forms, struct hot_form *hot)
{
	set_stale(forms, hot, true);
	forms_changed(forms, hot, true);
}

void
forms_watch(struct forms *forms, struct hot_form *hot, struct room *room)
{
	hot->room = room;
	place(forms, hot);
}

int
forms_fresh(struct forms *forms, struct hot_form *hot, int64_t now_ms)
{
	return hot->stale ? rebuild(forms, hot, now_ms) : 0;
}

int
forms_repair(struct forms *forms, int64_t now_ms)
{
	if (forms->stale_count == 0)
		return 0;
	LIST_FOR_EACH (node, &forms->changed) {
		struct hot_form *hot = container_of(node, struct hot_form, link);
		if (forms_fresh(forms, hot, now_ms) < 0)
			return -1;
	}
	return 0;
}

bool
forms_dirty(const struct forms *forms)
{
	return !list_empty(&forms->changed);
}

int
forms_write(struct forms *forms)
{
	struct store *store = forms->config.store;

	LIST_FOR_EACH (node, &forms->changed) {
		struct hot_form *hot = container_of(node, struct hot_form, link);
		struct store_form row = hot->row;

		hot->state_written = hot->needs_state || hot->rows_behind >= STATE_EVERY;
		row.updated_ms = form_updated(hot->form);
		if (hot->state_written) {
			row.state_seq = row.head;
			if (write_state(forms, hot) < 0)
				return -1;
		}
		if (store->ops->put_form(store, &row, hot->state_written ? &forms->state : NULL) <
		    0)
			return -1;
	}
	return 0;
}

void
forms_committed(struct forms *forms)
{
	LIST_FOR_EACH_SAFE (node, &forms->changed) {
		struct hot_form *hot = container_of(node, struct hot_form, link);

		if (hot->state_written) {
			hot->row.state_seq = hot->row.head;
			hot->needs_state = false;
			hot->rows_behind = 0;
		}
		hot->changed = false;
		hot->state_written = false;
		place(forms, hot);
	}
	forms_trim(forms);
}

void
forms_set_now(struct forms *forms, int64_t now_ms)
{
	for (struct hot_form *hot = forms->by_id; hot != NULL; hot = hot->by_id.next) {
		if (form_set_now(hot->form, now_ms) == FORM_REBUILD)
			forms_stale(forms, hot);
	}
}
