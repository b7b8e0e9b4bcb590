/* SPDX-License-Identifier: MIT */
/* Forms that were only appended to. Each commit writes its responses, wherever they belong; the
 * rows of the forms follow some commits later, so that one that was appended to ten times is
 * written once, and all of them in the order in which they stand in the store. */
#include "analyticsd/forms.h"

#include <errno.h>
#include <stdlib.h>

#include "analyticsd/forms_state.h"
#include "lib/mem.h"

/* So many responses are read at a start that follows a death, in some tenths of a second. */
#define TAIL_MAX 262144

void
forms_append(struct forms *forms, struct hot_form *hot)
{
	if (!list_empty(&hot->appended))
		return;
	list_append(&forms->appended, &hot->appended);
	forms->appended_count++;
	forms_used(forms, hot);
}

void
forms_row_written(struct forms *forms, struct hot_form *hot)
{
	hot->row.total = 0;
	hot->row.last_ms = RESPONSE_NO_TIME;
	if (list_empty(&hot->appended))
		return;
	list_remove(&hot->appended);
	forms->appended_count--;
}

bool
forms_tail_full(const struct forms *forms)
{
	return forms->appended_count >= forms->light_max ||
	    forms->last_seq - forms->written_seq >= TAIL_MAX;
}

/* With its number beside it, for sorting. */
struct numbered {
	int64_t number;
	const struct hot_form *hot;
};

static int
compare_numbers(const void *a, const void *b)
{
	int64_t left = ((const struct numbered *)a)->number;
	int64_t right = ((const struct numbered *)b)->number;

	return (left > right) - (left < right);
}

/* Those that are not written anyway; the caller frees them. */
static struct numbered *
sort_appended(const struct forms *forms, size_t *count)
{
	struct numbered *all = mem_array(NULL, MAX(forms->appended_count, 1), sizeof(*all));

	*count = 0;
	LIST_FOR_EACH (node, &forms->appended) {
		const struct hot_form *hot = container_of(node, struct hot_form, appended);
		if (!hot->changed)
			all[(*count)++] = (struct numbered){hot->row.number, hot};
	}
	qsort(all, *count, sizeof(*all), compare_numbers);
	return all;
}

int
forms_write_tail(struct forms *forms)
{
	struct store *store = forms->config.store;
	int result = 0;
	size_t count;

	struct numbered *all = sort_appended(forms, &count);
	for (size_t i = 0; i < count && result == 0; i++)
		result = store->ops->extend_form(store, &all[i].hot->row);
	MEM_FREE(&all);
	return result;
}

void
forms_tail_written(struct forms *forms)
{
	LIST_FOR_EACH_SAFE (node, &forms->appended) {
		struct hot_form *hot = container_of(node, struct hot_form, appended);
		forms_row_written(forms, hot);
		if (hot->form == NULL)
			forms_used(forms, hot);
	}
	forms->written_seq = forms->last_seq;
}

struct reading {
	struct forms *forms;
	int64_t now_ms;
};

static struct hot_form *
find_light(struct forms *forms, int64_t number)
{
	struct store *store = forms->config.store;
	struct hot_form *hot = hot_table_find_number(&forms->hot, number);
	struct store_form row;

	if (hot != NULL)
		return hot;
	int found = store->ops->form_by_number(store, number, &row);
	if (found == 0)
		errno = EBADMSG; /* a row of a form that is not there */
	return found > 0 ? forms_keep(forms, &row) : NULL;
}

/* As if it came now. What its form's head says is in the form's row already. */
static int
read_row(void *owner, const struct store_row *row)
{
	const struct reading *reading = owner;
	struct forms *forms = reading->forms;
	struct response *response = &forms->response;

	struct hot_form *hot = find_light(forms, row->form);
	if (hot == NULL)
		return -1;
	if (row->id == NULL || row->seq <= hot->row.head)
		return 0;
	if (response_from_record(response, row->record, row->record_length) < 0) {
		errno = EBADMSG;
		return -1;
	}
	hot->row.updated_ms = reading->now_ms;
	forms_row_added(forms, hot, row->seq, response->submitted_ms);
	return 0;
}

int
forms_read_tail(struct forms *forms, int64_t now_ms)
{
	struct store *store = forms->config.store;
	struct reading reading = {.forms = forms, .now_ms = now_ms};
	int64_t last_seq = forms->last_seq;

	int result = store->ops->rows_after(store, forms->written_seq, read_row, &reading);
	forms->last_seq = last_seq;
	return result;
}
