/* SPDX-License-Identifier: MIT */
/*
 * getMore and killCursors: manual, "getMore", "killCursors".
 */
#include "tests/mongo/cmd_read.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_AWAIT_MS 1000

/* Manual, "Server Sessions": a cursor belongs to the session that opened it. */
static int
session_check(struct cmd *c, const struct cursor *cur)
{
	struct doc *lsid = session_lsid(c->body);
	int r = 0;

	if (cur->lsid && !lsid)
		r = fail_set(&c->fail, 50736,
		    "Cannot run getMore on cursor %lld, which was created in "
		    "a session, without an lsid",
		    (long long)cur->id);
	else if (!cur->lsid && lsid)
		r = fail_set(&c->fail, 50737,
		    "Cannot run getMore on cursor %lld, which was not created "
		    "in a session, in a session",
		    (long long)cur->id);
	else if (lsid &&
	    (lsid->len != cur->lsid->len || memcmp(lsid->data, cur->lsid->data, lsid->len) != 0))
		r = fail_set(&c->fail, 50738,
		    "Cannot run getMore on cursor %lld, which was created in "
		    "another session",
		    (long long)cur->id);
	doc_unref(&lsid);
	return r;
}

static int
get_more_cursor(struct cmd *c, struct cursor **out)
{
	const char *coll = bson_str(c->body, "collection");
	struct cursor *cur;
	bson_iter_t it;
	char ns[400];

	bson_get(c->body, c->name, &it);
	if (!BSON_ITER_HOLDS_INT64(&it))
		return fail_set(&c->fail, 14,
		    "BSON field 'getMore.getMore' is the wrong type '%s', "
		    "expected type 'long'",
		    type_name(bson_iter_type(&it)));
	if (!coll)
		return fail_set(&c->fail, 40414,
		    "BSON field 'getMore.collection' is missing but a "
		    "required field");
	*out = cur = cursor_find(c->srv, bson_iter_int64(&it));
	if (!cur)
		return fail_set(
		    &c->fail, 43, "cursor id %lld not found", (long long)bson_iter_int64(&it));
	snprintf(ns, sizeof ns, "%s.%s", c->db, coll);
	if (strcmp(ns, cur->ns->full) != 0)
		return fail_set(&c->fail, 13,
		    "Requested getMore on namespace '%s', but cursor belongs to a "
		    "different namespace %s",
		    ns, cur->ns->full);
	if (cur->waiting)
		return fail_set(
		    &c->fail, 143, "cursor id %lld is already in use", (long long)cur->id);
	return session_check(c, cur);
}

/* One batch: 1 answered, 0 nothing there yet (only where wait is allowed), -1 failed. */
static int
get_more_batch(
    struct server *srv, struct cursor *cur, int64_t batch, bool wait, bson_t *reply, struct fail *f)
{
	struct doc_list docs = {0};
	int r = cursor_fill(srv, cur, batch, &docs, f);

	if (r == 0 && !docs.n && cur->stream && !cur->done && wait)
		return 0;
	if (r == 0)
		cursor_append_reply(cur, "nextBatch", &docs, reply);
	doc_list_free(&docs);
	cur->waiting = false;
	if (r < 0 || cur->done)
		cursor_free(srv, &cur);
	return r < 0 ? -1 : 1;
}

/* Told to find nothing: the stream stays where it is. */
static int
get_more_empty(const struct cursor *cur, bson_t *reply)
{
	struct doc_list none = {0};

	cursor_append_reply(cur, "nextBatch", &none, reply);
	return 0;
}

int
cmd_get_more(struct cmd *c)
{
	int64_t batch, ms;
	struct cursor *cur;
	int r;

	if (arg_number(c, "batchSize", 0, &batch) < 0 || arg_number(c, "maxTimeMS", 0, &ms) < 0 ||
	    get_more_cursor(c, &cur) < 0)
		return -1;
	c->srv->reads_majority = cur->stream || cur->majority;
	if (ms && !cur->stream)
		return fail_set(&c->fail, 2,
		    "cannot set maxTimeMS on getMore command for a "
		    "non-awaitData cursor");
	if (c->srv->give_empty && cur->stream)
		return get_more_empty(cur, c->reply);
	r = get_more_batch(c->srv, cur, batch ? batch : -1, true, c->reply, &c->fail);
	if (r)
		return r < 0 ? -1 : 0;
	cur->waiting = true;
	*c->wait = (struct wait){cur->id, batch ? batch : -1, ms ? ms : DEFAULT_AWAIT_MS};
	return 1;
}

/* From 4.4 on the server says by a label that a stream may be resumed. */
static const char *
stream_label(const struct server *srv, const struct cursor *cur)
{
	return cur->stream && srv->opt.wire_version >= WIRE_LABELS ? "ResumableChangeStreamError"
								   : NULL;
}

int
get_more_poll(struct server *srv, const struct wait *w, bool last, bson_t *reply, struct fail *f)
{
	struct cursor *cur = cursor_find(srv, w->cursor);

	if (!cur)
		return fail_set(f, 43, "cursor id %lld not found", (long long)w->cursor);
	if (cur->killed) {
		fail_fill(f, cur->killed, "operation was interrupted: %s", fail_name(cur->killed));
		f->label = stream_label(srv, cur);
		cursor_free(srv, &cur);
		return -1;
	}
	return get_more_batch(srv, cur, w->batch, !last, reply, f);
}

void
command_wait_drop(struct server *srv, const struct wait *w)
{
	struct cursor *cur = cursor_find(srv, w->cursor);

	cursor_free(srv, &cur);
}

int
cmd_kill_cursors(struct cmd *c)
{
	bson_t killed, missing, empty;
	bson_iter_t it, e;
	char key[24];
	int nk = 0, nm = 0;

	if (!bson_get(c->body, "cursors", &it) || !BSON_ITER_HOLDS_ARRAY(&it))
		return fail_set(
		    &c->fail, 14, "BSON field 'killCursors.cursors' has to be an array");
	bson_init(&killed);
	bson_init(&missing);
	bson_iter_recurse(&it, &e);
	while (bson_iter_next(&e)) {
		int64_t id = iter_number(&e, 0);
		struct cursor *cur = cursor_find(c->srv, id);

		snprintf(key, sizeof key, "%d", cur ? nk++ : nm++);
		bson_append_int64(cur ? &killed : &missing, key, -1, id);
		if (cur)
			cursor_kill(c->srv, cur);
	}
	bson_append_array(c->reply, "cursorsKilled", -1, &killed);
	bson_append_array(c->reply, "cursorsNotFound", -1, &missing);
	bson_append_array_begin(c->reply, "cursorsAlive", -1, &empty);
	bson_append_array_end(c->reply, &empty);
	bson_append_array_begin(c->reply, "cursorsUnknown", -1, &empty);
	bson_append_array_end(c->reply, &empty);
	bson_destroy(&killed);
	bson_destroy(&missing);
	return 0;
}
