/* SPDX-License-Identifier: MIT */
/* apply: one event after the other to ledger and forms, and all of them as one transaction.
 *
 * Each event is idempotent by the response's _id: what the ledger says of it is taken back from
 * the form it was counted in, what the event says is added. A document that is malformed is
 * skipped, and takes with it what an older version of it had counted: a batch over the collection
 * would skip it, too.
 *
 * apply_document() either applies a document wholly or not at all; so does apply_commit() with
 * all since the last. */
#ifndef ANALYTICSD_APPLY_H
#define ANALYTICSD_APPLY_H

#include <stdbool.h>

#include "analyticsd/event.h"
#include "analyticsd/forms.h"

struct apply;

/* A form's numbers or definition are others now; when the source committed that, -1: not told. */
typedef void apply_changed(void *owner, struct hot_form *hot, int64_t at_ms);

struct apply_config {
	struct store *store;
	struct ledger *ledger;
	struct forms *forms;
	size_t full_events; /* apply_full(): so many are much; 0: 20,000 */
	apply_changed *changed;
	void *owner;
};

/* NULL with errno when the position cannot be read. */
struct apply *apply_new(const struct apply_config *config);
void apply_free(struct apply **pointer);

/* An event or a bare document (docs/protocol.md, "Ingest"); of `rebuild` and `rebuilt` (states.h)
 * only the position counts here. 0; -1 with the store's errno: nothing
 * of it was applied, it is to be offered again. */
MUST_CHECK int apply_document(struct apply *apply, const struct event *event, int64_t now_ms);

/* Anything that is not committed? */
bool apply_pending(const struct apply *apply);
/* So much that it should be committed now rather than later. */
bool apply_full(const struct apply *apply);
/* All of it; and with `forms` the rows of forms that were only appended to, so that nothing is left
 * to be written (forms.h). 0; -1 with the store's errno: everything is as before, and it is to be
 * tried again. */
MUST_CHECK int apply_commit(struct apply *apply, bool forms, int64_t now_ms);

/* How far what is applied lags behind the source (milliseconds): that of the newest event that told
 * its time, or 0 when it came more than APPLY_LAG_AGE_MS ago: nothing more has happened. */
#define APPLY_LAG_AGE_MS 5000
int64_t apply_lag(const struct apply *apply, int64_t now_ms);

/* The committed position: a BSON document's bytes; empty: none. */
const struct buf *apply_position(const struct apply *apply);
/* Is what is applied only a part of what the source holds (docs/protocol.md, `partial`)? */
bool apply_partial(const struct apply *apply);
/* Has the source told its position ever? */
bool apply_placed(const struct apply *apply);

#endif
