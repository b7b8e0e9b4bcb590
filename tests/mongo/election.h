/* SPDX-License-Identifier: MIT */
/*
 * Who is primary: the one member of the set is, or nobody. A step-down interrupts what waits
 * (manual, "rs.stepDown"); a new election has a new term and a greater election id.
 */
#ifndef TESTS_MONGO_ELECTION_H
#define TESTS_MONGO_ELECTION_H

#include "tests/mongo/server.h"

/* Starts in the term after this one, elected after srv->opt.elect_ms. */
struct election *election_new(struct server *srv, int64_t term);

void election_free(struct election **e);

/* A standalone always is. */
bool is_primary(const struct server *srv);

int64_t election_term(const struct server *srv);

/* Elected again after ms; -1: only by election_win(). */
void election_step_down(struct server *srv, int64_t ms);

void election_win(struct server *srv);

/* Appends electionId and setVersion, as hello reports them. */
void election_append(const struct server *srv, bson_t *hello);

/* From now on hello reports these instead (a wrong primary, say); id NULL: the true ones again. */
void election_claim(struct server *srv, const bson_oid_t *id, int32_t set_version);

#endif
