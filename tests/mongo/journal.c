/* SPDX-License-Identifier: MIT */
#include "tests/mongo/journal.h"
#include "tests/mongo/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRAME_HEAD 8

/* buffer[FRAME_HEAD..len) is the frame that is being filled. */
struct journal {
	int fd;
	uint8_t *buffer;
	size_t len, cap;
};

static uint32_t
checksum(const uint8_t *data, size_t len)
{
	uint32_t h = 2166136261u;

	while (len--)
		h = (h ^ *data++) * 16777619u;
	return h;
}

static void
put(struct journal *j, const bson_t *record)
{
	size_t want = j->len + record->len;

	if (want > j->cap) {
		j->cap = want * 2;
		j->buffer = bson_realloc(j->buffer, j->cap);
	}
	memcpy(j->buffer + j->len, bson_get_data(record), record->len);
	j->len += record->len;
}

void
journal_flush(struct journal *j)
{
	size_t at = 0;
	uint32_t head[2];

	if (!j || j->len == FRAME_HEAD)
		return;
	head[0] = BSON_UINT32_TO_LE((uint32_t)(j->len - FRAME_HEAD));
	head[1] = BSON_UINT32_TO_LE(checksum(j->buffer + FRAME_HEAD, j->len - FRAME_HEAD));
	memcpy(j->buffer, head, FRAME_HEAD);
	while (at < j->len) {
		ssize_t n = write(j->fd, j->buffer + at, j->len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			fprintf(stderr, "mongo-standin: fatal: unable to write the journal: %s\n",
			    strerror(errno));
			exit(111);
		}
		at += (size_t)n;
	}
	j->len = FRAME_HEAD;
}

/* ---- what is written ---- */

static void
append_ns(bson_t *out, const char *key, const struct ns *ns)
{
	bson_t sub;

	if (!ns)
		return;
	bson_append_document_begin(out, key, -1, &sub);
	bson_append_utf8(&sub, "db", -1, ns->full, (int)ns->db_len);
	bson_append_utf8(&sub, "coll", -1, ns_coll(ns), -1);
	if (ns->has_uuid)
		bson_append_binary(&sub, "uuid", -1, BSON_SUBTYPE_UUID, ns->uuid, sizeof ns->uuid);
	bson_append_document_end(out, &sub);
}

static void
append_doc(bson_t *out, const char *key, const struct doc *d)
{
	bson_t view;

	if (!d)
		return;
	doc_view(d, &view);
	bson_append_document(out, key, -1, &view);
}

void
journal_entry(struct journal *j, const struct entry *e)
{
	bson_t *b;

	if (!j)
		return;
	b = bson_new();
	bson_append_int32(b, "op", -1, (int32_t)e->op);
	bson_append_timestamp(b, "ts", -1, TS_SEC(e->ts), TS_INC(e->ts));
	bson_append_int64(b, "wall", -1, e->wall);
	bson_append_int64(b, "index", -1, e->txn_index);
	append_ns(b, "ns", e->ns);
	append_ns(b, "to", e->to);
	append_doc(b, "key", e->key);
	append_doc(b, "doc", e->doc);
	append_doc(b, "desc", e->desc);
	append_doc(b, "txn", e->txn);
	put(j, b);
	bson_destroy(b);
}

void
journal_create(struct journal *j, const struct ns *ns)
{
	bson_t *b;

	if (!j)
		return;
	b = bson_new();
	append_ns(b, "create", ns);
	put(j, b);
	bson_destroy(b);
}

static void
put_number(struct journal *j, const char *key, int64_t value)
{
	bson_t *b;

	if (!j)
		return;
	b = bson_new();
	bson_append_int64(b, key, -1, value);
	put(j, b);
	bson_destroy(b);
}

void
journal_roll(struct journal *j, uint64_t keep)
{
	put_number(j, "roll", (int64_t)keep);
}

void
journal_term(struct journal *j, int64_t term)
{
	put_number(j, "term", term);
}

void
journal_session(struct journal *j, const uint8_t id[16], int64_t number, const struct doc *reply)
{
	bson_t *b;

	if (!j)
		return;
	b = bson_new();
	bson_append_binary(b, "session", -1, BSON_SUBTYPE_UUID, id, 16);
	bson_append_int64(b, "number", -1, number);
	append_doc(b, "reply", reply);
	put(j, b);
	bson_destroy(b);
}

/* ---- what is read ---- */

static const uint8_t *
uuid_of(const bson_t *b, const char *key)
{
	bson_subtype_t type;
	const uint8_t *data;
	bson_iter_t it;
	uint32_t len;

	if (!bson_get(b, key, &it) || !BSON_ITER_HOLDS_BINARY(&it))
		return NULL;
	bson_iter_binary(&it, &type, &len, &data);
	return len == 16 ? data : NULL;
}

static struct doc *
doc_of(const bson_t *b, const char *key)
{
	bson_iter_t it;
	bson_t view;

	return bson_get(b, key, &it) && iter_view(&it, &view) ? doc_from_bson(&view) : NULL;
}

static struct ns *
ns_of(const bson_t *b, const char *key)
{
	const uint8_t *uuid;
	struct ns *ns;
	bson_iter_t it;
	bson_t said;

	if (!bson_get(b, key, &it) || !iter_view(&it, &said))
		return NULL;
	ns = ns_new(bson_str(&said, "db"), bson_str(&said, "coll"));
	uuid = uuid_of(&said, "uuid");
	ns->has_uuid = uuid != NULL;
	if (uuid)
		memcpy(ns->uuid, uuid, sizeof ns->uuid);
	return ns;
}

static struct collection *
collection_of(struct server *srv, const struct ns *ns)
{
	char db[80];

	if (!ns)
		return NULL;
	bson_strncpy(db, ns->full, ns->db_len + 1);
	return catalog_find(&srv->catalog, db, ns_coll(ns));
}

static struct index_node *
node_of(const struct collection *c, const struct doc *key)
{
	bson_iter_t id;
	bson_t view;

	doc_view(key, &view);
	return bson_get(&view, "_id", &id) ? index_find(c->by_id, &id) : NULL;
}

/* To the data what the entry did to it. */
static void
redo(struct server *srv, const struct entry *e)
{
	struct collection *c = collection_of(srv, e->ns);
	struct index_node *n = c && e->key ? node_of(c, e->key) : NULL;
	char db[80];

	if (!c)
		return;
	if (e->op == OP_INSERT && !n) {
		collection_insert(c, e->doc);
	} else if ((e->op == OP_UPDATE || e->op == OP_REPLACE) && n) {
		collection_replace(c, n, e->doc);
	} else if (e->op == OP_DELETE && n) {
		collection_remove(c, n);
	} else if (e->op == OP_DROP) {
		catalog_drop(&srv->catalog, c);
	} else if (e->op == OP_RENAME) {
		bson_strncpy(db, e->to->full, e->to->db_len + 1);
		catalog_rename(c, db, ns_coll(e->to));
	}
}

static void
read_entry(struct server *srv, const bson_t *b)
{
	struct entry e = {.op = (enum op)bson_number(b, "op", OP_NOOP)};
	uint32_t sec = 0, inc = 0;
	bson_iter_t it;

	if (bson_get(b, "ts", &it) && BSON_ITER_HOLDS_TIMESTAMP(&it))
		bson_iter_timestamp(&it, &sec, &inc);
	e.ts = TS_MAKE(sec, inc);
	e.wall = bson_number(b, "wall", 0);
	e.txn_index = (uint32_t)bson_number(b, "index", 0);
	e.ns = ns_of(b, "ns");
	e.to = ns_of(b, "to");
	e.key = doc_of(b, "key");
	e.doc = doc_of(b, "doc");
	e.desc = doc_of(b, "desc");
	e.txn = doc_of(b, "txn");
	redo(srv, &e);
	oplog_append(&srv->oplog, &e);
}

static void
read_create(struct server *srv, const bson_t *b)
{
	struct ns *ns = ns_of(b, "create");
	struct collection *c = collection_of(srv, ns);
	char db[80];

	if (!c && ns) {
		bson_strncpy(db, ns->full, ns->db_len + 1);
		c = catalog_create(&srv->catalog, db, ns_coll(ns));
		memcpy(c->ns->uuid, ns->uuid, sizeof ns->uuid);
	}
	ns_unref(&ns);
}

static void
read_record(struct server *srv, const bson_t *b, int64_t *term)
{
	const uint8_t *session = uuid_of(b, "session");
	struct doc *reply;
	bson_iter_t it;

	if (bson_get(b, "op", &it)) {
		read_entry(srv, b);
	} else if (bson_get(b, "create", &it)) {
		read_create(srv, b);
	} else if (session) {
		reply = doc_of(b, "reply");
		session_restore(srv, session, bson_number(b, "number", 0), reply);
		doc_unref(&reply);
	} else if (bson_get(b, "roll", &it)) {
		oplog_roll(&srv->oplog, (uint64_t)bson_number(b, "roll", 1));
	} else {
		*term = bson_number(b, "term", *term);
	}
}

/* The length of the whole frame at data; 0: it is torn. */
static size_t
frame_length(const uint8_t *data, size_t len)
{
	uint32_t head[2];

	if (len < FRAME_HEAD)
		return 0;
	memcpy(head, data, FRAME_HEAD);
	head[0] = BSON_UINT32_FROM_LE(head[0]);
	head[1] = BSON_UINT32_FROM_LE(head[1]);
	if (head[0] > len - FRAME_HEAD || checksum(data + FRAME_HEAD, head[0]) != head[1])
		return 0;
	return FRAME_HEAD + (size_t)head[0];
}

/* Returns how many bytes of whole frames there are. */
static size_t
read_frames(struct server *srv, const uint8_t *data, size_t len, int64_t *term)
{
	size_t at = 0, frame;

	while ((frame = frame_length(data + at, len - at)) > 0) {
		for (size_t k = at + FRAME_HEAD; k < at + frame;) {
			uint32_t n;
			bson_t b;

			memcpy(&n, data + k, 4);
			n = BSON_UINT32_FROM_LE(n);
			if (!bson_init_static(&b, data + k, n))
				break;
			read_record(srv, &b, term);
			k += n;
		}
		at += frame;
	}
	return at;
}

static void
on_append(void *owner, const struct entry *e)
{
	journal_entry(owner, e);
}

/* The file's bytes, read and executed; -1 with errno. */
static int
replay(struct server *srv, int fd, int64_t *term)
{
	uint8_t *data;
	size_t len, at = 0;
	struct stat st;
	ssize_t n = 0;

	if (fstat(fd, &st) < 0)
		return -1;
	len = (size_t)st.st_size;
	data = bson_malloc(len + 1);
	while (at < len && (n = read(fd, data + at, len - at)) > 0)
		at += (size_t)n;
	if (n >= 0)
		len = read_frames(srv, data, at, term);
	bson_free(data);
	return n < 0 || ftruncate(fd, (off_t)len) < 0 || lseek(fd, 0, SEEK_END) < 0 ? -1 : 0;
}

int
journal_open(struct server *srv, const char *dir, int64_t *term)
{
	char path[4096];
	int fd;

	if (snprintf(path, sizeof path, "%s/journal", dir) >= (int)sizeof path)
		errno = ENAMETOOLONG;
	else if ((mkdir(dir, 0755) == 0 || errno == EEXIST) &&
	    (fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644)) >= 0) {
		if (replay(srv, fd, term) == 0) {
			srv->journal = bson_malloc0(sizeof *srv->journal);
			srv->journal->fd = fd;
			srv->journal->cap = 65536;
			srv->journal->buffer = bson_malloc(srv->journal->cap);
			srv->journal->len = FRAME_HEAD;
			srv->oplog.on_append = on_append;
			srv->oplog.owner = srv->journal;
			return 0;
		}
		close(fd);
	}
	fprintf(stderr, "mongo-standin: fatal: unable to read %s: %s\n", path, strerror(errno));
	return -1;
}

void
journal_close(struct journal **j)
{
	if (!*j)
		return;
	journal_flush(*j);
	close((*j)->fd);
	bson_free((*j)->buffer);
	bson_free(*j);
	*j = NULL;
}
