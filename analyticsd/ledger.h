/* SPDX-License-Identifier: MIT */
/* ledger: the rows of all responses: those changed since the last commit in memory, in front
 * of those in the store. Look-ups see both; ledger_write() puts the changes into a transaction,
 * as often as it takes, and ledger_committed() forgets them. Whoever calls bounds what waits, by
 * committing.
 *
 * Rows are lent until the next call on the ledger. Errors are the store's: -1 with errno. */
#ifndef ANALYTICSD_LEDGER_H
#define ANALYTICSD_LEDGER_H

#include <stdbool.h>

#include "analyticsd/store.h"

struct ledger;

/* The store stays the caller's. NULL with errno when it cannot be read. */
struct ledger *ledger_new(struct store *store);
void ledger_free(struct ledger **pointer);

/* 1 and the row; 0: no such response (or deleted); -1. */
MUST_CHECK int ledger_find(
    struct ledger *ledger, const void *id, size_t length, struct store_row *row);
/* A row of a chain, tombstones too. A row that is not there is -1, EBADMSG. */
MUST_CHECK int ledger_get(struct ledger *ledger, int64_t seq, struct store_row *row);

/* A new row, with its bytes copied; returns its seq. */
int64_t ledger_append(struct ledger *ledger, const struct store_row *row);
/* Changes the row of that seq. Its id may become NULL (a tombstone; `was` is then the row as it
 * stood), but not another one. */
void ledger_update(struct ledger *ledger, const struct store_row *row);
void ledger_bury(struct ledger *ledger, const struct store_row *was);
/* Drops a tombstone that no chain names any more. */
void ledger_delete(struct ledger *ledger, int64_t seq);

/* Rows that wait for a commit. */
size_t ledger_pending(const struct ledger *ledger);
MUST_CHECK int ledger_write(struct ledger *ledger);
void ledger_committed(struct ledger *ledger);

#endif
