/* SPDX-License-Identifier: MIT */
#include "analyticsd/forms_recount.h"

#include <errno.h>

#include "analyticsd/counters.h"
#include "analyticsd/forms_state.h"
#include "lib/mem.h"

/* Of records, in one step. */
#define STEP_BYTES (1U << 20)
/* Tombstones that are taken out of chains at once, so that the transaction stays a bounded one. */
#define UNLINK_MAX 4096
/* Each has two struct forms, so there are not many: from here on a commit waits for the oldest. */
#define RECOUNTS_MAX 64

/* The chain from its head: rows that are counted ──▶ newer ──▶ next ──▶ rows to be counted.
 * Sequence numbers fall along it, so whether a row is counted can be told by its number. */
struct recount {
	struct hot_form *hot;
	struct form *before; /* what is shown; NULL: nothing */
	int64_t next; /* 0: all are counted */
	int64_t newer; /* 0: there is none, `next` is the head */
	unsigned unlinked;
	bool begun; /* a step has been taken */
	bool again; /* something came that it cannot honour: over again, when it is through */
	struct list link;
};

static void
empty(struct form *form, int64_t now_ms)
{
	form_reset(form);
	/* With no responses nothing that is needed was dropped. */
	if (form_set_now(form, now_ms) == FORM_REBUILD)
		form_reset(form);
}

/* To the head of the chain, with no row counted. */
static void
rewind_to_head(struct recount *recount)
{
	recount->next = recount->hot->row.head;
	recount->newer = 0;
	recount->unlinked = 0;
	recount->again = false;
}

static struct recount *
recount_of(struct forms *forms, struct hot_form *hot)
{
	if (hot->recount == NULL) {
		hot->recount = mem_zalloc(sizeof(*hot->recount));
		hot->recount->hot = hot;
		list_append(&forms->recounts, &hot->recount->link);
		forms->recount_count++;
		forms_changed(forms, hot, true);
	}
	return hot->recount;
}

/* The form as it is becomes what is shown, and an empty one with its definition takes its place. */
static void
part(struct recount *recount, int64_t now_ms)
{
	struct hot_form *hot = recount->hot;
	struct form *copy = form_copy(hot->form);

	if (copy != NULL) {
		form_free(&recount->before);
		recount->before = hot->form;
		hot->form = copy;
	}
	empty(hot->form, now_ms);
	rewind_to_head(recount);
}

void
forms_stale(struct forms *forms, struct hot_form *hot, int64_t now_ms)
{
	if (hot->recount != NULL)
		hot->recount->again = true;
	else
		part(recount_of(forms, hot), now_ms);
}

struct form *
forms_before(const struct forms *forms, const struct hot_form *hot)
{
	if (hot->recount != NULL || form_total(hot->form) <= forms->config.step_rows)
		return NULL;
	return form_copy(hot->form);
}

void
forms_redefined(struct forms *forms, struct hot_form *hot, struct form **before, int64_t now_ms)
{
	struct recount *recount = recount_of(forms, hot);

	if (recount->before == NULL) {
		recount->before = *before;
		*before = NULL;
	}
	empty(hot->form, now_ms);
	rewind_to_head(recount);
	form_free(before);
}

void
forms_undefine(struct hot_form *hot)
{
	form_undefine(hot->form);
	if (hot->recount != NULL && hot->recount->before != NULL)
		form_undefine(hot->recount->before);
}

void
forms_recount_appended(struct hot_form *hot, int64_t seq)
{
	if (hot->recount != NULL && hot->recount->newer == 0)
		hot->recount->newer = seq;
}

size_t
forms_recount_memory(const struct hot_form *hot)
{
	if (hot->recount == NULL)
		return 0;
	return sizeof(*hot->recount) +
	    (hot->recount->before != NULL ? form_memory(hot->recount->before) : 0);
}

void
forms_recount_end(struct forms *forms, struct hot_form *hot)
{
	if (hot->recount == NULL)
		return;
	list_remove(&hot->recount->link);
	forms->recount_count--;
	form_free(&hot->recount->before);
	MEM_FREE(&hot->recount);
}

bool
forms_counted(const struct hot_form *hot, int64_t seq)
{
	return hot->recount == NULL || seq > hot->recount->next;
}

bool
forms_is_known(const struct hot_form *hot)
{
	const struct form *shown = forms_shown(hot);

	return form_known(hot->form) || (shown != NULL && form_known(shown));
}

const struct form *
forms_shown(const struct hot_form *hot)
{
	return hot->recount != NULL ? hot->recount->before : hot->form;
}

bool
forms_settling(const struct hot_form *hot)
{
	return hot->recount != NULL && hot->recount->begun;
}

/* Takes the tombstone out of the chain. */
static int
unlink_row(struct forms *forms, struct recount *recount, int64_t prev)
{
	struct ledger *ledger = forms->config.ledger;
	struct hot_form *hot = recount->hot;
	struct store_row row;

	if (recount->newer == 0) {
		hot->row.head = prev;
	} else {
		if (ledger_get(ledger, recount->newer, &row) < 0)
			return -1;
		row.prev = prev;
		ledger_update(ledger, &row);
	}
	ledger_delete(ledger, recount->next);
	recount->unlinked++;
	forms_changed(forms, hot, false);
	return 0;
}

/* Its bytes, or -1. */
static long
count_next(struct forms *forms, struct recount *recount)
{
	struct store_row row;

	if (ledger_get(forms->config.ledger, recount->next, &row) < 0)
		return -1;
	int64_t prev = row.prev;
	if (row.id == NULL && recount->unlinked < UNLINK_MAX) {
		if (unlink_row(forms, recount, prev) < 0)
			return -1;
	} else {
		if (row.id != NULL && forms_add_row(forms, recount->hot, &row) < 0)
			return -1;
		recount->newer = recount->next;
	}
	recount->next = prev;
	return (long)row.record_length;
}

/* 1: it was the last, `recount` is no more; 0 or -1. */
static int
step(struct forms *forms, struct recount *recount, int64_t now_ms)
{
	struct hot_form *hot = recount->hot;
	size_t bytes = 0;

	for (size_t rows = 0; recount->next != 0 && rows < forms->config.step_rows; rows++) {
		long length = count_next(forms, recount);
		if (length < 0)
			return -1;
		bytes += (size_t)length;
		if (bytes > STEP_BYTES)
			break;
	}
	recount->begun = true;
	if (recount->next != 0)
		return 0;
	counters[COUNTER_form_rebuilds]++;
	if (recount->again) {
		part(recount, now_ms);
		return 0;
	}
	forms_recount_end(forms, hot);
	forms_changed(forms, hot, true);
	forms_count_bytes(forms, hot);
	return 1;
}

int
forms_fresh(struct forms *forms, struct hot_form *hot, int64_t now_ms)
{
	if (hot->recount == NULL || hot->recount->begun)
		return 0;
	return step(forms, hot->recount, now_ms) < 0 ? -1 : 0;
}

/* Of forms that have nothing else, so that these can go; so many as fit into one transaction. */
static int
unlink_tombstones(struct forms *forms)
{
	unsigned left = UNLINK_MAX;
	struct store_row row;

	LIST_FOR_EACH (node, &forms->changed) {
		struct hot_form *hot = container_of(node, struct hot_form, link);

		while (forms_is_empty(hot) && hot->row.head != 0 && left > 0) {
			if (ledger_get(forms->config.ledger, hot->row.head, &row) < 0)
				return -1;
			if (row.id != NULL) {
				errno = EBADMSG; /* a response that counts nowhere */
				return -1;
			}
			int64_t prev = row.prev;
			ledger_delete(forms->config.ledger, hot->row.head);
			hot->row.head = prev;
			/* It must not account for rows that are not there. */
			hot->needs_state = true;
			left--;
		}
	}
	return 0;
}

int
forms_repair(struct forms *forms, int64_t now_ms)
{
	LIST_FOR_EACH_SAFE (node, &forms->recounts) {
		struct recount *recount = container_of(node, struct recount, link);
		if (forms_fresh(forms, recount->hot, now_ms) < 0)
			return -1;
	}
	while (forms->recount_count > RECOUNTS_MAX) {
		if (step(forms, LIST_FIRST(&forms->recounts, struct recount, link), now_ms) < 0)
			return -1;
	}
	return unlink_tombstones(forms);
}

bool
forms_recounting(const struct forms *forms)
{
	return !forms->resumed || !list_empty(&forms->recounts);
}

/* Loading the next form that an earlier process has left begins its count. */
static int
resume(struct forms *forms, int64_t now_ms)
{
	struct store *store = forms->config.store;
	struct hot_form *hot;
	int64_t number;

	int found = store->ops->next_bare(store, forms->resumed_to, &number);
	if (found > 0)
		found = forms_find_number(forms, number, now_ms, &hot);
	if (found > 0)
		forms->resumed_to = number;
	forms->resumed = found == 0;
	return found < 0 ? -1 : 0;
}

int
forms_step(struct forms *forms, int64_t now_ms, struct hot_form **done)
{
	if (list_empty(&forms->recounts))
		return forms->resumed ? 0 : resume(forms, now_ms);
	struct recount *recount = LIST_FIRST(&forms->recounts, struct recount, link);
	*done = recount->hot;
	return step(forms, recount, now_ms);
}

size_t
forms_recounts(const struct forms *forms)
{
	return forms->recount_count;
}
