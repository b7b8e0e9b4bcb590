/* SPDX-License-Identifier: MIT */
#include "statsd/collect.h"

#include <string.h>
#include <unistd.h>

#include "lib/acceptor.h"
#include "lib/clock.h"
#include "lib/conn.h"
#include "lib/frame.h"
#include "lib/list.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "statsd/counters.h"
#include "statsd/report_read.h"

#define ACCEPT_BATCH 16
#define OUT_MAX 65536
/* Who connects says at once who it is. */
#define SCHEMA_DUE_S 10.0

struct collect {
	struct ev_loop *loop;
	struct registry *registry;
	size_t max_frame;
	struct acceptor *acceptor;
	struct list peers;
	size_t peer_count;
	const struct collect_events *events;
	void *owner;
};

/* A daemon's connection. It stands on collect.peers from accepting to its end. */
struct peer {
	struct collect *collect;
	struct list node;
	struct conn *conn;
	struct reporter *reporter; /* NULL until the schema has come */
	ev_timer due; /* of the schema; or, once it is gone and has handed on, of its successor */
};

static struct log_limit bad_limit = LOG_LIMIT(5, 1000);

struct moment
moment_now(void)
{
	return (struct moment){
	    .monotonic_ms = clock_monotonic_ms(),
	    .wall_ms = clock_wall_ms(),
	};
}

static const char *
peer_name(const struct peer *peer)
{
	return peer->reporter ? peer->reporter->instance : "a daemon that has not said its name";
}

static void
peer_free(struct peer *peer)
{
	struct collect *collect = peer->collect;
	ev_timer_stop(collect->loop, &peer->due);
	collect->events->gone(collect->owner, peer);
	if (peer->reporter)
		log_info("%s does not report any more", peer->reporter->instance);
	registry_remove(collect->registry, &peer->reporter, moment_now());
	conn_close(&peer->conn);
	list_remove(&peer->node);
	collect->peer_count--;
	MEM_FREE(&peer);
}

static void
overdue(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	struct peer *peer = container_of(timer, struct peer, due);
	if (peer->reporter) {
		peer_free(peer);
		return;
	}
	counters[COUNTER_bad_reports]++;
	log_limited(&bad_limit, LOG_WARN, "a connection to stats.sock said nothing, closed");
	peer_free(peer);
}

/* What it told holds until another has taken its place, or would be stale. */
static void
await_successor(struct peer *peer)
{
	peer->collect->events->gone(peer->collect->owner, peer);
	ev_timer_set(&peer->due, REGISTRY_STALE_MS / 1000., 0.);
	ev_timer_start(peer->collect->loop, &peer->due);
}

/* The peer has reported: whoever handed on to it is needed no more. */
static void
succeed(const struct peer *peer)
{
	LIST_FOR_EACH_SAFE (node, &peer->collect->peers) {
		struct peer *other = container_of(node, struct peer, node);
		if (other != peer && other->reporter && other->reporter->hands_on &&
		    other->reporter->daemon == peer->reporter->daemon &&
		    strcmp(other->reporter->instance, peer->reporter->instance) == 0) {
			registry_remove(peer->collect->registry, &other->reporter, moment_now());
			peer_free(other);
		}
	}
}

static void
schema_taken(struct peer *peer, size_t conflicts)
{
	const struct reporter *reporter = peer->reporter;
	ev_timer_stop(peer->collect->loop, &peer->due);
	log_info("%s reports, version %s, pid %lld", reporter->instance, reporter->version,
	    (long long)reporter->pid);
	counters[COUNTER_metric_conflicts] += conflicts;
	if (conflicts > 0)
		log_limited(&bad_limit, LOG_WARN,
		    "%zu metrics of %s bear reserved names, or have another TYPE or HELP elsewhere",
		    conflicts, reporter->instance);
}

static bool
peer_answer(struct peer *peer, const char *json, size_t length, const char **error, bool *good)
{
	struct query_answer answer;
	int found = peer->reporter ? answer_read(&answer, json, length, error) : 0;
	*good = found >= 0;
	if (found > 0)
		peer->collect->events->answered(peer->collect->owner, peer, &answer);
	return found != 0;
}

static void
peer_refuse(struct peer *peer, const char *error)
{
	log_limited(&bad_limit, LOG_WARN, "report of %s refused: %s", peer_name(peer), error);
	peer_free(peer);
}

/* False: the peer is gone. */
static bool
peer_frame(struct peer *peer, const char *json, size_t length)
{
	size_t conflicts;
	bool good;
	const char *error = "";
	if (peer_answer(peer, json, length, &error, &good)) {
		if (good)
			return true;
		counters[COUNTER_bad_reports]++;
		peer_refuse(peer, error);
		return false;
	}
	switch (report_read(peer->collect->registry, &peer->reporter, json, length, moment_now(),
	    &conflicts, &error)) {
	case REPORT_SCHEMA:
		schema_taken(peer, conflicts);
		return true;
	case REPORT_VALUES:
		counters[COUNTER_reports]++;
		succeed(peer);
		return true;
	case REPORT_ROOMS:
		counters[COUNTER_room_frames]++;
		return true;
	case REPORT_UNKNOWN:
		counters[COUNTER_unknown_frames]++;
		return true;
	case REPORT_REFUSED:
		counters[COUNTER_reporters_refused]++;
		break;
	case REPORT_BAD:
		counters[COUNTER_bad_reports]++;
		break;
	}
	peer_refuse(peer, error);
	return false;
}

static size_t
peer_data(void *owner, const uint8_t *data, size_t length)
{
	struct peer *peer = owner;
	size_t max = peer->collect->max_frame, used = 0;
	for (;;) {
		size_t payload;
		long taken = frame_parse(data + used, length - used, max, &payload);
		if (taken == 0)
			return used;
		if (taken < 0) {
			counters[COUNTER_bad_reports]++;
			log_limited(&bad_limit, LOG_WARN, "%s sent a frame of 0 or over %zu bytes",
			    peer_name(peer), max);
			peer_free(peer);
			return used;
		}
		if (!peer_frame(peer, (const char *)data + used + FRAME_HEADER, payload))
			return used;
		used += (size_t)taken;
	}
}

static void
peer_down(void *owner, int error UNUSED)
{
	struct peer *peer = owner;
	peer->conn = NULL;
	if (peer->reporter && peer->reporter->hands_on)
		await_successor(peer);
	else
		peer_free(peer);
}

static const struct conn_events peer_events = {.data = peer_data, .down = peer_down};

static void
peer_accepted(void *owner, int fd, const struct sock_address *address UNUSED)
{
	struct collect *collect = owner;
	if (collect->peer_count == REGISTRY_MAX_REPORTERS) {
		counters[COUNTER_reporters_refused]++;
		log_limited(&bad_limit, LOG_WARN, "more than %d connections to stats.sock, refused",
		    REGISTRY_MAX_REPORTERS);
		fd_close(&fd);
		return;
	}
	struct peer *peer = mem_zalloc(sizeof(*peer));
	peer->collect = collect;
	list_append(&collect->peers, &peer->node);
	collect->peer_count++;
	ev_timer_init(&peer->due, overdue, SCHEMA_DUE_S, 0.);
	ev_timer_start(collect->loop, &peer->due);
	peer->conn = conn_new(
	    collect->loop, fd, &peer_events, peer, collect->max_frame + FRAME_HEADER, OUT_MAX);
}

const void *
collect_ask(struct collect *collect, const char *json, size_t length)
{
	uint8_t header[FRAME_HEADER];
	frame_put_header(header, (uint32_t)length);
	LIST_FOR_EACH (node, &collect->peers) {
		struct peer *peer = container_of(node, struct peer, node);
		if (peer->conn && peer->reporter && peer->reporter->serves_forms &&
		    conn_send2(peer->conn, header, sizeof(header), json, length) == 0)
			return peer;
	}
	return NULL;
}

struct collect *
collect_new(struct ev_loop *loop, int listener, struct registry *registry, size_t max_frame,
    const struct collect_events *events, void *owner)
{
	struct collect *collect = mem_zalloc(sizeof(*collect));
	collect->loop = loop;
	collect->registry = registry;
	collect->max_frame = max_frame;
	collect->events = events;
	collect->owner = owner;
	list_init(&collect->peers);
	collect->acceptor = acceptor_new(loop, listener, ACCEPT_BATCH, peer_accepted, collect);
	return collect;
}

void
collect_free(struct collect **collect)
{
	if (!*collect)
		return;
	acceptor_free(&(*collect)->acceptor);
	LIST_FOR_EACH_SAFE (node, &(*collect)->peers)
		peer_free(container_of(node, struct peer, node));
	MEM_FREE(collect);
}
