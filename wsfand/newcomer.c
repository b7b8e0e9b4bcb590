/* SPDX-License-Identifier: MIT */
#include "wsfand/newcomer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/reaper.h"
#include "lib/sock.h"
#include "lib/token_source.h"
#include "wsfand/answer.h"
#include "wsfand/counters.h"
#include "wsfand/newcomer_parts.h"
#include "wsfand/peek.h"
#include "wsfand/proxy_protocol.h"

#define WHOLE_TIME 10.0
/* Rarely needed by whoever means well, and a thousand who send one byte and wait cost little. */
#define AGAIN_TIME 0.1
#define ENDING_TIME 1.0
#define MAX_HEAD 8192

static void
newcomer_reap(struct reap *reap)
{
	struct newcomer *newcomer = container_of(reap, struct newcomer, reap);

	buf_free(&newcomer->head);
	MEM_FREE(&newcomer);
}

/* The newcomer is none any more; its descriptor is the caller's. */
static int
release(struct newcomer *newcomer)
{
	struct newcomers *all = newcomer->all;

	ev_io_stop(all->loop, &newcomer->io);
	deadline_lift(&newcomer->whole);
	deadline_lift(&newcomer->again);
	crowd_leave(&all->crowd, &newcomer->member);
	list_remove(&newcomer->node);
	all->count--;
	reaper_add(all->loop, &newcomer->reap, newcomer_reap);
	return newcomer->io.fd;
}

void
newcomer_dismiss(struct newcomer *newcomer)
{
	int fd = release(newcomer);

	fd_close(&fd);
}

static void
welcome(struct newcomer *newcomer, const struct upgrade *upgrade, size_t head)
{
	const struct newcomers *all = newcomer->all;
	char answer[ANSWER_SIZE];
	struct arrival arrival = {
	    .fd = release(newcomer),
	    .upgrade = upgrade,
	    .answer = answer,
	    .answer_length = answer_switch(answer, upgrade->key->value, &upgrade->deflate,
		upgrade->bearer ? TOKEN_PROTOCOL : NULL),
	    /* The newcomer lives until the reaper comes. */
	    .early = buf_bytes(&newcomer->head) + head,
	    .early_length = buf_length(&newcomer->head) - head,
	};

	all->events->admitted(all->owner, &arrival);
	histogram_observe(
	    &histogram_handshake, (int64_t)(clock_monotonic_ns() - newcomer->since_ns) / 1000);
}

/* Whom and why, for whoever wonders. */
static void
log_refusal(const struct upgrade *upgrade, enum verdict verdict)
{
	static struct log_limit limit = LOG_LIMIT(10, 1000);
	char address[ADDRESS_TEXT];

	log_limited(&limit, LOG_INFO, "refused %s: %s", address_format(&upgrade->client, address),
	    answer_error(verdict, upgrade->problem));
}

/* How much of the room for clients is taken. */
static uint32_t
occupied(struct newcomers *all)
{
	return spares_refill(&all->spares) ? all->events->connections(all->owner) : UINT32_MAX;
}

static void
judge(struct newcomer *newcomer)
{
	const struct newcomers *all = newcomer->all;
	struct http_head head;
	struct upgrade upgrade;
	enum verdict verdict;
	const char *problem = NULL;
	long used = http_head_parse(
	    &head, (const char *)buf_bytes(&newcomer->head), buf_length(&newcomer->head), &problem);

	if (used < 0) {
		newcomer_refuse(newcomer, VERDICT_MALFORMED, problem, 0);
	} else if (used == 0) {
		if (buf_room(&newcomer->head) == 0)
			newcomer_refuse(newcomer, VERDICT_MALFORMED, "request head too long", 0);
	} else {
		verdict = admit_judge(
		    all->admit, &upgrade, &head, &newcomer->peer, occupied(newcomer->all));
		if (verdict == VERDICT_SWITCH) {
			welcome(newcomer, &upgrade, (size_t)used);
			return;
		}
		log_refusal(&upgrade, verdict);
		newcomer_refuse(newcomer, verdict, upgrade.problem, upgrade.retry_after_s);
	}
}

static void
lost(struct newcomer *newcomer)
{
	counters[COUNTER_handshake_lost]++;
	newcomer_dismiss(newcomer);
}

/* What recv() said besides bytes. */
static void
no_bytes(struct newcomer *newcomer, ssize_t got)
{
	if (got == 0 || (errno != EAGAIN && errno != EINTR))
		lost(newcomer);
}

static void
read_head(struct newcomer *newcomer)
{
	uint8_t bytes[2048];
	size_t want = MIN(sizeof(bytes), buf_room(&newcomer->head));
	ssize_t got = recv(newcomer->io.fd, bytes, want, MSG_DONTWAIT);

	if (got <= 0) {
		no_bytes(newcomer, got);
	} else if (buf_append(&newcomer->head, bytes, (size_t)got) < 0) {
		lost(newcomer);
	} else {
		judge(newcomer);
	}
}

static void
hand_over(struct newcomer *newcomer)
{
	if (handoff_pass(newcomer->all->handoff, newcomer->io.fd) == 0)
		newcomer_dismiss(newcomer);
	else
		newcomer_refuse(newcomer, VERDICT_STATSD, NULL, 0);
}

/* Whom a trusted proxy speaks for is not known yet: one of many, not the proxy's. */
static void
join_crowd(struct newcomer *newcomer)
{
	struct newcomers *all = newcomer->all;
	bool proxy = cidr_list_has(&all->admit->trusted, &newcomer->peer);

	crowd_enter(&all->crowd, &newcomer->member, proxy ? 0 : address_network(&newcomer->peer));
}

/* Later, since what is there stays readable: watching would spin. */
static void
look_again(struct newcomer *newcomer)
{
	ev_io_stop(newcomer->all->loop, &newcomer->io);
	deadline_set(&newcomer->all->again, &newcomer->again);
}

static void
look(struct newcomer *newcomer)
{
	char bytes[PEEK_BYTES];
	ssize_t got = recv(newcomer->io.fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);

	if (got <= 0) {
		no_bytes(newcomer, got);
		return;
	}
	switch (peek_judge(bytes, (size_t)got)) {
	case PEEK_OURS:
		newcomer->state = NEWCOMER_HEAD;
		ev_io_start(newcomer->all->loop, &newcomer->io);
		read_head(newcomer);
		break;
	case PEEK_OTHER:
		hand_over(newcomer);
		break;
	case PEEK_JUNK:
		newcomer_refuse(newcomer, VERDICT_MALFORMED, "not an HTTP request", 0);
		break;
	case PEEK_MORE:
		look_again(newcomer);
		break;
	}
}

/* Reads the PROXY header and not a byte more: what follows may be for statsd. */
static void
read_proxy(struct newcomer *newcomer)
{
	uint8_t bytes[PROXY_PROTOCOL_MAX];
	struct proxy_header header;
	ssize_t got = recv(newcomer->io.fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	long used;

	if (got <= 0) {
		no_bytes(newcomer, got);
		return;
	}
	used = proxy_protocol_parse(&header, bytes, (size_t)got);
	if (used == 0) {
		look_again(newcomer);
	} else if (used < 0 ||
	    recv(newcomer->io.fd, bytes, (size_t)used, MSG_DONTWAIT) != (ssize_t)used) {
		counters[COUNTER_handshake_proxy]++;
		newcomer_dismiss(newcomer);
	} else {
		if (header.known) {
			newcomer->peer = header.source;
			crowd_leave(&newcomer->all->crowd, &newcomer->member);
			join_crowd(newcomer);
		}
		newcomer->state = NEWCOMER_PEEK;
		ev_io_start(newcomer->all->loop, &newcomer->io);
		look(newcomer);
	}
}

static void
on_readable(struct ev_loop *loop UNUSED, ev_io *io, int events UNUSED)
{
	struct newcomer *newcomer = container_of(io, struct newcomer, io);

	switch (newcomer->state) {
	case NEWCOMER_PROXY:
		read_proxy(newcomer);
		break;
	case NEWCOMER_PEEK:
		look(newcomer);
		break;
	case NEWCOMER_HEAD:
		read_head(newcomer);
		break;
	case NEWCOMER_ENDING:
		newcomer_discard(newcomer);
		break;
	}
}

static void
whole_expired(struct deadlines *deadlines UNUSED, struct deadline *deadline)
{
	counters[COUNTER_handshake_late]++;
	newcomer_dismiss(container_of(deadline, struct newcomer, whole));
}

static void
again_expired(struct deadlines *deadlines UNUSED, struct deadline *deadline)
{
	struct newcomer *newcomer = container_of(deadline, struct newcomer, again);

	if (newcomer->state == NEWCOMER_PROXY)
		read_proxy(newcomer);
	else
		look(newcomer);
}

static void
ending_expired(struct deadlines *deadlines UNUSED, struct deadline *deadline)
{
	newcomer_dismiss(container_of(deadline, struct newcomer, whole));
}

void
newcomers_init(struct newcomers *newcomers, struct ev_loop *loop)
{
	newcomers->loop = loop;
	newcomers->count = 0;
	list_init(&newcomers->all);
	crowd_init(&newcomers->crowd);
	spares_init(&newcomers->spares);
	deadlines_init(&newcomers->whole, loop, WHOLE_TIME, whole_expired);
	deadlines_init(&newcomers->again, loop, AGAIN_TIME, again_expired);
	deadlines_init(&newcomers->ending, loop, ENDING_TIME, ending_expired);
}

void
newcomers_free(struct newcomers *newcomers)
{
	while (!list_empty(&newcomers->all))
		newcomer_dismiss(LIST_FIRST(&newcomers->all, struct newcomer, node));
	deadlines_stop(&newcomers->whole);
	deadlines_stop(&newcomers->again);
	deadlines_stop(&newcomers->ending);
	spares_free(&newcomers->spares);
}

struct newcomer *
newcomer_new(struct newcomers *newcomers, int fd, struct address peer, enum newcomer_state state)
{
	struct newcomer *newcomer = mem_zalloc(sizeof(*newcomer));

	newcomer->all = newcomers;
	newcomer->state = state;
	newcomer->peer = peer;
	newcomer->since_ns = clock_monotonic_ns();
	buf_init(&newcomer->head, MAX_HEAD);
	deadline_init(&newcomer->whole);
	deadline_init(&newcomer->again);
	list_init(&newcomer->node);
	list_append(&newcomers->all, &newcomer->node);
	newcomers->count++;
	if (state != NEWCOMER_ENDING)
		join_crowd(newcomer);
	ev_io_init(&newcomer->io, on_readable, fd, EV_READ);
	ev_io_start(newcomers->loop, &newcomer->io);
	return newcomer;
}

void
newcomer_start(struct newcomers *newcomers, int fd, struct address peer)
{
	const struct admit *admit = newcomers->admit;
	bool proxied = admit->proxy_protocol && cidr_list_has(&admit->trusted, &peer);
	struct newcomer *newcomer = newcomer_new(
	    newcomers, fd, peer, proxied ? NEWCOMER_PROXY : NEWCOMER_PEEK);

	deadline_set(&newcomers->whole, &newcomer->whole);
	if (proxied)
		read_proxy(newcomer);
	else
		look(newcomer);
}
