/* SPDX-License-Identifier: MIT */
#include "wsfand/drain.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#define STEP 0.01

struct drain {
	struct ev_loop *loop;
	ev_timer timer;
	struct session *session;
	double seconds;
	uint64_t started_ms;
	uint32_t clients, closed; /* at the start; of these, so far */
	void (*done)(void *owner);
	void *owner;
};

/* How many should be closed by now. */
static uint32_t
due(const struct drain *drain)
{
	double passed = (double)(clock_monotonic_ms() - drain->started_ms) / 1000;

	if (passed >= drain->seconds)
		return UINT32_MAX;
	return 1 + (uint32_t)(passed / drain->seconds * drain->clients);
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events UNUSED)
{
	struct drain *drain = container_of(timer, struct drain, timer);
	uint32_t wanted = due(drain);
	struct client *client = NULL;

	while (drain->closed < wanted && (client = rooms_any_client(drain->session->rooms))) {
		room_take_leave(drain->session->rooms, client);
		client_close(client, CLOSE_DRAIN, true);
		drain->closed++;
	}
	/* Those who do not answer are bounded by their own deadlines. */
	if (drain->session->clients.open == 0 && drain->session->clients.ended == 0) {
		ev_timer_stop(loop, timer);
		drain->done(drain->owner);
	}
}

struct drain *
drain_start(struct ev_loop *loop, struct session *session, double seconds,
    void (*done)(void *owner), void *owner)
{
	struct drain *drain = mem_zalloc(sizeof(*drain));

	drain->loop = loop;
	drain->session = session;
	drain->seconds = seconds;
	drain->started_ms = clock_monotonic_ms();
	drain->clients = session->clients.open;
	drain->done = done;
	drain->owner = owner;
	ev_timer_init(&drain->timer, on_timer, 0, STEP);
	ev_timer_start(loop, &drain->timer);
	log_info("draining: %u clients in %.1f s", drain->clients, seconds);
	return drain;
}

void
drain_free(struct drain **pointer)
{
	struct drain *drain = *pointer;

	*pointer = NULL;
	if (!drain)
		return;
	ev_timer_stop(drain->loop, &drain->timer);
	MEM_FREE(&drain);
}
