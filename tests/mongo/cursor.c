/* SPDX-License-Identifier: MIT */
#include "tests/mongo/cursor.h"

#include <string.h>
#include <sys/random.h>

#define CURSOR_KILLED 237

struct cursor *
cursor_new(struct ns *ns)
{
	struct cursor *c = bson_malloc0(sizeof *c);

	c->ns = ns_ref(ns);
	c->limit = -1;
	return c;
}

void
cursor_register(struct server *srv, struct cursor *c)
{
	do {
		if (getrandom(&c->id, sizeof c->id, 0) != sizeof c->id)
			c->id = wall_ms();
		c->id &= INT64_MAX;
	} while (!c->id || cursor_find(srv, c->id));
	HASH_ADD(hh, srv->cursors, id, sizeof c->id, c);
}

struct cursor *
cursor_find(struct server *srv, int64_t id)
{
	struct cursor *c;

	HASH_FIND(hh, srv->cursors, &id, sizeof id, c);
	return c;
}

void
cursor_free(struct server *srv, struct cursor **cp)
{
	struct cursor *c = *cp;

	if (!c)
		return;
	if (c->id)
		HASH_DEL(srv->cursors, c);
	ns_unref(&c->ns);
	ns_unref(&c->source);
	scan_free(&c->scan);
	doc_list_free(&c->list);
	changestream_free(&c->stream);
	projection_free(&c->projection);
	doc_unref(&c->stash);
	doc_unref(&c->lsid);
	bson_free(c);
	*cp = NULL;
}

void
cursor_kill(struct server *srv, struct cursor *c)
{
	if (!c->waiting) {
		cursor_free(srv, &c);
		return;
	}
	c->killed = CURSOR_KILLED;
	srv->kills++;
}

void
cursors_interrupt(struct server *srv, int code)
{
	struct cursor *c, *tmp;

	HASH_ITER (hh, srv->cursors, c, tmp) {
		if (!c->waiting)
			continue;
		c->killed = code;
		srv->kills++;
	}
}

int64_t
cursors_kill_streams(struct server *srv)
{
	struct cursor *c, *tmp;
	int64_t n = 0;

	HASH_ITER (hh, srv->cursors, c, tmp) {
		if (!c->stream)
			continue;
		cursor_kill(srv, c);
		n++;
	}
	return n;
}

void
cursors_free(struct server *srv)
{
	struct cursor *c, *tmp;

	HASH_ITER (hh, srv->cursors, c, tmp)
		cursor_free(srv, &c);
}

void
cursors_drop(struct server *srv, const struct ns *ns)
{
	struct cursor *c, *tmp;

	HASH_ITER (hh, srv->cursors, c, tmp)
		if (c->source && memcmp(c->source->uuid, ns->uuid, sizeof ns->uuid) == 0)
			c->dropped = true;
}

static struct collection *
source_of(struct server *srv, const struct cursor *c)
{
	char db[80];

	bson_strncpy(db, c->source->full, c->source->db_len + 1);
	return catalog_find(&srv->catalog, db, ns_coll(c->source));
}

static struct doc *
scan_step(struct server *srv, struct cursor *c)
{
	struct collection *coll = source_of(srv, c);
	struct doc *d;
	bson_t view, *out;

	if (!coll || c->limit == 0)
		return NULL;
	do {
		d = scan_next(c->scan, coll);
	} while (d && c->skip-- > 0);
	c->skip = 0;
	if (!d)
		return NULL;
	if (c->limit > 0)
		c->limit--;
	if (!c->projection)
		return doc_ref(d);
	out = bson_new();
	doc_view(d, &view);
	projection_apply(c->projection, &view, out);
	d = doc_from_bson(out);
	bson_destroy(out);
	return d;
}

/* 1: a document; 0: none (c->done where there will be no more); -1: failed. */
static int
cursor_next(struct server *srv, struct cursor *c, struct doc **d, struct fail *f)
{
	int r;

	if (c->stash) {
		*d = c->stash;
		c->stash = NULL;
		return 1;
	}
	if (c->stream) {
		r = changestream_next(c->stream, d, f);
		c->done |= changestream_closed(c->stream);
		return r;
	}
	if (c->scan)
		*d = scan_step(srv, c);
	else
		*d = c->at < c->list.n ? doc_ref(c->list.at[c->at++]) : NULL;
	c->done |= !*d;
	return *d != NULL;
}

static bool
exhausted(const struct cursor *c)
{
	if (c->stash || c->stream)
		return false;
	return c->scan ? c->limit == 0 : c->at == c->list.n;
}

int
cursor_fill(struct server *srv, struct cursor *c, int64_t max, struct doc_list *out, struct fail *f)
{
	size_t bytes = 0;
	struct doc *d;
	int r = 0;

	if (c->dropped)
		return fail_set(f, 175,
		    "collection dropped. UUID of the collection is no longer there: "
		    "%s",
		    c->source->full);
	if (c->stream && srv->opt.batch_events && (max < 0 || max > srv->opt.batch_events))
		max = srv->opt.batch_events;
	while (max < 0 || out->n < (size_t)max) {
		r = cursor_next(srv, c, &d, f);
		if (r <= 0)
			break;
		/* A batch ends before the document that would take it over 16 MB. */
		if (out->n && bytes + d->len + 16 > MAX_DOC_BYTES) {
			if (c->stream)
				changestream_unget(c->stream, d);
			else
				c->stash = d;
			break;
		}
		bytes += d->len + 16;
		doc_list_add(out, d);
	}
	c->done |= exhausted(c);
	return r < 0 ? -1 : 0;
}

void
cursor_append_reply(
    const struct cursor *c, const char *field, const struct doc_list *docs, bson_t *reply)
{
	bson_t cur, arr, view;
	const char *key;
	char buf[16];

	bson_append_document_begin(reply, "cursor", -1, &cur);
	bson_append_array_begin(&cur, field, -1, &arr);
	for (size_t i = 0; i < docs->n; i++) {
		bson_uint32_to_string((uint32_t)i, &key, buf, sizeof buf);
		doc_view(docs->at[i], &view);
		bson_append_document(&arr, key, -1, &view);
	}
	bson_append_array_end(&cur, &arr);
	if (c->stream)
		changestream_append_token(c->stream, &cur);
	bson_append_int64(&cur, "id", -1, c->done ? 0 : c->id);
	bson_append_utf8(&cur, "ns", -1, c->ns->full, -1);
	bson_append_document_end(reply, &cur);
}
