/* SPDX-License-Identifier: MIT */
/*
 * What a majority of the set has: all, or (while the control word "hold" keeps the oplog's end
 * back) each collection as it was there. Manual: "Read Concern "majority"", "Causal Consistency
 * and Read and Write Concerns"; a read that is told afterClusterTime waits until the majority is
 * that far.
 */
#ifndef TESTS_MONGO_MAJORITY_H
#define TESTS_MONGO_MAJORITY_H

#include "tests/mongo/server.h"

/* Whether a command asks for the read concern "majority". */
bool majority_asked(const bson_t *cmd);

/* Whether the command is to wait: a majority is not yet at its afterClusterTime. */
bool majority_must_wait(const struct server *srv, const bson_t *cmd);

/* Whether the newest is not there yet. */
bool majority_lags(const struct server *srv);

/* Makes, in an empty catalog of the caller's (catalog_free()), the collection as a majority has
 * it. */
struct collection *majority_view(
    const struct server *srv, const struct collection *coll, struct catalog *out);

#endif
