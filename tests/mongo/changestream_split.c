/* SPDX-License-Identifier: MIT */
/*
 * $changeStreamSplitLargeEvent (manual, 7.0): an event that is too large comes in parts. Each has a
 * token of its own, splitEvent {fragment, of}, and some of the event's top-level fields, none of
 * which is ever divided; the first part has as many of them as it can hold.
 */
#include "tests/mongo/changestream_options.h"

#include <stdlib.h>
#include <string.h>

/* _id and splitEvent, and what surrounds them, at most. */
#define PART_OVERHEAD 220
#define FIELDS_MAX 32

struct field {
	bson_iter_t at;
	size_t size;
	int part; /* from 0 */
};

static int
smaller_first(const void *a, const void *b)
{
	size_t one = ((const struct field *)a)->size, other = ((const struct field *)b)->size;

	return one < other ? -1 : one > other;
}

/* All fields but _id, the smallest first. */
static int
fields_of(const bson_t *event, struct field fields[FIELDS_MAX])
{
	bson_iter_t it;
	int n = 0;

	bson_iter_init(&it, event);
	while (bson_iter_next(&it) && n < FIELDS_MAX) {
		if (BSON_ITER_IS_KEY(&it, "_id"))
			continue;
		fields[n++] = (struct field){.at = it, .size = it.next_off - it.off};
	}
	qsort(fields, (size_t)n, sizeof fields[0], smaller_first);
	return n;
}

/* Which part each field goes into; how many parts there are, 0 where one alone is too large. */
static int
share_out(struct field *fields, int n, size_t limit)
{
	size_t used = PART_OVERHEAD;
	int part = 0;

	for (int i = 0; i < n; i++) {
		if (PART_OVERHEAD + fields[i].size > limit)
			return 0;
		if (used + fields[i].size > limit) {
			used = PART_OVERHEAD;
			part++;
		}
		used += fields[i].size;
		fields[i].part = part;
	}
	return part + 1;
}

static struct doc *
part_new(const char *token, const struct field *fields, int n, int part, int parts)
{
	char text[TOKEN_TEXT];
	bson_t *b = bson_new(), sub;
	struct doc *d;

	token_fragment(token, (uint32_t)part, text);
	bson_append_document_begin(b, "_id", 3, &sub);
	bson_append_utf8(&sub, "_data", 5, text, -1);
	bson_append_document_end(b, &sub);
	bson_append_document_begin(b, "splitEvent", -1, &sub);
	bson_append_int32(&sub, "fragment", -1, part + 1);
	bson_append_int32(&sub, "of", -1, parts);
	bson_append_document_end(b, &sub);
	for (int i = 0; i < n; i++)
		if (fields[i].part == part)
			bson_append_iter(b, NULL, 0, &fields[i].at);
	d = doc_from_bson(b);
	bson_destroy(b);
	return d;
}

static int
too_large(const struct doc *d, struct fail *f)
{
	return fail_set(f, 10334,
	    "BSONObj size: %u (0x%X) is invalid. Size must be between 0 and 16793600(16MB)", d->len,
	    d->len);
}

static int
split(struct changestream *cs, const struct doc *d, struct fail *f)
{
	struct field fields[FIELDS_MAX];
	bson_iter_t it, id;
	bson_t event;
	int n, parts;

	doc_view(d, &event);
	n = fields_of(&event, fields);
	parts = share_out(fields, n, cs->srv->opt.max_event_bytes);
	if (parts == 0)
		return too_large(d, f);
	bson_iter_init(&it, &event);
	bson_iter_find_descendant(&it, "_id._data", &id);
	doc_list_free(&cs->parts);
	for (int i = 0; i < parts; i++)
		doc_list_add(&cs->parts, part_new(bson_iter_utf8(&id, NULL), fields, n, i, parts));
	return 0;
}

int
changestream_split(struct changestream *cs, struct doc **d, bool is_start, struct fail *f)
{
	if ((*d)->len <= cs->srv->opt.max_event_bytes && is_start)
		return fail_set(f, 280,
		    "cannot resume stream; the event that the resume token is a part of is not "
		    "split");
	if ((*d)->len <= cs->srv->opt.max_event_bytes)
		return 1;
	if (!cs->splits)
		return too_large(*d, f);
	if (split(cs, *d, f) < 0)
		return -1;
	doc_unref(d);
	cs->part = is_start ? cs->start.fragment + 1 : 0;
	*d = changestream_part(cs);
	return *d != NULL;
}

struct doc *
changestream_part(struct changestream *cs)
{
	if (cs->part >= cs->parts.n)
		return NULL;
	return doc_ref(cs->parts.at[cs->part++]);
}
