/* SPDX-License-Identifier: MIT */
/* What a transaction writes is staged as a list of changes, which commit plays into the tables. */
#include "analyticsd/store_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define BYTES_MAX (64U << 20)

enum change_kind {
	INSERT_ROW,
	UPDATE_ROW,
	DELETE_ROW,
	PUT_FORM,
	EXTEND_FORM,
	REMOVE_FORM,
	PUT_FORMS_END,
	PUT_DEFINITION,
	PUT_POSITION
};

struct change {
	enum change_kind kind;
	struct store_row row;
	struct store_form form;
	char *title;
	bool has_bytes, partial;
	struct buf bytes; /* a state, a definition or a position */
	struct list link;
};

static struct store_memory *
memory_of(struct store *store)
{
	return container_of(store, struct store_memory, store);
}

static int
memory_position(struct store *store, struct buf *position, bool *partial)
{
	struct store_memory *self = memory_of(store);

	if (!self->has_position)
		return 0;
	*partial = self->partial;
	return store_memory_copy(
		   position, buf_bytes(&self->position), buf_length(&self->position)) < 0
	    ? -1
	    : 1;
}

static int
memory_begin(struct store *store UNUSED)
{
	return 0;
}

static struct change *
stage(struct store *store, enum change_kind kind)
{
	struct change *change = mem_zalloc(sizeof(*change));

	change->kind = kind;
	buf_init(&change->bytes, BYTES_MAX);
	list_append(&memory_of(store)->changes, &change->link);
	return change;
}

static int
stage_row(struct store *store, enum change_kind kind, const struct store_row *row)
{
	struct change *change = stage(store, kind);

	change->row = *row;
	store_memory_own(&change->row);
	return 0;
}

static int
memory_insert_rows(struct store *store, store_next_row *next, void *owner)
{
	for (const struct store_row *row = next(owner); row != NULL; row = next(owner)) {
		if (stage_row(store, INSERT_ROW, row) < 0)
			return -1;
	}
	return 0;
}

static int
memory_update_row(struct store *store, const struct store_row *row)
{
	return stage_row(store, UPDATE_ROW, row);
}

static int
memory_delete_row(struct store *store, int64_t seq)
{
	stage(store, DELETE_ROW)->row.seq = seq;
	return 0;
}

static int
memory_put_form(struct store *store, const struct store_form *form, const struct buf *state)
{
	struct change *change = stage(store, PUT_FORM);

	change->form = *form;
	if (form->whole)
		change->title = mem_strdup(form->title);
	change->has_bytes = state != NULL;
	return state == NULL
	    ? 0
	    : store_memory_copy(&change->bytes, buf_bytes(state), buf_length(state));
}

static int
memory_extend_form(struct store *store, const struct store_form *form)
{
	stage(store, EXTEND_FORM)->form = *form;
	return 0;
}

/* They are counted when that is asked for. */
static int
memory_put_forms_end(struct store *store, int64_t count UNUSED, int64_t seq)
{
	stage(store, PUT_FORMS_END)->row.seq = seq;
	return 0;
}

static int
memory_remove_form(struct store *store, int64_t number)
{
	stage(store, REMOVE_FORM)->form.number = number;
	return 0;
}

static int
memory_put_definition(struct store *store, int64_t number, const void *json, size_t length)
{
	struct change *change = stage(store, PUT_DEFINITION);

	change->form.number = number;
	return store_memory_copy(&change->bytes, json, length);
}

static int
memory_put_position(struct store *store, const void *position, size_t length, bool partial)
{
	struct change *change = stage(store, PUT_POSITION);

	change->partial = partial;
	return store_memory_copy(&change->bytes, position, length);
}

static void
change_free(struct change *change)
{
	list_remove(&change->link);
	store_memory_disown(&change->row);
	free(change->title);
	buf_free(&change->bytes);
	free(change);
}

static int
play_form(struct store_memory *self, const struct change *change)
{
	struct memory_form *form;

	HASH_FIND(by_id, self->forms, &change->form.id, sizeof(change->form.id), form);
	if (form == NULL) {
		form = mem_zalloc(sizeof(*form));
		form->form.id = change->form.id;
		buf_init(&form->state, BYTES_MAX);
		buf_init(&form->definition, BYTES_MAX);
		HASH_ADD(by_id, self->forms, form.id, sizeof(form->form.id), form);
	}
	store_memory_list_form(form, &change->form, change->title);
	self->ends.last_form = MAX(self->ends.last_form, change->form.number);
	if (!change->has_bytes)
		return 0;
	return store_memory_copy(
	    &form->state, buf_bytes(&change->bytes), buf_length(&change->bytes));
}

static int
play(struct store_memory *self, const struct change *change)
{
	switch (change->kind) {
	case INSERT_ROW:
	case UPDATE_ROW:
		store_memory_put_row(self, &change->row);
		return 0;
	case DELETE_ROW:
		store_memory_remove_row(self, change->row.seq);
		return 0;
	case PUT_FORM:
		return play_form(self, change);
	case EXTEND_FORM:
		store_memory_extend_form(
		    store_memory_form(self, change->form.number), &change->form);
		return 0;
	case PUT_FORMS_END:
		self->ends.forms_seq = change->row.seq;
		return 0;
	case REMOVE_FORM:
		store_memory_discard(self, store_memory_form(self, change->form.number));
		return 0;
	case PUT_DEFINITION:
		return store_memory_copy(&store_memory_form(self, change->form.number)->definition,
		    buf_bytes(&change->bytes), buf_length(&change->bytes));
	case PUT_POSITION:
		self->has_position = true;
		self->partial = change->partial;
		return store_memory_copy(
		    &self->position, buf_bytes(&change->bytes), buf_length(&change->bytes));
	}
	return 0;
}

static int
memory_commit(struct store *store)
{
	struct store_memory *self = memory_of(store);

	if (self->fail != 0) {
		errno = self->fail;
		return -1;
	}
	LIST_FOR_EACH_SAFE (node, &self->changes) {
		struct change *change = container_of(node, struct change, link);
		if (play(self, change) < 0)
			return -1;
		change_free(change);
	}
	return 0;
}

static void
memory_rollback(struct store *store)
{
	LIST_FOR_EACH_SAFE (node, &memory_of(store)->changes)
		change_free(container_of(node, struct change, link));
}

static void
memory_rest(struct store *store UNUSED)
{
}

static const char *
memory_failure(const struct store *store UNUSED)
{
	return "injected";
}

static int
memory_set_aside(struct store *store UNUSED, char *where UNUSED, size_t size UNUSED)
{
	errno = ENOTSUP;
	return -1;
}

static void
memory_free(struct store **store)
{
	struct store_memory *self = memory_of(*store);
	struct memory_row *row, *next_row;
	struct memory_form *form, *next_form;

	memory_rollback(*store);
	HASH_ITER (by_seq, self->rows_by_seq, row, next_row)
		store_memory_remove_row(self, row->row.seq);
	HASH_ITER (by_id, self->forms, form, next_form)
		store_memory_discard(self, form);
	buf_free(&self->position);
	free(self);
	*store = NULL;
}

static const struct store_ops memory_ops = {
    .position = memory_position,
    .row_by_id = store_memory_row_by_id,
    .row_by_seq = store_memory_row_by_seq,
    .rows_after = store_memory_rows_after,
    .form = store_memory_form_by_id,
    .form_by_number = store_memory_form_by_number,
    .next_bare = store_memory_next_bare,
    .ends = store_memory_ends,
    .greatest_id = store_memory_greatest_id,
    .definition = store_memory_definition,
    .list = store_memory_list,
    .begin = memory_begin,
    .insert_rows = memory_insert_rows,
    .update_row = memory_update_row,
    .delete_row = memory_delete_row,
    .put_form = memory_put_form,
    .extend_form = memory_extend_form,
    .remove_form = memory_remove_form,
    .put_forms_end = memory_put_forms_end,
    .put_definition = memory_put_definition,
    .put_position = memory_put_position,
    .commit = memory_commit,
    .rollback = memory_rollback,
    .rest = memory_rest,
    .failure = memory_failure,
    .set_aside = memory_set_aside,
    .free = memory_free,
};

struct store *
store_memory_new(void)
{
	struct store_memory *self = mem_zalloc(sizeof(*self));

	self->store.ops = &memory_ops;
	buf_init(&self->position, BYTES_MAX);
	list_init(&self->changes);
	return &self->store;
}

void
store_memory_fail(struct store *store, int error)
{
	memory_of(store)->fail = error;
}
