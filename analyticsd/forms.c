/* SPDX-License-Identifier: MIT */
#include "analyticsd/forms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyticsd/counters.h"
#include "analyticsd/forms_recount.h"
#include "analyticsd/forms_state.h"
#include "analyticsd/hash.h"
#include "analyticsd/hot_definition.h"
#include "lib/mem.h"

/* How many rows the state of a loaded form may lag: it is small beside the rows then, and read
 * within a millisecond or two after a death. */
#define LAG_MIN 128
#define LAG_MAX 2048
#define LAG_BYTES 16
/* That of a light form: nobody looks at it, so its rows are not read before somebody does, as long
 * as that takes milliseconds. */
#define LIGHT_LAG 1024
/* So many rows are added to a form before its memory is counted again. */
#define COUNT_ROWS 4

static int
read_store(struct forms *forms, int64_t now_ms)
{
	struct store *store = forms->config.store;
	struct store_ends ends;

	if (store->ops->ends(store, &ends) < 0)
		return -1;
	forms->last_number = ends.last_form;
	forms->known = (size_t)ends.forms;
	forms->last_seq = ends.last_seq;
	forms->written_seq = ends.forms_seq;
	return forms_read_tail(forms, now_ms);
}

struct forms *
forms_new(const struct forms_config *config, int64_t now_ms)
{
	struct forms *forms = mem_zalloc(sizeof(*forms));

	forms->config = *config;
	list_init(&forms->changed);
	list_init(&forms->kept);
	list_init(&forms->watched);
	list_init(&forms->idle);
	list_init(&forms->light);
	list_init(&forms->appended);
	list_init(&forms->recounts);
	if (forms->config.step_rows == 0)
		forms->config.step_rows = FORMS_STEP_ROWS;
	if (forms->config.max_bytes == 0)
		forms->config.max_bytes = SIZE_MAX / 2;
	forms->light_max = FORMS_LIGHT_MAX;
	buf_init(&forms->state, FORM_MAX_STATE);
	if (read_store(forms, now_ms) < 0)
		forms_free(&forms);
	return forms;
}

uint32_t
forms_lag(const struct hot_form *hot)
{
	return MIN(MAX(hot->state_bytes / LAG_BYTES, LAG_MIN), LAG_MAX);
}

/* One that is light all the same. */
static bool
is_needed(const struct hot_form *hot)
{
	return hot->room != NULL || !list_empty(&hot->appended);
}

void
forms_place(struct forms *forms, struct hot_form *hot)
{
	list_remove(&hot->link);
	if (hot->changed)
		list_append(&forms->changed, &hot->link);
	else if (hot->recount != NULL || (hot->room != NULL && !hot->stored))
		list_append(&forms->kept, &hot->link);
	else if (hot->form != NULL)
		list_append(hot->room != NULL ? &forms->watched : &forms->idle, &hot->link);
	else
		list_append(is_needed(hot) ? &forms->kept : &forms->light, &hot->link);
}

void
forms_set_form(struct forms *forms, struct hot_form *hot, struct form *form)
{
	hot->form = form;
	forms->loaded++;
	forms_count_bytes(forms, hot);
	forms_place(forms, hot);
}

void
forms_unload(struct forms *forms, struct hot_form *hot)
{
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not see what list_remove() did */
	if (hot->form == NULL)
		return;
	forms_recount_end(forms, hot);
	forms_left(forms, hot);
	hot->needs_state = false;
	form_free(&hot->form);
	forms->loaded--;
	forms_count_bytes(forms, hot);
	forms_place(forms, hot);
}

static void
release(struct forms *forms, struct hot_form *hot)
{
	forms_unload(forms, hot);
	forms_row_written(forms, hot);
	list_remove(&hot->link);
	hot_definition_forget(hot);
	free(hot);
}

void
forms_drop(struct forms *forms, struct hot_form *hot)
{
	hot_table_remove(&forms->hot, hot);
	release(forms, hot);
}

void
forms_free(struct forms **pointer)
{
	struct forms *forms = *pointer;
	struct hot_form *hot;
	size_t at = 0;

	while ((hot = hot_table_next(&forms->hot, &at)) != NULL)
		release(forms, hot);
	hot_table_free(&forms->hot);
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
	return forms->loaded;
}

size_t
forms_known(const struct forms *forms)
{
	return forms->known;
}

/* How far its state lags is not known: a number by chance, so that it is caught up as often as
 * others however often it comes and goes. */
static uint32_t
guess_lag(const struct store_form *row)
{
	return (uint32_t)(hash_bytes64(&row->head, sizeof(row->head)) % LIGHT_LAG);
}

struct hot_form *
forms_keep(struct forms *forms, const struct store_form *row)
{
	struct hot_form *hot = mem_zalloc(sizeof(*hot));

	hot->row = *row;
	hot->row.title = NULL;
	hot->row.total = 0;
	hot->row.last_ms = RESPONSE_NO_TIME;
	hot->rows_behind = guess_lag(row);
	hot->stored = true;
	list_init(&hot->link);
	list_init(&hot->appended);
	hot_table_add(&forms->hot, hot);
	forms_place(forms, hot);
	return hot;
}

void
forms_used(struct forms *forms, struct hot_form *hot)
{
	if (!hot->changed && hot->recount == NULL)
		forms_place(forms, hot);
}

int
forms_find(struct forms *forms, const struct form_id *id, int64_t now_ms, struct hot_form **out)
{
	struct store *store = forms->config.store;
	struct store_form row;

	*out = hot_table_find(&forms->hot, id);
	if (*out != NULL) {
		forms_used(forms, *out);
		return forms_load(forms, *out, now_ms) < 0 ? -1 : 1;
	}
	int found = store->ops->form(store, id, &row, &forms->state);
	if (found <= 0)
		return found;
	*out = forms_keep(forms, &row);
	return forms_wake(forms, *out, now_ms) < 0 ? -1 : 1;
}

int
forms_find_number(struct forms *forms, int64_t number, int64_t now_ms, struct hot_form **out)
{
	struct store *store = forms->config.store;
	struct store_form row;

	*out = hot_table_find_number(&forms->hot, number);
	if (*out == NULL) {
		int found = store->ops->form_by_number(store, number, &row);
		if (found <= 0)
			return found;
		*out = forms_keep(forms, &row);
	}
	forms_used(forms, *out);
	return forms_load(forms, *out, now_ms) < 0 ? -1 : 1;
}

static void
make(struct forms *forms, const struct form_id *id, int64_t now_ms, struct hot_form **out)
{
	struct store_form row = {.id = *id, .state_seq = STORE_NO_STATE, .updated_ms = now_ms};
	struct form *form = form_new(id);

	/* An empty form has nothing to be dropped. */
	if (form_set_now(form, now_ms) == FORM_REBUILD)
		form_reset(form);
	row.number = ++forms->last_number;
	*out = forms_keep(forms, &row);
	(*out)->rows_behind = 0;
	(*out)->stored = false;
	forms_set_form(forms, *out, form);
	forms_changed(forms, *out, false);
}

int
forms_get(struct forms *forms, const struct form_id *id, int64_t now_ms, struct hot_form **out)
{
	int found = forms_find(forms, id, now_ms, out);

	if (found == 0)
		make(forms, id, now_ms, out);
	return found < 0 ? -1 : 0;
}

int
forms_seat(struct forms *forms, const struct form_id *id, int64_t now_ms, struct hot_form **out)
{
	struct store *store = forms->config.store;
	struct store_form row;

	*out = hot_table_find(&forms->hot, id);
	if (*out == NULL) {
		int found = store->ops->form(store, id, &row, NULL);
		if (found < 0)
			return -1;
		if (found == 0) {
			make(forms, id, now_ms, out);
			return 0;
		}
		*out = forms_keep(forms, &row);
	}
	forms_used(forms, *out);
	if ((*out)->form != NULL || (!forms_roomy(forms) && (*out)->rows_behind < LIGHT_LAG))
		return 0;
	return forms_load(forms, *out, now_ms);
}

bool
forms_is_empty(const struct hot_form *hot)
{
	return hot->form != NULL && hot->recount == NULL && !form_defined(hot->form) &&
	    form_total(hot->form) == 0;
}

bool
forms_is_spent(const struct hot_form *hot)
{
	return forms_is_empty(hot) && !form_deleted(hot->form);
}

void
forms_touch(struct hot_form *hot, int64_t wall_ms)
{
	hot->row.updated_ms = wall_ms;
	if (hot->form != NULL)
		form_touch(hot->form, wall_ms);
}

void
forms_changed(struct forms *forms, struct hot_form *hot, bool with_state)
{
	if (with_state)
		hot->needs_state = true;
	if (hot->changed)
		return;
	hot->changed = true;
	forms->changed_loaded += hot->form != NULL;
	forms_place(forms, hot);
}

bool
forms_state_due(const struct hot_form *hot)
{
	return hot->form != NULL && hot->recount == NULL && hot->rows_behind >= forms_lag(hot);
}

void
forms_row_added(struct forms *forms, struct hot_form *hot, int64_t seq, int64_t submitted_ms)
{
	hot->row.total++;
	hot->row.last_ms = MAX(hot->row.last_ms, submitted_ms);
	hot->row.head = seq;
	hot->rows_behind++;
	forms->last_seq = seq;
	forms_recount_appended(hot, seq);
	forms_append(forms, hot);
	if (!hot->stored || forms_state_due(hot))
		forms_changed(forms, hot, false);
	if (hot->form != NULL && hot->rows_behind % COUNT_ROWS == 0)
		forms_count_bytes(forms, hot);
}

void
forms_watch(struct forms *forms, struct hot_form *hot, struct room *room)
{
	hot->room = room;
	forms_place(forms, hot);
}

bool
forms_dirty(const struct forms *forms)
{
	return !list_empty(&forms->changed) || !list_empty(&forms->appended);
}

void
forms_set_now(struct forms *forms, int64_t now_ms)
{
	struct hot_form *hot;
	size_t at = 0;

	while ((hot = hot_table_next(&forms->hot, &at)) != NULL) {
		if (hot->form != NULL && form_set_now(hot->form, now_ms) == FORM_REBUILD)
			forms_stale(forms, hot, now_ms);
	}
}
