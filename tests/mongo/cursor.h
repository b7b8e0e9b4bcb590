/* SPDX-License-Identifier: MIT */
/*
 * Cursors: manual, "find", "getMore", "killCursors". A cursor walks a collection (a scan), gives
 * out a ready list, or follows a change stream.
 */
#ifndef TESTS_MONGO_CURSOR_H
#define TESTS_MONGO_CURSOR_H

#include "tests/mongo/changestream.h"
#include "tests/mongo/project.h"
#include "tests/mongo/scan.h"
#include "tests/mongo/server.h"

#include <uthash.h>

struct cursor {
	int64_t id;
	struct ns *ns; /* as replies name it */
	struct ns *source; /* the collection that a scan walks; NULL else */
	struct scan *scan;
	struct doc_list list;
	size_t at;
	struct changestream *stream;
	struct projection *projection; /* of a scan */
	int64_t skip, limit; /* of a scan; limit -1: none */
	struct doc *stash; /* did not fit into the last batch */
	struct doc *lsid; /* the session it belongs to, or NULL */
	bool done;
	bool majority; /* its read concern */
	bool dropped; /* its collection is gone */
	int killed; /* with this code, while a getMore waits on it, which then frees it */
	bool waiting; /* a getMore waits on it */
	UT_hash_handle hh;
};

/* A cursor that is not registered yet. It takes a reference to ns. */
struct cursor *cursor_new(struct ns *ns);

/* Gives it an id and puts it into the table, once it is to outlive its first batch. */
void cursor_register(struct server *srv, struct cursor *c);

struct cursor *cursor_find(struct server *srv, int64_t id);

/* Takes it out of the table, if it is there, and frees it. */
void cursor_free(struct server *srv, struct cursor **c);

/* Frees it, or tells the getMore that waits on it to do so. */
void cursor_kill(struct server *srv, struct cursor *c);

/* Ends the getMores that wait, and their cursors, with this code. */
void cursors_interrupt(struct server *srv, int code);

/* Kills every cursor on a change stream; how many. */
int64_t cursors_kill_streams(struct server *srv);

void cursors_free(struct server *srv);

/* All scans of this collection die: their next getMore says so. */
void cursors_drop(struct server *srv, const struct ns *ns);

/* Fills out with at most max documents (-1: as many as fit) of one batch. Sets c->done at the
 * end. 0, or -1 with f filled. */
int cursor_fill(
    struct server *srv, struct cursor *c, int64_t max, struct doc_list *out, struct fail *f);

/* Appends {cursor: {<field>: [docs], …, id, ns}}; id is 0 once the cursor is done. */
void cursor_append_reply(
    const struct cursor *c, const char *field, const struct doc_list *docs, bson_t *reply);

#endif
