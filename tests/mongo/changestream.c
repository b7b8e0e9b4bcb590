/* SPDX-License-Identifier: MIT */
#include "tests/mongo/changestream.h"
#include "tests/mongo/changestream_options.h"

#include <string.h>

/* Servers from 7.0 on know $changeStreamSplitLargeEvent. */
#define WIRE_SPLIT 21
/* Codes of their own for a history that is lost (286) and a token that is not found (280) came
 * with 4.4. */
#define WIRE_LOST 9

static int
place_check(const struct changestream *cs, const bson_t *spec, const char *db, const char *coll,
    struct fail *f)
{
	bool cluster = bson_bool(spec, "allChangesForCluster", false);

	if (cs->srv->opt.standalone)
		return fail_set(
		    f, 40573, "The $changeStream stage is only supported on replica sets");
	if ((strcmp(db, "admin") == 0 && !cluster) || strcmp(db, "local") == 0 ||
	    strcmp(db, "config") == 0)
		return fail_set(
		    f, 73, "$changeStream may not be opened on the internal %s database", db);
	if (coll && strncmp(coll, "system.", 7) == 0)
		return fail_set(f, 73,
		    "$changeStream may not be opened on the internal %s.%s "
		    "collection",
		    db, coll);
	return 0;
}

/* $changeStreamSplitLargeEvent stands last or not at all (Manual, 7.0). */
static bson_t *
stages_but_split(const bson_t *stages, int wire_version, bool *splits)
{
	bson_t *kept = bson_new();
	uint32_t left = bson_count_keys(stages);
	bson_iter_t it, st;

	bson_iter_init(&it, stages);
	while (bson_iter_next(&it)) {
		bool split = --left == 0 && wire_version >= WIRE_SPLIT &&
		    BSON_ITER_HOLDS_DOCUMENT(&it) && bson_iter_recurse(&it, &st) &&
		    bson_iter_next(&st) &&
		    strcmp(bson_iter_key(&st), "$changeStreamSplitLargeEvent") == 0;

		*splits |= split;
		if (!split)
			bson_append_iter(kept, bson_iter_key(&it), -1, &it);
	}
	return kept;
}

struct changestream *
changestream_open(
    struct server *srv, const char *db, const char *coll, const bson_t *stages, struct fail *f)
{
	struct changestream *cs = bson_malloc0(sizeof *cs);
	bson_iter_t it, st;
	bson_t spec, *kept = stages_but_split(stages, srv->opt.wire_version, &cs->splits);

	cs->srv = srv;
	cs->scope = coll               ? SCOPE_COLLECTION
	    : strcmp(db, "admin") == 0 ? SCOPE_CLUSTER
				       : SCOPE_DATABASE;
	cs->ns = ns_new(db, coll ? coll : "");
	cs->event.wire_version = srv->opt.wire_version;
	cs->event.catalog = &srv->catalog;
	bson_iter_init(&it, stages);
	bson_iter_next(&it);
	bson_iter_recurse(&it, &st);
	bson_iter_next(&st);
	if (!BSON_ITER_HOLDS_DOCUMENT(&st) || !iter_view(&st, &spec))
		fail_fill(f, 50808, "$changeStream stage expects a document as argument");
	else if (place_check(cs, &spec, db, coll, f) == 0 &&
	    changestream_options_read(cs, &spec, f) == 0)
		cs->pipeline = pipeline_new(kept, 1, true, f);
	bson_destroy(kept);
	if (!cs->pipeline)
		changestream_free(&cs);
	else
		cs->leading = pipeline_leading_matches(cs->pipeline);
	return cs;
}

void
changestream_free(struct changestream **cs)
{
	if (!*cs)
		return;
	ns_unref(&(*cs)->ns);
	pipeline_free(&(*cs)->pipeline);
	doc_unref(&(*cs)->invalidate);
	doc_unref(&(*cs)->stash);
	doc_list_free(&(*cs)->parts);
	bson_free(*cs);
	*cs = NULL;
}

bool
changestream_closed(const struct changestream *cs)
{
	return cs->closed;
}

void
changestream_append_token(const struct changestream *cs, bson_t *out)
{
	bson_t sub;

	bson_append_document_begin(out, "postBatchResumeToken", -1, &sub);
	bson_append_utf8(&sub, "_data", 5, cs->token, -1);
	bson_append_document_end(out, &sub);
}

static bool
ns_internal(const struct ns *n)
{
	return ns_in_db(n, "admin") || ns_in_db(n, "config") || ns_in_db(n, "local") ||
	    strncmp(ns_coll(n), "system.", 7) == 0;
}

static bool
in_scope(const struct changestream *cs, const struct entry *e)
{
	if (e->op == OP_NOOP || !e->ns)
		return false;
	switch (cs->scope) {
	case SCOPE_COLLECTION:
		return strcmp(e->ns->full, cs->ns->full) == 0 ||
		    (e->to && strcmp(e->to->full, cs->ns->full) == 0);
	case SCOPE_DATABASE:
		return strncmp(ns_coll(e->ns), "system.", 7) != 0 &&
		    (ns_in_db(e->ns, cs->ns->full) || (e->to && ns_in_db(e->to, cs->ns->full)));
	default:
		return !ns_internal(e->ns);
	}
}

/* Manual, "Change Events > invalidate". */
static bool
invalidates(const struct changestream *cs, const struct entry *e)
{
	if (cs->scope == SCOPE_COLLECTION)
		return e->op == OP_DROP || e->op == OP_RENAME;
	return cs->scope == SCOPE_DATABASE && e->op == OP_DROP_DATABASE;
}

static struct doc *
event_new(const struct changestream *cs, const struct entry *e, bool invalidate)
{
	bson_t *b = bson_new();
	struct doc *d;

	event_build(e, invalidate, &cs->event, b);
	d = doc_from_bson(b);
	bson_destroy(b);
	return d;
}

/* On its way out: remembers the token. */
static int
release(struct changestream *cs, const char *token)
{
	char next[TOKEN_TEXT];

	bson_strncpy(next, token, sizeof next);
	memcpy(cs->before, cs->token, sizeof cs->before);
	memcpy(cs->token, next, sizeof cs->token);
	return 1;
}

/* NULL: none that could be a token of ours. */
static const char *
doc_token(const struct doc *d)
{
	bson_iter_t it;
	bson_t view, id;

	doc_view(d, &view);
	return bson_get(&view, "_id", &it) && BSON_ITER_HOLDS_DOCUMENT(&it) &&
		iter_view(&it, &id) && bson_count_keys(&id) == 1
	    ? bson_str(&id, "_data")
	    : NULL;
}

/* Refuses an event where the pipeline changed its token. */
static int
event_check(struct changestream *cs, struct doc *d, const char *token, uint64_t ts, struct fail *f)
{
	const char *has = doc_token(d);

	if (!has || strcmp(has, token) != 0) {
		fail_fill(f, 280,
		    "Encountered an event whose _id field, which contains the resume token, was "
		    "modified by the pipeline. Modifying the _id field of an event makes it "
		    "impossible to resume the stream from that point. Only transformations that "
		    "retain the unmodified _id field are allowed. Expected: { _data: \"%s\" } but "
		    "found: %s",
		    token, has ? has : "missing");
		return -1;
	}
	cs->latest = ts;
	return 0;
}

/*
 * Whether the start token lies at or behind the event (order: token_compare() of the two), so that
 * the event is to be swallowed: 1, 0 no, -1: the token's own event never came.
 */
static int
swallow(struct changestream *cs, int order, const char *token, struct fail *f)
{
	if (cs->surpassed)
		return 0;
	if (order >= 0) {
		cs->seen |= order == 0;
		return 1;
	}
	cs->surpassed = true;
	if (cs->seen)
		return 0;
	fail_fill(f, cs->srv->opt.wire_version >= WIRE_LOST ? 280 : 40585,
	    "cannot resume stream; the resume token was not found. {_data: \"%s\"}", token);
	return -1;
}

/* One event through the pipeline: 1 out, 0 dropped, -1 failed. */
static int
event_pass(struct changestream *cs, struct doc **d, int order, const char *token, uint64_t ts,
    struct fail *f)
{
	bool is_start = false;
	int r;

	if (!pipeline_one(cs->pipeline, 0, cs->leading, d))
		return 0;
	/* Of a split event what lies behind the part of the start token is still to come. */
	if (order == 0 && cs->start.has_fragment)
		cs->surpassed = cs->seen = is_start = true;
	r = swallow(cs, order, token, f);
	if (r)
		return r < 0 ? -1 : 0;
	if (!pipeline_one(cs->pipeline, cs->leading, pipeline_length(cs->pipeline), d))
		return 0;
	if (event_check(cs, *d, token, ts, f) < 0)
		return -1;
	r = changestream_split(cs, d, is_start, f);
	if (r <= 0)
		return r;
	return release(cs, doc_token(*d));
}

static int
images_check(const struct changestream *cs, const struct entry *e, struct fail *f)
{
	if ((cs->need_post_image && e->op == OP_UPDATE) ||
	    (cs->need_pre_image &&
		(e->op == OP_UPDATE || e->op == OP_REPLACE || e->op == OP_DELETE))) {
		fail_fill(f, 47,
		    "Change stream was configured to require a %s-image for all update "
		    "events, but the %s-image was not found",
		    cs->need_post_image ? "post" : "pre", cs->need_post_image ? "post" : "pre");
		return -1;
	}
	return 0;
}

static int
entry_pass(struct changestream *cs, const struct entry *e, struct doc **out, struct fail *f)
{
	char token[TOKEN_TEXT];
	int order = token_compare(&cs->start, e, false), r;

	if (invalidates(cs, e) && token_compare(&cs->start, e, true) != 0) {
		cs->invalidate = event_new(cs, e, true);
		token_event(e, true, cs->invalidate_token);
	} else if (invalidates(cs, e)) {
		/* startAfter this very invalidate: the stream goes on behind it. */
		cs->seen = true;
	}
	if (order < 0 && images_check(cs, e, f) < 0)
		return -1;
	*out = event_new(cs, e, false);
	token_event(e, false, token);
	r = event_pass(cs, out, order, token, e->ts, f);
	if (r <= 0)
		doc_unref(out);
	return r;
}

/* After an invalidating event comes the invalidate event, and then the end. */
static int
invalidate_pass(struct changestream *cs, struct doc **out, struct fail *f)
{
	int r;

	*out = cs->invalidate;
	cs->invalidate = NULL;
	cs->invalidated = true;
	r = event_pass(cs, out, -1, cs->invalidate_token, cs->latest, f);
	if (r <= 0)
		doc_unref(out);
	return r;
}

static int
begin(struct changestream *cs, struct fail *f)
{
	struct oplog *o = &cs->srv->oplog;

	if (oplog_lost(o, cs->start.ts)) {
		fail_fill(f, cs->srv->opt.wire_version >= WIRE_LOST ? 286 : 40576,
		    "Resume of change stream was not possible, as the resume point may no "
		    "longer be in the oplog.");
		return -1;
	}
	cs->next = oplog_seek(o, cs->start.ts);
	cs->begun = true;
	return 0;
}

/* At the end of the oplog the token moves to its last cluster time: nothing before that is left
 * to see. */
static int
at_end(struct changestream *cs)
{
	if (oplog_seen_ts(&cs->srv->oplog) > cs->latest) {
		cs->latest = oplog_seen_ts(&cs->srv->oplog);
		token_high_water(cs->latest, cs->token);
	}
	return 0;
}

int
changestream_next(struct changestream *cs, struct doc **out, struct fail *f)
{
	int r;

	if (cs->stash) {
		char t[TOKEN_TEXT];

		*out = cs->stash;
		cs->stash = NULL;
		memcpy(t, cs->token, sizeof t);
		memcpy(cs->token, cs->before, sizeof t);
		memcpy(cs->before, t, sizeof t);
		return 1;
	}
	if ((*out = changestream_part(cs)))
		return release(cs, doc_token(*out));
	if (!cs->begun && begin(cs, f) < 0)
		return -1;
	for (;;) {
		const struct entry *e;

		if (cs->invalidated) {
			cs->closed = true;
			memcpy(cs->token, cs->invalidate_token, sizeof cs->token);
			return 0;
		}
		if (cs->invalidate) {
			r = invalidate_pass(cs, out, f);
			if (r)
				return r;
			continue;
		}
		if (cs->next >= oplog_seen_end(&cs->srv->oplog))
			return at_end(cs);
		if (cs->next < cs->srv->oplog.first)
			return fail_set(f, 136,
			    "Error in $cursor stage :: caused by :: CollectionScan "
			    "died due to position in capped collection being "
			    "deleted.");
		e = oplog_at(&cs->srv->oplog, cs->next++);
		if (in_scope(cs, e) && (r = entry_pass(cs, e, out, f)))
			return r;
	}
}

void
changestream_unget(struct changestream *cs, struct doc *d)
{
	char t[TOKEN_TEXT];

	cs->stash = d;
	memcpy(t, cs->token, sizeof t);
	memcpy(cs->token, cs->before, sizeof t);
	memcpy(cs->before, t, sizeof t);
}
