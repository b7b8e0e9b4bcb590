/* SPDX-License-Identifier: MIT */
/* The forms of the store without a disk. */
#include <stdlib.h>
#include <string.h>

#include "analyticsd/store_memory.h"
#include "lib/mem.h"

static struct store_memory *
memory_of(struct store *store)
{
	return container_of(store, struct store_memory, store);
}

struct memory_form *
store_memory_form(struct store_memory *self, int64_t number)
{
	struct memory_form *form = self->forms;

	while (form != NULL && form->form.number != number)
		form = form->by_id.next;
	return form;
}

void
store_memory_discard(struct store_memory *self, struct memory_form *form)
{
	if (form == NULL)
		return;
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it loses sight of uthash's table */
	HASH_DELETE(by_id, self->forms, form);
	buf_free(&form->state);
	buf_free(&form->definition);
	free(form->title);
	free(form);
}

int
store_memory_form_by_id(
    struct store *store, const struct form_id *id, struct store_form *form, struct buf *state)
{
	struct memory_form *found;

	HASH_FIND(by_id, memory_of(store)->forms, id, sizeof(*id), found);
	if (found == NULL)
		return 0;
	*form = found->form;
	if (state == NULL)
		return 1;
	buf_clear(state);
	if (buf_length(&found->state) == 0)
		return 1;
	return buf_append(state, buf_bytes(&found->state), buf_length(&found->state)) < 0 ? -1 : 1;
}

int
store_memory_form_by_number(struct store *store, int64_t number, struct store_form *form)
{
	const struct memory_form *found = store_memory_form(memory_of(store), number);

	if (found == NULL)
		return 0;
	*form = found->form;
	return 1;
}

int
store_memory_next_bare(struct store *store, int64_t after, int64_t *number)
{
	const struct memory_form *first = NULL;

	for (struct memory_form *form = memory_of(store)->forms; form != NULL;
	     form = form->by_id.next) {
		if (form->form.number > after && form->form.state_seq == STORE_BARE &&
		    (first == NULL || form->form.number < first->form.number))
			first = form;
	}
	if (first == NULL)
		return 0;
	*number = first->form.number;
	return 1;
}

int
store_memory_ends(struct store *store, struct store_ends *ends)
{
	*ends = memory_of(store)->ends;
	ends->forms = HASH_CNT(by_id, memory_of(store)->forms);
	return 0;
}

int
store_memory_definition(struct store *store, int64_t number, struct buf *json)
{
	const struct memory_form *form = store_memory_form(memory_of(store), number);

	buf_clear(json);
	if (form == NULL || buf_length(&form->definition) == 0)
		return 0;
	return buf_append(json, buf_bytes(&form->definition), buf_length(&form->definition)) < 0
	    ? -1
	    : 1;
}

/* Is `a` listed before `b`? */
static bool
is_before(const struct store_form *a, const struct store_form *b)
{
	if (a->last_ms != b->last_ms)
		return a->last_ms > b->last_ms;
	return memcmp(&a->id, &b->id, sizeof(a->id)) > 0;
}

/* Looks for the next one each time: it is for tests. */
int
store_memory_list(struct store *store, const struct form_id *after, size_t limit,
    store_listed *visit, void *owner)
{
	const struct memory_form *last = NULL;

	if (after != NULL) {
		HASH_FIND(by_id, memory_of(store)->forms, after, sizeof(*after), last);
		if (last == NULL || !last->form.listed)
			return 0;
	}
	while (limit-- > 0) {
		const struct memory_form *next = NULL;

		for (const struct memory_form *form = memory_of(store)->forms; form != NULL;
		     form = form->by_id.next) {
			if (form->form.listed &&
			    (last == NULL || is_before(&last->form, &form->form)) &&
			    (next == NULL || is_before(&form->form, &next->form)))
				next = form;
		}
		if (next == NULL)
			break;
		visit(owner, &next->form);
		last = next;
	}
	return 1;
}

void
store_memory_extend_form(struct memory_form *form, const struct store_form *from)
{
	form->form.head = from->head;
	form->form.updated_ms = from->updated_ms;
	form->form.total += from->total;
	form->form.last_ms = MAX(form->form.last_ms, from->last_ms);
}

void
store_memory_list_form(struct memory_form *form, const struct store_form *from, const char *title)
{
	struct store_form was = form->form;
	bool fresh = was.number == 0;

	form->form = *from;
	if (from->whole) {
		free(form->title);
		form->title = mem_strdup(title);
	} else {
		form->form.listed = fresh || was.listed;
		form->form.total += was.total;
		form->form.last_ms = fresh ? from->last_ms : MAX(from->last_ms, was.last_ms);
	}
	form->form.title = form->title != NULL ? form->title : "";
}
