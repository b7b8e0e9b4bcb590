/* SPDX-License-Identifier: MIT */
/* store_memory: the inside of the store without a disk, for store_memory*.c
 * alone. */
#ifndef ANALYTICSD_STORE_MEMORY_H
#define ANALYTICSD_STORE_MEMORY_H

#include <stdbool.h>

#include "analyticsd/store.h"
#include "lib/list.h"
#include "lib/table.h"

struct memory_row {
	struct store_row row; /* its bytes are its own */
	UT_hash_handle by_seq, by_id;
};

struct memory_form {
	struct store_form form;
	char *title;
	struct buf state, definition;
	UT_hash_handle by_id;
};

struct store_memory {
	struct store store;
	struct memory_row *rows_by_seq, *rows_by_id;
	struct memory_form *forms;
	struct buf position;
	bool has_position, partial;
	struct list changes;
	int fail;
	struct store_ends ends;
};

/* The bytes take the place of what is in `to`. 0 or -1. */
int store_memory_copy(struct buf *to, const void *bytes, size_t length);
/* The id and the record of a row become its own copies; these are freed. */
void store_memory_own(struct store_row *row);
void store_memory_disown(struct store_row *row);
/* In the place of the one of its seq, if there is one; and none in its place. */
void store_memory_put_row(struct store_memory *self, const struct store_row *from);
void store_memory_remove_row(struct store_memory *self, int64_t seq);

/* NULL: there is none. */
struct memory_form *store_memory_form(struct store_memory *self, int64_t number);
/* What put_form says of a form that may be new (all zero). */
void store_memory_list_form(
    struct memory_form *form, const struct store_form *from, const char *title);
/* What extend_form says of one that is there. */
void store_memory_extend_form(struct memory_form *form, const struct store_form *from);
/* Frees it. NULL: there is none. */
void store_memory_discard(struct store_memory *self, struct memory_form *form);

/* Operations of the store. */
int store_memory_row_by_id(
    struct store *store, const void *id, size_t length, struct store_row *row);
int store_memory_row_by_seq(struct store *store, int64_t seq, struct store_row *row);
int store_memory_rows_after(struct store *store, int64_t seq, store_visited *visit, void *owner);
int store_memory_greatest_id(struct store *store, struct buf *id);
int store_memory_form_by_id(
    struct store *store, const struct form_id *id, struct store_form *form, struct buf *state);
int store_memory_form_by_number(struct store *store, int64_t number, struct store_form *form);
int store_memory_next_bare(struct store *store, int64_t after, int64_t *number);
int store_memory_ends(struct store *store, struct store_ends *ends);
int store_memory_definition(struct store *store, int64_t number, struct buf *json);
int store_memory_list(struct store *store, const struct form_id *after, size_t limit,
    store_listed *visit, void *owner);

#endif
