/* SPDX-License-Identifier: MIT */
#include "tests/mongo/session.h"
#include "tests/mongo/journal.h"
#include "tests/mongo/txn.h"

#include <string.h>

#include <uthash.h>

enum txn_state {
	TXN_NONE,
	TXN_RUNS,
	TXN_COMMITTED,
	TXN_ABORTED,
};

struct session {
	uint8_t id[16];
	int64_t number; /* of the latest transaction or retryable write; -1 none */
	struct doc *reply; /* to the retryable write of that number */
	enum txn_state state;
	struct transaction *txn;
	struct doc *txn_id;
	UT_hash_handle hh;
};

/* 16 bytes of lsid.id, or NULL. */
static const uint8_t *
lsid_bytes(const bson_iter_t *lsid)
{
	bson_subtype_t type;
	const uint8_t *data;
	bson_iter_t id;
	uint32_t len;
	bson_t view;

	if (!BSON_ITER_HOLDS_DOCUMENT(lsid) || !iter_view(lsid, &view) ||
	    !bson_get(&view, "id", &id) || !BSON_ITER_HOLDS_BINARY(&id))
		return NULL;
	bson_iter_binary(&id, &type, &len, &data);
	return len == 16 && type == BSON_SUBTYPE_UUID ? data : NULL;
}

struct doc *
session_lsid(const bson_t *cmd)
{
	bson_iter_t it;
	bson_t view;

	if (!bson_get(cmd, "lsid", &it) || !iter_view(&it, &view))
		return NULL;
	return doc_from_bson(&view);
}

static void
txn_end(struct session *s, enum txn_state state)
{
	txn_free(&s->txn);
	doc_unref(&s->txn_id);
	s->state = state;
}

static void
session_free(struct server *srv, struct session *s)
{
	HASH_DEL(srv->sessions, s);
	txn_end(s, TXN_NONE);
	doc_unref(&s->reply);
	bson_free(s);
}

void
sessions_free(struct server *srv)
{
	struct session *s, *tmp;

	HASH_ITER (hh, srv->sessions, s, tmp)
		session_free(srv, s);
}

void
sessions_end(struct server *srv, const bson_iter_t *list)
{
	struct session *s;
	const uint8_t *id;
	bson_iter_t e;

	if (!BSON_ITER_HOLDS_ARRAY(list) || !bson_iter_recurse(list, &e))
		return;
	while (bson_iter_next(&e)) {
		if (!(id = lsid_bytes(&e)))
			continue;
		HASH_FIND(hh, srv->sessions, id, 16, s);
		if (s)
			session_free(srv, s);
	}
}

static struct session *
session_get(struct server *srv, const uint8_t *id)
{
	struct session *s;

	HASH_FIND(hh, srv->sessions, id, 16, s);
	if (s)
		return s;
	s = bson_malloc0(sizeof *s);
	memcpy(s->id, id, 16);
	s->number = -1;
	HASH_ADD(hh, srv->sessions, id, 16, s);
	return s;
}

void
session_restore(struct server *srv, const uint8_t id[16], int64_t number, struct doc *reply)
{
	struct session *s = session_get(srv, id);

	s->number = number;
	doc_unref(&s->reply);
	s->reply = doc_ref(reply);
	s->state = reply ? TXN_NONE : TXN_COMMITTED;
}

/* A newer number ends what came before; an older one is an error. 1: newer, 0: the same. */
static int
number_take(struct session *s, int64_t number, struct fail *f)
{
	if (number < s->number)
		return fail_set(f, 225,
		    "Cannot start transaction %lld on session because a newer "
		    "transaction %lld has already started.",
		    (long long)number, (long long)s->number);
	if (number == s->number)
		return 0;
	s->number = number;
	doc_unref(&s->reply);
	txn_end(s, TXN_NONE);
	return 1;
}

static int
no_such_txn(int64_t number, struct fail *f)
{
	fail_fill(f, 251,
	    "Given transaction number %lld does not match any in-progress transactions.",
	    (long long)number);
	f->label = "TransientTransactionError";
	return -1;
}

static void
txn_start(struct session *s, const bson_iter_t *lsid, int64_t number)
{
	bson_t *id = bson_new();

	bson_append_int64(id, "txnNumber", -1, number);
	bson_append_iter(id, "lsid", -1, lsid);
	s->txn_id = doc_from_bson(id);
	s->txn = txn_new(s->txn_id);
	s->state = TXN_RUNS;
	bson_destroy(id);
}

static bool
allowed_in_txn(const char *name)
{
	static const char *const ok[] = {"aggregate", "delete", "distinct", "find", "findAndModify",
	    "findandmodify", "getMore", "insert", "killCursors", "update"};

	for (size_t i = 0; i < sizeof ok / sizeof *ok; i++)
		if (strcmp(name, ok[i]) == 0)
			return true;
	return false;
}

static int
txn_begin(struct server *srv, const bson_t *cmd, const char *name, struct session *s,
    const bson_iter_t *lsid, int64_t number, struct fail *f)
{
	int newer = number_take(s, number, f);

	if (newer < 0)
		return -1;
	if (strcmp(name, "commitTransaction") == 0 || strcmp(name, "abortTransaction") == 0)
		return s->state == TXN_NONE ? no_such_txn(number, f) : SESSION_FINISH;
	if (!allowed_in_txn(name))
		return fail_set(f, 263, "Cannot run '%s' in a multi-document transaction.", name);
	if (bson_bool(cmd, "startTransaction", false)) {
		if (!newer && s->state != TXN_ABORTED)
			return fail_set(f, 225, "Cannot start a transaction with a number in use");
		txn_start(s, lsid, number);
	} else if (s->state == TXN_COMMITTED) {
		return fail_set(f, 256, "Transaction %lld has been committed.", (long long)number);
	} else if (s->state != TXN_RUNS) {
		return no_such_txn(number, f);
	}
	if (txn_enter(srv, s->txn, f) < 0) {
		txn_end(s, TXN_ABORTED);
		return -1;
	}
	return SESSION_TXN;
}

static int
write_begin(struct session *s, int64_t number, bson_t *reply, struct fail *f)
{
	int newer = number_take(s, number, f);
	bson_t view;

	if (newer < 0)
		return -1;
	if (!newer && s->state != TXN_NONE)
		return fail_set(f, 251,
		    "Retryable write with txnNumber %lld is prohibited, as a "
		    "transaction of that number was started",
		    (long long)number);
	if (!newer && s->reply) {
		doc_view(s->reply, &view);
		bson_concat(reply, &view);
		return SESSION_RETRIED;
	}
	return SESSION_WRITE;
}

int
session_begin(struct server *srv, const bson_t *cmd, const char *name, bool is_write,
    struct session **s, bson_t *reply, struct fail *f)
{
	bson_iter_t lsid, it;
	const uint8_t *id;
	int64_t number;

	*s = NULL;
	if (!bson_get(cmd, "lsid", &lsid)) {
		if (bson_get(cmd, "txnNumber", &it))
			return fail_set(f, 72,
			    "Transaction number requires a session ID to also be "
			    "specified");
		return SESSION_PLAIN;
	}
	if (!(id = lsid_bytes(&lsid)))
		return fail_set(f, 14, "lsid.id must be a UUID");
	if (!bson_get(cmd, "txnNumber", &it))
		return SESSION_PLAIN;
	if (srv->opt.standalone)
		return fail_set(f, 20,
		    "Transaction numbers are only allowed on a replica set member or "
		    "mongos");
	number = iter_number(&it, -1);
	if (!BSON_ITER_HOLDS_INT64(&it) || number < 0)
		return fail_set(f, 72, "Transaction number cannot be negative");
	*s = session_get(srv, id);
	if (bson_get(cmd, "autocommit", &it))
		return iter_number(&it, 1)
		    ? fail_set(f, 72, "Specifying autocommit=true is not allowed.")
		    : txn_begin(srv, cmd, name, *s, &lsid, number, f);
	if (!is_write)
		return fail_set(f, 50768,
		    "txnNumber may only be provided for multi-document "
		    "transactions and retryable write commands. autocommit:false was not "
		    "provided, and %s is not a retryable write command.",
		    name);
	return write_begin(*s, number, reply, f);
}

void
session_end(
    struct server *srv, struct session *s, enum session_use use, const bson_t *reply, bool failed)
{
	if (use == SESSION_TXN) {
		txn_leave(srv);
		if (failed)
			txn_end(s, TXN_ABORTED);
	} else if (use == SESSION_WRITE && !failed) {
		doc_unref(&s->reply);
		s->reply = doc_from_bson(reply);
		journal_session(srv->journal, s->id, s->number, s->reply);
	}
}

int
session_commit(struct server *srv, struct session *s, struct fail *f)
{
	int r;

	if (s->state == TXN_COMMITTED)
		return 0;
	if (s->state != TXN_RUNS)
		return no_such_txn(s->number, f);
	r = txn_commit(srv, s->txn, f);
	txn_end(s, r < 0 ? TXN_ABORTED : TXN_COMMITTED);
	if (r == 0)
		journal_session(srv->journal, s->id, s->number, NULL);
	return r;
}

int
session_abort(struct session *s, struct fail *f)
{
	if (s->state == TXN_COMMITTED)
		return fail_set(
		    f, 256, "Transaction %lld has been committed.", (long long)s->number);
	if (s->state != TXN_RUNS)
		return no_such_txn(s->number, f);
	txn_end(s, TXN_ABORTED);
	return 0;
}
