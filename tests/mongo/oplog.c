/* SPDX-License-Identifier: MIT */
#include "tests/mongo/oplog.h"

#include <string.h>

void
entry_clear(struct entry *e)
{
	ns_unref(&e->ns);
	ns_unref(&e->to);
	doc_unref(&e->key);
	doc_unref(&e->doc);
	doc_unref(&e->old);
	doc_unref(&e->desc);
	doc_unref(&e->txn);
}

void
oplog_init(struct oplog *o, size_t max)
{
	memset(o, 0, sizeof *o);
	o->max = max ? max : 1;
	o->cap = o->max < 1024 ? o->max : 1024;
	o->ring = bson_malloc0(o->cap * sizeof *o->ring);
	o->hold = UINT64_MAX;
}

void
oplog_free(struct oplog *o)
{
	for (uint64_t k = o->first; k < o->end; k++)
		entry_clear(&o->ring[k % o->cap]);
	bson_free(o->ring);
	memset(o, 0, sizeof *o);
}

uint64_t
oplog_tick(struct oplog *o)
{
	uint64_t now = TS_MAKE(wall_ms() / 1000, 1);

	o->last_ts = now > o->last_ts ? now : o->last_ts + 1;
	return o->last_ts;
}

static void
ring_grow(struct oplog *o)
{
	size_t cap = o->cap * 2 < o->max ? o->cap * 2 : o->max;
	struct entry *ring = bson_malloc0(cap * sizeof *ring);

	for (uint64_t k = o->first; k < o->end; k++)
		ring[k % cap] = o->ring[k % o->cap];
	bson_free(o->ring);
	o->ring = ring;
	o->cap = cap;
}

void
oplog_append(struct oplog *o, const struct entry *e)
{
	if (o->end - o->first == o->cap && o->cap < o->max)
		ring_grow(o);
	if (o->end - o->first == o->cap) {
		entry_clear(&o->ring[o->first % o->cap]);
		o->first++;
		o->rolled = true;
	}
	o->ring[o->end % o->cap] = *e;
	o->end++;
	if (e->ts > o->last_ts)
		o->last_ts = e->ts;
	if (o->on_append)
		o->on_append(o->owner, e);
}

void
oplog_roll(struct oplog *o, uint64_t keep)
{
	while (o->end - o->first > keep) {
		entry_clear(&o->ring[o->first % o->cap]);
		o->first++;
		o->rolled = true;
	}
}

uint64_t
oplog_seen_end(const struct oplog *o)
{
	return o->hold < o->end ? o->hold : o->end;
}

uint64_t
oplog_seen_ts(const struct oplog *o)
{
	uint64_t end = oplog_seen_end(o);

	if (end == o->end)
		return o->last_ts;
	return end > o->first ? oplog_at(o, end - 1)->ts : 0;
}

void
oplog_noop(struct oplog *o)
{
	struct entry e = {.op = OP_NOOP};

	e.ts = oplog_tick(o);
	e.wall = wall_ms();
	oplog_append(o, &e);
}

const struct entry *
oplog_at(const struct oplog *o, uint64_t seq)
{
	return seq >= o->first && seq < o->end ? &o->ring[seq % o->cap] : NULL;
}

uint64_t
oplog_seek(const struct oplog *o, uint64_t ts)
{
	uint64_t lo = o->first, hi = o->end;

	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		if (oplog_at(o, mid)->ts < ts)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool
oplog_lost(const struct oplog *o, uint64_t ts)
{
	/* An oplog that still begins with the set's initiation has lost nothing, whatever ts. */
	return o->rolled && (o->first == o->end || oplog_at(o, o->first)->ts > ts);
}
