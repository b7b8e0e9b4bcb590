/* SPDX-License-Identifier: MIT */
#include "tests/mongo/command.h"
#include "tests/mongo/control.h"
#include "tests/mongo/cursor.h"
#include "tests/mongo/db.h"
#include "tests/mongo/election.h"
#include "tests/mongo/journal.h"

#include <string.h>

/* A word at work: its argument, and the answer's fields. */
struct word {
	struct server *srv;
	struct acceptor *acceptor;
	const bson_iter_t *value;
	bson_t arg; /* the value where it is a document; else empty */
	bson_t *answer;
	struct fail fail;
};

/* 0, or -1 with the fail filled. */
typedef int word_fn(struct word *w);

static int
word_fault(struct word *w)
{
	int64_t id = fault_add(&w->srv->faults, &w->arg, &w->fail);

	if (id < 0)
		return -1;
	bson_append_int64(w->answer, "id", -1, id);
	return 0;
}

static int
word_clear(struct word *w)
{
	fault_clear(&w->srv->faults, BSON_ITER_HOLDS_BOOL(w->value) ? 0 : iter_number(w->value, 0));
	return 0;
}

static int
word_seed(struct word *w)
{
	fault_seed(&w->srv->faults, (uint64_t)iter_number(w->value, 1));
	return 0;
}

static int
word_status(struct word *w)
{
	const struct server *srv = w->srv;
	int64_t cursors = 0, streams = 0, waiting = 0, documents = 0;
	struct cursor *c, *tmp;

	HASH_ITER (hh, srv->cursors, c, tmp) {
		cursors++;
		streams += c->stream != NULL;
		waiting += c->waiting;
	}
	for (const struct collection *k = srv->catalog.first; k; k = k->next)
		documents += (int64_t)k->live;
	fault_append(&srv->faults, "faults", w->answer);
	bson_append_int64(w->answer, "applied", -1, srv->faults.applied);
	bson_append_int64(w->answer, "connections", -1, srv->connections);
	bson_append_int64(w->answer, "cursors", -1, cursors);
	bson_append_int64(w->answer, "streams", -1, streams);
	bson_append_int64(w->answer, "waiting", -1, waiting);
	bson_append_int64(w->answer, "parked", -1, srv->parked);
	bson_append_int64(w->answer, "documents", -1, documents);
	bson_append_int64(
	    w->answer, "oplog_entries", -1, (int64_t)(srv->oplog.end - srv->oplog.first));
	bson_append_int64(w->answer, "written", -1, (int64_t)srv->oplog.end);
	bson_append_bool(w->answer, "primary", -1, is_primary(srv));
	bson_append_int64(w->answer, "term", -1, election_term(srv));
	return 0;
}

static int
word_cut(struct word *w)
{
	bool waiting = BSON_ITER_HOLDS_UTF8(w->value) &&
	    strcmp(bson_iter_utf8(w->value, NULL), "waiting") == 0;

	bson_append_int64(w->answer, "cut", -1, acceptor_cut(w->acceptor, waiting));
	return 0;
}

static int
word_step_down(struct word *w)
{
	/* Servers before 4.2 close their connections (manual, "rs.stepDown"). */
	bool cut = bson_bool(&w->arg, "cut", w->srv->opt.wire_version < 8);

	if (!w->srv->election)
		return fail_set(&w->fail, 76, "not running with --replSet");
	election_step_down(w->srv, bson_number(&w->arg, "ms", -1));
	if (cut)
		acceptor_cut(w->acceptor, false);
	return 0;
}

static int
word_elect(struct word *w)
{
	election_win(w->srv);
	return 0;
}

static int
word_claim(struct word *w)
{
	const char *text = bson_str(&w->arg, "election_id");
	bson_oid_t id;

	if (text && !bson_oid_is_valid(text, strlen(text)))
		return fail_set(&w->fail, 2, "election_id: 24 hex digits");
	if (text)
		bson_oid_init_from_string(&id, text);
	election_claim(w->srv, text ? &id : NULL, (int32_t)bson_number(&w->arg, "set_version", 1));
	return 0;
}

static int
word_roll_oplog(struct word *w)
{
	int64_t keep = iter_number(w->value, 1);

	if (keep < 1)
		return fail_set(&w->fail, 2, "roll_oplog: how many entries to keep, at least 1");
	oplog_roll(&w->srv->oplog, (uint64_t)keep);
	journal_roll(w->srv->journal, (uint64_t)keep);
	return 0;
}

static int
word_kill_streams(struct word *w)
{
	bson_append_int64(w->answer, "killed", -1, cursors_kill_streams(w->srv));
	return 0;
}

static int
word_interrupt(struct word *w)
{
	cursors_interrupt(w->srv, (int)iter_number(w->value, 11601));
	return 0;
}

static int
word_one_time(struct word *w)
{
	w->srv->one_time = iter_number(w->value, 1);
	return 0;
}

/* The cluster time moves ahead by so many seconds. */
static int
word_advance(struct word *w)
{
	w->srv->oplog.last_ts += TS_MAKE(iter_number(w->value, 1), 0);
	oplog_noop(&w->srv->oplog);
	return 0;
}

/* A majority has the oplog as it stands now, less so many entries, until "hold": false. */
static int
word_hold(struct word *w)
{
	uint64_t end = w->srv->oplog.end, lag = (uint64_t)iter_number(w->value, 0);
	bool off = BSON_ITER_HOLDS_BOOL(w->value) && !bson_iter_bool(w->value);

	if (BSON_ITER_HOLDS_BOOL(w->value))
		lag = 0;
	w->srv->oplog.hold = off ? UINT64_MAX : lag < end ? end - lag : 0;
	return 0;
}

static int
word_deny(struct word *w)
{
	w->srv->opt.deny_list = bson_bool(&w->arg, "listCollections", false);
	w->srv->opt.deny_find = bson_bool(&w->arg, "find", false);
	w->srv->opt.deny_change_stream = bson_bool(&w->arg, "changeStream", false);
	return 0;
}

static int
word_password(struct word *w)
{
	if (!w->srv->opt.user || !BSON_ITER_HOLDS_UTF8(w->value))
		return fail_set(&w->fail, 2, "password: a string, where there is a --user");
	bson_free(w->srv->opt.password);
	w->srv->opt.password = bson_strdup(bson_iter_utf8(w->value, NULL));
	return 0;
}

/* ---- shard ---- */

static int
word_shard(struct word *w)
{
	static const char *const moves[] = {
	    [MOVE_NOT] = "stay", [MOVE_DELETE_FIRST] = "delete", [MOVE_INSERT_FIRST] = "insert"};
	const char *db = bson_str(&w->arg, "db"), *coll = bson_str(&w->arg, "collection");
	const char *move = bson_str(&w->arg, "move") ? bson_str(&w->arg, "move") : "stay";
	size_t m = 0;
	struct doc *key;
	bson_iter_t it;
	bson_t view;

	while (m < sizeof moves / sizeof *moves && strcmp(moves[m], move) != 0)
		m++;
	if (!db || !coll || db_names_check(db, coll, &w->fail) < 0 ||
	    m == sizeof moves / sizeof *moves || !bson_get(&w->arg, "key", &it) ||
	    !iter_view(&it, &view))
		return fail_set(&w->fail, 2,
		    "shard: {db, collection, key, move: \"stay\", \"delete\" or \"insert\"}");
	w->srv->one_ts = 0;
	key = doc_from_bson(&view);
	collection_shard(db_collection_make(w->srv, db, coll), key, (enum shard_move)m);
	doc_unref(&key);
	return 0;
}

/* ---- write: documents as they are, however broken ---- */

static int
digit(int c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The document whose bytes the text gives in hex; its own length has to be right, nothing else. */
static struct doc *
doc_of_hex(const char *text, struct fail *f)
{
	size_t n = text ? strlen(text) / 2 : 0;
	uint8_t *raw = bson_malloc(n + 1);
	struct doc *d = NULL;
	uint32_t said = 0;
	bool ok = n >= 5;

	for (size_t i = 0; ok && i < n; i++) {
		int hi = digit(text[2 * i]), lo = digit(text[2 * i + 1]);

		ok = hi >= 0 && lo >= 0;
		raw[i] = (uint8_t)((unsigned)hi << 4 | (unsigned)lo);
	}
	if (ok)
		memcpy(&said, raw, 4);
	if (ok && BSON_UINT32_FROM_LE(said) == n && raw[n - 1] == 0)
		d = doc_new(raw, (uint32_t)n);
	else
		fail_fill(f, 2, "hex: the bytes of a BSON document in lower case");
	bson_free(raw);
	return d;
}

static int
write_doc(struct word *w, struct collection *c, struct doc *d, bool remove)
{
	struct index_node *n;
	bson_iter_t id;
	bson_t view;

	doc_view(d, &view);
	if (!bson_get(&view, "_id", &id))
		return fail_set(&w->fail, 2, "no _id can be read from the document");
	n = index_find(c->by_id, &id);
	if (remove && n)
		db_delete(w->srv, c, n);
	else if (n)
		db_replace(w->srv, c, n, d, NULL);
	else if (!remove)
		db_insert(w->srv, c, d);
	return 0;
}

static int
word_write(struct word *w)
{
	const char *db = bson_str(&w->arg, "db"), *coll = bson_str(&w->arg, "collection");
	struct doc *d;
	int r;

	if (!db || !coll || db_names_check(db, coll, &w->fail) < 0)
		return fail_set(&w->fail, 2, "write: {db, collection, hex, remove}");
	d = doc_of_hex(bson_str(&w->arg, "hex"), &w->fail);
	if (!d)
		return -1;
	w->srv->one_ts = 0;
	r = write_doc(
	    w, db_collection_make(w->srv, db, coll), d, bson_bool(&w->arg, "remove", false));
	doc_unref(&d);
	return r;
}

/* ---- */

static const struct {
	const char *name;
	word_fn *fn;
} words[] = {
    {"advance", word_advance},
    {"claim", word_claim},
    {"clear", word_clear},
    {"cut", word_cut},
    {"deny", word_deny},
    {"elect", word_elect},
    {"fault", word_fault},
    {"hold", word_hold},
    {"interrupt", word_interrupt},
    {"kill_streams", word_kill_streams},
    {"one_time", word_one_time},
    {"password", word_password},
    {"roll_oplog", word_roll_oplog},
    {"seed", word_seed},
    {"status", word_status},
    {"shard", word_shard},
    {"step_down", word_step_down},
    {"write", word_write},
};

/* What the document's first key says. -1 with the fail filled. */
static int
run_word(struct word *w, const bson_t *said)
{
	static const uint8_t empty[] = {5, 0, 0, 0, 0};
	bson_iter_t it;

	if (!bson_iter_init(&it, said) || !bson_iter_next(&it))
		return fail_set(&w->fail, 2, "nothing is said");
	w->value = &it;
	if (!iter_view(&it, &w->arg))
		bson_init_static(&w->arg, empty, sizeof empty);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].name, bson_iter_key(&it)) == 0)
			return words[i].fn(w);
	return fail_set(&w->fail, 59, "no such word: %s", bson_iter_key(&it));
}

char *
control_run(struct server *srv, struct acceptor *acceptor, const char *line, size_t len)
{
	bson_error_t error = {0};
	bson_t *said = bson_new_from_json((const uint8_t *)line, (ssize_t)len, &error);
	struct word w = {.srv = srv, .acceptor = acceptor, .answer = bson_new()};
	char *text;
	int r;

	r = said ? run_word(&w, said) : fail_set(&w.fail, 9, "no JSON: %s", error.message);
	if (r < 0) {
		bson_reinit(w.answer);
		bson_append_utf8(w.answer, "error", -1, w.fail.text, -1);
	}
	bson_append_bool(w.answer, "ok", -1, r == 0);
	text = bson_as_relaxed_extended_json(w.answer, NULL);
	bson_destroy(w.answer);
	bson_destroy(said);
	return text ? text : bson_strdup("{\"ok\":false}");
}
