/* SPDX-License-Identifier: MIT */
/* store: where analyticsd's state outlives it. A const table of functions with two
 * implementations: store_sqlite (DUNE_STATE_DIR/analytics.db) and store_memory (for tests: no
 * disk).
 *
 * What is in it:
 *   position     the place in the source that all the rest stands at (opaque bytes), and whether
 *                what lies before it is only a part of what is there (docs/protocol.md, `partial`)
 *   form rows    by form id: a number, where its chain begins, its encoded state, its
 *                definition as text, and what a list of forms shows
 *   rows         one per response, numbered in the order in which they came (seq, from 1); by the
 *                response's id. All rows of one form are a chain: the form's `head` is its newest
 *                row, each row's `prev` the one before, 0 the end. A row whose response was
 *                deleted or went to another form stays as a tombstone (no id, no record), so that
 *                the chain holds.
 * docs/architecture.md, "Why a record per response", says why it looks like this.
 *
 * Everything is written between begin and commit; nothing of it is seen by a later run unless
 * commit returned 0. Reads are made outside of transactions.
 *
 * Errors are -1 with errno: ENOSPC (the disk is full), EIO (anything else that may pass), EBADMSG
 * (the store is corrupt: set_aside() and start anew). failure() then says more, for the log. */
#ifndef ANALYTICSD_STORE_H
#define ANALYTICSD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"
#include "lib/buf.h"
#include "lib/form_id.h"

struct store;

struct store_row {
	int64_t seq;
	int64_t form; /* form_row.number */
	int64_t prev; /* seq of the form's next older row; 0: none */
	const uint8_t *id; /* response_id(); NULL: a tombstone */
	size_t id_length;
	const uint8_t *record; /* response_to_record(); NULL: a tombstone */
	size_t record_length;
};

#define STORE_NO_STATE (-1)
#define STORE_BARE (-2)

struct store_form {
	int64_t number; /* from 1 */
	struct form_id id;
	int64_t head; /* seq of its newest row; 0: none */
	/* The state accounts for the chain from here back; rows that are newer are to be
	 * added to it when it is loaded. STORE_NO_STATE: there is none, the chain is all.
	 * STORE_BARE: it holds the definition alone, the form is being counted anew. */
	int64_t state_seq;
	int64_t updated_ms; /* form_updated() */
	/* What the list shows: it is written, and read by list alone. `whole`: all of it is
	 * there. If not, `total` and `last_ms` are of responses that came in addition. */
	bool whole;
	bool listed; /* it is known */
	const char *title;
	uint64_t total;
	int64_t last_ms; /* form_last_submission() */
};

/* One form of the list; lent. */
typedef void store_listed(void *owner, const struct store_form *form);
/* One row; lent. It may look up forms. -1 ends it. */
typedef int store_visited(void *owner, const struct store_row *row);

/* One new row after another, and NULL behind the last one; lent until the next call. */
typedef const struct store_row *store_next_row(void *owner);

/* The ends of the numbering, read once at the start. */
struct store_ends {
	int64_t last_seq, last_form; /* none was greater, ever */
	int64_t forms; /* how many there are */
	/* put_forms_end()'s: the form rows account for all rows up to this one. */
	int64_t forms_seq;
};

struct store_ops {
	/* Lends bytes until the next call on the store. 1: found, 0: there is none, -1. */
	int (*position)(struct store *store, struct buf *position, bool *partial);
	int (*row_by_id)(struct store *store, const void *id, size_t length, struct store_row *row);
	int (*row_by_seq)(struct store *store, int64_t seq, struct store_row *row);
	/* All rows above `seq`, in their order. 0 or -1 (visit's, too). */
	int (*rows_after)(struct store *store, int64_t seq, store_visited *visit, void *owner);
	/* `state` is cleared and filled; NULL: it is not read. */
	int (*form)(struct store *store, const struct form_id *id, struct store_form *form,
	    struct buf *state);
	int (*form_by_number)(struct store *store, int64_t number, struct store_form *form);
	/* The first form with a number above `after` whose state is STORE_BARE: 1, 0 or -1. */
	int (*next_bare)(struct store *store, int64_t after, int64_t *number);
	int (*ends)(struct store *store, struct store_ends *ends);
	/* No response has an id above this one (in memcmp's order); NULL `id` out: no rows. 1, 0
	 * or -1. */
	int (*greatest_id)(struct store *store, struct buf *id);

	/* The text that was put, cleared before: 1; 0: none, or an empty one; -1. */
	int (*definition)(struct store *store, int64_t number, struct buf *json);
	/* The forms that are listed, those with the greatest last_ms (then the greatest id)
	 * first, up to `limit`, from the one behind `after` on (NULL: from the first). 1; 0:
	 * `after` is not listed; -1. */
	int (*list)(struct store *store, const struct form_id *after, size_t limit,
	    store_listed *visit, void *owner);

	int (*begin)(struct store *store);
	/* All that `next` gives. -1: some of them may be there until rollback(). */
	int (*insert_rows)(struct store *store, store_next_row *next, void *owner);
	int (*update_row)(struct store *store, const struct store_row *row);
	int (*delete_row)(struct store *store, int64_t seq);
	/* Inserts or replaces. `state` NULL: the state that is there stays. */
	int (*put_form)(
	    struct store *store, const struct store_form *form, const struct buf *state);
	/* Rows were appended to a form that is there: `head` and `updated_ms` are new, `total` and
	 * `last_ms` come in addition. */
	int (*extend_form)(struct store *store, const struct store_form *form);
	/* With its state and its definition. Its chain must be empty. */
	int (*remove_form)(struct store *store, int64_t number);
	/* How many forms there are now, so that a start need not count them; and up to which row
	 * they account for all. */
	int (*put_forms_end)(struct store *store, int64_t count, int64_t seq);
	int (*put_definition)(struct store *store, int64_t number, const void *json, size_t length);
	int (*put_position)(struct store *store, const void *position, size_t length, bool partial);
	int (*commit)(struct store *store);
	/* Forgets the transaction, if there is one. Cannot fail. */
	void (*rollback)(struct store *store);

	/* Only reads come for a while: lets go of memory that serves speed. */
	void (*rest)(struct store *store);

	const char *(*failure)(const struct store *store);
	/* A corrupt store is renamed to NAME.corrupt-<seconds>; the process must end then.
	 * Says where it went in `where`. */
	int (*set_aside)(struct store *store, char *where, size_t size);
	void (*free)(struct store **store);
};

/* The first member of every implementation. */
struct store {
	const struct store_ops *ops;
};

/* DIRECTORY/analytics.db, with an exclusive lock: dies (111) when another process has it or it
 * cannot be opened, with 100 when it is of a newer version. A database that is corrupt at first
 * sight is set aside, loudly, and a new one made. See store_sqlite.c for the choice of pragmas. */
struct store *store_sqlite_open(const char *directory);

/* ---- the rebuild: DIRECTORY/analytics.db.rebuild, where everything is counted anew beside the old
 * state (docs/architecture.md, "Counted anew"). It goes with the lock of analytics.db. ---- */

/* The one that an earlier process has left unfinished; NULL: there is none. */
struct store *store_rebuild_resume(const char *directory);
/* A fresh one; what was there is removed. NULL with errno, and *why in words (lent until the next
 * call). */
MUST_CHECK struct store *store_rebuild_begin(const char *directory, const char **why);
/* It is whole: marked so, and all of it in one file. Nothing may be pending in it. From here on it
 * will take the place of analytics.db, whoever dies when. 0; -1 with errno: to be tried again. */
MUST_CHECK int store_rebuild_finish(struct store *rebuild);
/* Puts it in the place of `store` (an analytics.db), which is the rebuilt one from then on, and
 * frees the rebuild's own struct. Dies (111) when that fails; the next start does it. */
void store_rebuild_replace(struct store *store, struct store **pointer);

struct store *store_memory_new(void);
/* Tests: from now on commit fails with this errno; 0: works again. */
void store_memory_fail(struct store *store, int error);

#endif
