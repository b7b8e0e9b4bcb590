/* SPDX-License-Identifier: MIT */
#include "wsfand/interest.h"

#include "lib/mem.h"
#include "lib/table.h"

/* Told something, nobody knows what. */
#define UNKNOWN UINT32_MAX

struct interest_entry {
	struct form_id id;
	UT_hash_handle hh;
	struct list node; /* on ready, on cooling, or on none */
	uint64_t told_ms;
	uint32_t told, now; /* viewers; told 0: it does not know the room */
	bool cooling;
	bool lapsed; /* it was gone since it was told last */
};

void
interest_init(struct interest *interest, uint64_t rest_ms, bool edges)
{
	interest->table = NULL;
	interest->rest_ms = rest_ms;
	interest->edges = edges;
	list_init(&interest->ready);
	list_init(&interest->cooling);
}

static void
entry_free(struct interest *interest, struct interest_entry *entry)
{
	/* The table holds at least this entry; the analyser does not see it. */
	HASH_DEL(interest->table, entry); /* NOLINT(clang-analyzer-core.NullDereference) */
	list_remove(&entry->node);
	MEM_FREE(&entry);
}

void
interest_free(struct interest *interest)
{
	struct interest_entry *entry, *next;

	HASH_ITER (hh, interest->table, entry, next)
		entry_free(interest, entry);
}

static void
make_ready(struct interest *interest, struct interest_entry *entry)
{
	list_remove(&entry->node);
	entry->cooling = false;
	list_append(&interest->ready, &entry->node);
}

/* Puts the entry where it belongs after `now` has changed. */
static void
settle(struct interest *interest, struct interest_entry *entry)
{
	bool edge = entry->told == 0 || entry->now == 0;

	if (interest->edges && entry->told > 0 && entry->now == 0)
		entry->lapsed = true;
	if (entry->told == 0 && entry->now == 0) {
		entry_free(interest, entry);
	} else if (entry->cooling) {
		if (edge)
			make_ready(interest, entry);
	} else if (entry->now == entry->told && !entry->lapsed) {
		list_remove(&entry->node);
	} else if (list_empty(&entry->node)) {
		make_ready(interest, entry);
	}
}

static struct interest_entry *
entry_of(struct interest *interest, const struct form_id *id)
{
	struct interest_entry *entry;

	HASH_FIND(hh, interest->table, id, sizeof(*id), entry);
	if (!entry) {
		entry = mem_zalloc(sizeof(*entry));
		entry->id = *id;
		list_init(&entry->node);
		HASH_ADD(hh, interest->table, id, sizeof(entry->id), entry);
	}
	return entry;
}

void
interest_set(struct interest *interest, const struct form_id *id, uint32_t viewers)
{
	struct interest_entry *entry = entry_of(interest, id);

	entry->now = viewers;
	settle(interest, entry);
}

void
interest_again(struct interest *interest, const struct interest_news *news)
{
	struct interest_entry *entry = entry_of(interest, &news->id);

	entry->told = UNKNOWN;
	entry->now = news->viewers;
	make_ready(interest, entry);
}

/* Those that have rested long enough. */
static void
wake(struct interest *interest, uint64_t now_ms)
{
	while (!list_empty(&interest->cooling)) {
		struct interest_entry *entry = LIST_FIRST(
		    &interest->cooling, struct interest_entry, node);

		if (now_ms - entry->told_ms < interest->rest_ms)
			break;
		list_remove(&entry->node);
		entry->cooling = false;
		settle(interest, entry);
	}
}

/* It has been told `viewers`. */
static void
told(struct interest *interest, struct interest_entry *entry, uint32_t viewers, uint64_t now_ms)
{
	entry->told = viewers;
	entry->told_ms = now_ms;
	entry->lapsed = false;
	if (viewers != entry->now || viewers == 0) {
		settle(interest, entry);
	} else if (interest->rest_ms > 0) {
		entry->cooling = true;
		list_append(&interest->cooling, &entry->node);
	}
}

bool
interest_next(struct interest *interest, uint64_t now_ms, struct interest_news *news)
{
	struct interest_entry *entry;

	wake(interest, now_ms);
	if (list_empty(&interest->ready))
		return false;
	entry = LIST_FIRST(&interest->ready, struct interest_entry, node);
	list_remove(&entry->node);
	news->id = entry->id;
	news->viewers = entry->lapsed ? 0 : entry->now;
	if (news->viewers == 0)
		news->kind = INTEREST_CLOSED;
	else
		news->kind = entry->told == 0 ? INTEREST_OPENED : INTEREST_VIEWERS;
	told(interest, entry, news->viewers, now_ms);
	return true;
}

struct visit {
	uint64_t now_ms;
	void (*visit)(void *owner, const struct interest_memory *memory);
	void *owner;
};

static void
visit_one(const struct visit *visit, const struct interest_entry *entry, enum interest_place place)
{
	const struct interest_memory memory = {
	    .id = entry->id,
	    .told = entry->told,
	    .now = entry->now,
	    .place = place,
	    .told_age_ms = visit->now_ms - entry->told_ms,
	    .lapsed = entry->lapsed,
	};

	visit->visit(visit->owner, &memory);
}

static void
visit_list(const struct visit *visit, const struct list *list, enum interest_place place)
{
	LIST_FOR_EACH (node, list)
		visit_one(visit, container_of(node, struct interest_entry, node), place);
}

void
interest_each(const struct interest *interest, uint64_t now_ms,
    void (*visit)(void *owner, const struct interest_memory *memory), void *owner)
{
	const struct visit all = {.now_ms = now_ms, .visit = visit, .owner = owner};

	visit_list(&all, &interest->ready, INTEREST_READY);
	visit_list(&all, &interest->cooling, INTEREST_COOLING);
	for (const struct interest_entry *entry = interest->table; entry; entry = entry->hh.next)
		if (list_empty(&entry->node))
			visit_one(&all, entry, INTEREST_RESTS);
}

void
interest_remember(struct interest *interest, uint64_t now_ms, const struct interest_memory *memory)
{
	struct interest_entry *entry = entry_of(interest, &memory->id);

	entry->told = memory->told;
	entry->now = memory->now;
	entry->told_ms = now_ms - memory->told_age_ms;
	entry->lapsed = memory->lapsed;
	entry->cooling = memory->place == INTEREST_COOLING;
	list_remove(&entry->node);
	if (memory->place != INTEREST_RESTS)
		list_append(entry->cooling ? &interest->cooling : &interest->ready, &entry->node);
}

int64_t
interest_wait(const struct interest *interest, uint64_t now_ms)
{
	const struct interest_entry *entry;
	uint64_t passed;

	if (!list_empty(&interest->ready))
		return 0;
	if (list_empty(&interest->cooling))
		return -1;
	entry = LIST_FIRST(&interest->cooling, struct interest_entry, node);
	passed = now_ms - entry->told_ms;
	return passed >= interest->rest_ms ? 0 : (int64_t)(interest->rest_ms - passed);
}
