/* SPDX-License-Identifier: MIT */
#include "wsfand/upstream.h"

#include <string.h>

#include "lib/acceptor.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/sock.h"
#include "wsfand/counters.h"
#include "wsfand/frame_read.h"
#include "wsfand/producer.h"

#define BACKLOG 128
#define ACCEPT_BATCH 16
#define SOCKET_MODE 0660
/* What a producer told of other wsfands holds so long after it has left, in seconds: it, or the one
 * that comes after it, may tell it anew. */
#define OTHERS_LAST 10.0

struct upstream {
	struct acceptor *acceptor;
	char *path;
	struct rooms *rooms;
	struct producers producers;
	ev_timer absence; /* running: somebody has left, whose word does not hold much longer */
};

static void
bad_frame(unsigned long number, const char *problem, const uint8_t *payload, size_t length)
{
	static struct log_limit limit = LOG_LIMIT(5, 5000);

	counters[COUNTER_bad_frames]++;
	log_limited(&limit, LOG_WARN, "bad frame from producer %lu: %s: %.*s", number, problem,
	    (int)MIN(length, 80U), (const char *)payload);
}

static void
count(enum message_kind kind, size_t length)
{
	counters[COUNTER_frame_bytes] += length;
	counters[COUNTER_frames_analytics] += kind == MESSAGE_ANALYTICS;
	counters[COUNTER_frames_metrics] += kind == MESSAGE_METRICS;
	counters[COUNTER_frames_other] += kind == MESSAGE_EVENT;
}

static bool
publish(struct upstream *upstream, struct room *room, const struct frame *frame,
    const uint8_t *payload, size_t length)
{
	struct message *message = message_new(frame->kind, payload, length);
	bool taken;

	message->at_ms = frame->at_ms;
	taken = room_publish(upstream->rooms, room, message);
	message_unref(&message);
	return taken;
}

static bool
on_frame(void *owner, unsigned long number, const uint8_t *payload, size_t length)
{
	struct upstream *upstream = owner;
	struct frame frame;
	struct room *room;
	const char *problem = frame_read(&frame, payload, length);

	if (problem) {
		counters[COUNTER_frame_bytes] += length;
		bad_frame(number, problem, payload, length);
		return true;
	}
	room = room_find(upstream->rooms, &frame.form);
	if (!room)
		counters[COUNTER_unwatched_frames]++;
	else if (frame.others)
		room_set_others(upstream->rooms, room, frame.viewers, (uint32_t)number);
	else if (!publish(upstream, room, &frame, payload, length))
		return false;
	count(frame.kind, length);
	return true;
}

static bool
is_here(void *owner, uint32_t number)
{
	struct upstream *upstream = owner;

	LIST_FOR_EACH (node, &upstream->producers.all) {
		if (producer_number(producer_of(node)) == number)
			return true;
	}
	return false;
}

static void
on_absence(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	struct upstream *upstream = container_of(timer, struct upstream, absence);

	rooms_forget_others(upstream->rooms, is_here, upstream);
}

static void
on_gone(void *owner)
{
	struct upstream *upstream = owner;
	struct ev_loop *loop = upstream->producers.loop;

	ev_timer_stop(loop, &upstream->absence);
	ev_timer_set(&upstream->absence, OTHERS_LAST, 0);
	ev_timer_start(loop, &upstream->absence);
}

bool
upstream_go_on(struct upstream *upstream)
{
	bool some = false;

	if (!rooms_eased(upstream->rooms))
		return false;
	LIST_FOR_EACH (node, &upstream->producers.all)
		some |= producer_go_on(producer_of(node));
	return some;
}

static void
tell_room(void *owner, const struct form_id *id, uint32_t clients)
{
	producer_tell(owner, id, clients);
}

static void
on_accept(void *owner, int fd, const struct sock_address *peer UNUSED)
{
	struct upstream *upstream = owner;

	rooms_each(upstream->rooms, tell_room, producer_start(&upstream->producers, fd));
}

struct upstream *
upstream_new(struct ev_loop *loop, const char *run_dir, int instance, size_t max_frame,
    struct rooms *rooms, struct listeners *listeners)
{
	struct upstream *upstream = mem_zalloc(sizeof(*upstream));
	int fd;

	upstream->rooms = rooms;
	upstream->path = instance > 0 ? mem_printf("%s/frames.%d.sock", run_dir, instance)
				      : mem_printf("%s/frames.sock", run_dir);
	upstream->producers.loop = loop;
	upstream->producers.max_frame = max_frame;
	upstream->producers.frame = on_frame;
	upstream->producers.gone = on_gone;
	upstream->producers.owner = upstream;
	list_init(&upstream->producers.all);
	ev_timer_init(&upstream->absence, on_absence, 0, 0);
	fd = listeners_take_unix(listeners, upstream->path);
	if (fd < 0)
		fd = sock_listen_unix(upstream->path, SOCKET_MODE, BACKLOG);
	if (fd < 0)
		die_system("unable to bind %s", upstream->path);
	upstream->acceptor = acceptor_new(loop, fd, ACCEPT_BATCH, on_accept, upstream);
	return upstream;
}

void
upstream_room_changed(struct upstream *upstream, const struct form_id *id, uint32_t clients)
{
	LIST_FOR_EACH (node, &upstream->producers.all)
		producer_tell(producer_of(node), id, clients);
}

uint32_t
upstream_producers(const struct upstream *upstream)
{
	return upstream->producers.count;
}

void
upstream_save(struct upstream *upstream, struct saver *saver)
{
	listener_save_unix(saver, acceptor_fd(upstream->acceptor), upstream->path);
	LIST_FOR_EACH (node, &upstream->producers.all)
		producer_save(producer_of(node), saver);
}

void
upstream_adopt_producer(
    struct upstream *upstream, struct heir *heir, const struct estate_producer *record)
{
	heir->producer = producer_adopt(&upstream->producers, record);
}

void
upstream_adopt_interest(const struct heir *heir, const struct estate_interest *record)
{
	if (heir->producer)
		producer_adopt_interest(heir->producer, record);
}

void
upstream_settle(struct upstream *upstream, uint64_t last)
{
	upstream->producers.last_number = (unsigned long)last;
	LIST_FOR_EACH (node, &upstream->producers.all)
		producer_settle(producer_of(node));
	/* Somebody may have left just before. */
	on_gone(upstream);
}

uint64_t
upstream_last_producer(const struct upstream *upstream)
{
	return upstream->producers.last_number;
}

void
upstream_free(struct upstream **pointer)
{
	struct upstream *upstream = *pointer;

	*pointer = NULL;
	if (!upstream)
		return;
	acceptor_free(&upstream->acceptor);
	while (!list_empty(&upstream->producers.all))
		producer_end(producer_of(upstream->producers.all.next));
	ev_timer_stop(upstream->producers.loop, &upstream->absence);
	sock_unlink(upstream->path);
	MEM_FREE(&upstream->path);
	MEM_FREE(&upstream);
}
