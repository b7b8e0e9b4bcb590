/* SPDX-License-Identifier: MIT */
/*
 * What survives a restart (--data): everything that was written, in order, in one file that only
 * grows. What one turn of the loop wrote is one frame, so that a command, or a transaction, is
 * there whole or not at all; a frame is written before anybody is answered, and one that was cut
 * short by the end of the process is dropped. It survives SIGKILL, not the end of the machine.
 *
 *   frame = u32 length, u32 checksum (FNV-1a), documents; all little-endian
 *
 * Kept are the collections with their UUIDs, the documents, the oplog, what retryable writes were
 * answered and which transactions were committed, and the term; not kept: indexes, cursors.
 *
 * A NULL journal is allowed in all calls but the first two: then nothing is kept.
 */
#ifndef TESTS_MONGO_JOURNAL_H
#define TESTS_MONGO_JOURNAL_H

#include "tests/mongo/server.h"

/* Reads DIR/journal into srv (its catalog, oplog and sessions, which are empty) and sets srv->
 * journal; *term is the latest. -1: has said why on standard error. */
int journal_open(struct server *srv, const char *dir, int64_t *term);

void journal_close(struct journal **j);

void journal_entry(struct journal *j, const struct entry *e);

void journal_create(struct journal *j, const struct ns *ns);

/* The oplog was rolled over: the last `keep` entries are left. */
void journal_roll(struct journal *j, uint64_t keep);

void journal_term(struct journal *j, int64_t term);

/* The session's write of that number was answered so; reply NULL: its transaction was
 * committed. */
void journal_session(
    struct journal *j, const uint8_t id[16], int64_t number, const struct doc *reply);

/* Writes what there is. Ends the program where it cannot be written. */
void journal_flush(struct journal *j);

#endif
