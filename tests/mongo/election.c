/* SPDX-License-Identifier: MIT */
#include "tests/mongo/election.h"
#include "tests/mongo/cursor.h"
#include "tests/mongo/journal.h"

#include <ev.h>
#include <string.h>

#define INTERRUPTED_BY_ELECTION 11602

struct election {
	struct server *srv;
	ev_timer timer;
	bool primary;
	int64_t term;
	bool claims;
	bson_oid_t claimed_id;
	int32_t claimed_version;
};

static void
on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct election *e = w->data;

	(void)loop;
	(void)events;
	election_win(e->srv);
}

static void
elect_after(struct election *e, int64_t ms)
{
	ev_timer_stop(e->srv->loop, &e->timer);
	if (ms < 0)
		return;
	ev_timer_set(&e->timer, (double)ms / 1000, 0);
	ev_timer_start(e->srv->loop, &e->timer);
}

struct election *
election_new(struct server *srv, int64_t term)
{
	struct election *e = bson_malloc0(sizeof *e);

	e->srv = srv;
	e->term = term;
	ev_timer_init(&e->timer, on_timer, 0, 0);
	e->timer.data = e;
	srv->election = e;
	if (srv->opt.elect_ms)
		elect_after(e, srv->opt.elect_ms);
	else
		election_win(srv);
	return e;
}

void
election_free(struct election **e)
{
	if (!*e)
		return;
	ev_timer_stop((*e)->srv->loop, &(*e)->timer);
	bson_free(*e);
	*e = NULL;
}

bool
is_primary(const struct server *srv)
{
	return !srv->election || srv->election->primary;
}

int64_t
election_term(const struct server *srv)
{
	return srv->election ? srv->election->term : 1;
}

void
election_step_down(struct server *srv, int64_t ms)
{
	struct election *e = srv->election;

	if (!e)
		return;
	e->primary = false;
	cursors_interrupt(srv, INTERRUPTED_BY_ELECTION);
	elect_after(e, ms);
}

void
election_win(struct server *srv)
{
	struct election *e = srv->election;

	if (!e || e->primary)
		return;
	ev_timer_stop(srv->loop, &e->timer);
	e->primary = true;
	e->term++;
	journal_term(srv->journal, e->term);
	/* "new primary" is the first entry of a term. */
	oplog_noop(&srv->oplog);
}

/* Specification "Server Discovery And Monitoring": 7fffffff, then the term. */
static void
id_of_term(int64_t term, bson_oid_t *out)
{
	static const uint8_t head[4] = {0x7f, 0xff, 0xff, 0xff};

	memcpy(out->bytes, head, sizeof head);
	for (int i = 0; i < 8; i++)
		out->bytes[4 + i] = (uint8_t)((uint64_t)term >> (8 * (7 - i)));
}

void
election_append(const struct server *srv, bson_t *hello)
{
	const struct election *e = srv->election;
	bson_oid_t id;

	id_of_term(e->term, &id);
	bson_append_int32(hello, "setVersion", -1, e->claims ? e->claimed_version : 1);
	if (e->primary)
		bson_append_oid(hello, "electionId", -1, e->claims ? &e->claimed_id : &id);
}

void
election_claim(struct server *srv, const bson_oid_t *id, int32_t set_version)
{
	struct election *e = srv->election;

	if (!e)
		return;
	e->claims = id != NULL;
	if (id)
		bson_oid_copy(id, &e->claimed_id);
	e->claimed_version = set_version;
}
