/* SPDX-License-Identifier: MIT */
#include "wsfand/producer.h"

#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/conn.h"
#include "lib/frame.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/reaper.h"
#include "wsfand/counters.h"
#include "wsfand/heir.h"
#include "wsfand/interest.h"

/* Bytes of interest under way to the kernel; what is behind them waits as interest. */
#define OUT_MAX 65536
#define NEWS_SIZE 128
/* A changed number of viewers is told at most so often. */
#define VIEWERS_REST_MS 1000

/* For what each connection brings once: somebody may connect in a loop. */
static struct log_limit visits = LOG_LIMIT(20, 500);
static struct log_limit losses = LOG_LIMIT(5, 5000);

struct producer {
	struct list node;
	struct producers *producers;
	struct conn *conn;
	struct interest interest;
	ev_timer timer; /* when the next number may be told */
	bool held; /* not read from: its next frame was not taken */
	unsigned long number;
	struct reap reap;
};

static void
producer_reap(struct reap *reap)
{
	struct producer *producer = container_of(reap, struct producer, reap);

	interest_free(&producer->interest);
	MEM_FREE(&producer);
}

void
producer_end(struct producer *producer)
{
	struct producers *producers = producer->producers;

	conn_close(&producer->conn);
	ev_timer_stop(producers->loop, &producer->timer);
	list_remove(&producer->node);
	producers->count--;
	reaper_add(producers->loop, &producer->reap, producer_reap);
	producers->gone(producers->owner);
}

static int
send_news(struct producer *producer, const struct interest_news *news)
{
	static const char *const types[] = {"opened", "viewers", "closed"};
	char id[FORM_ID_HEX + 1], viewers[24] = "", text[NEWS_SIZE];
	uint8_t header[FRAME_HEADER];
	int length;

	form_id_format(&news->id, id);
	if (news->kind != INTEREST_CLOSED)
		snprintf(viewers, sizeof(viewers), ",\"viewers\":%u", (unsigned)news->viewers);
	length = snprintf(text, sizeof(text), "{\"type\":\"room:%s\",\"formId\":\"%s\"%s}",
	    types[news->kind], id, viewers);
	frame_put_header(header, (uint32_t)length);
	return conn_send2(producer->conn, header, sizeof(header), text, (size_t)length);
}

static void
arm_timer(struct producer *producer, uint64_t now_ms)
{
	struct ev_loop *loop = producer->producers->loop;
	int64_t wait = interest_wait(&producer->interest, now_ms);

	if (wait < 0 || ev_is_active(&producer->timer))
		return;
	ev_timer_set(&producer->timer, (double)(wait + 1) / 1000, 0);
	ev_timer_start(loop, &producer->timer);
}

/* Hands the kernel as much as it takes. What it does not take waits as interest,
 * where news of one room do not pile up. */
static void
pump(struct producer *producer)
{
	uint64_t now_ms = clock_monotonic_ms();
	struct interest_news news;

	while (conn_room(producer->conn) >= NEWS_SIZE + FRAME_HEADER) {
		if (!interest_next(&producer->interest, now_ms, &news)) {
			arm_timer(producer, now_ms);
			return;
		}
		if (send_news(producer, &news) < 0)
			return;
		if (conn_room(producer->conn) < NEWS_SIZE + FRAME_HEADER)
			conn_flush(producer->conn);
	}
	/* Full, and the kernel takes no more: on_drained() goes on. */
}

static void
on_timer(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	pump(container_of(timer, struct producer, timer));
}

static void
on_drained(void *owner)
{
	pump(owner);
}

void
producer_tell(struct producer *producer, const struct form_id *id, uint32_t clients)
{
	interest_set(&producer->interest, id, clients);
	pump(producer);
}

static void
lose_framing(struct producer *producer)
{
	counters[COUNTER_lost_framings]++;
	log_limited(&losses, LOG_WARN,
	    "producer %lu: a frame of length 0 or over %zu bytes; closed", producer->number,
	    producer->producers->max_frame);
	producer_end(producer);
}

static void
hold(struct producer *producer)
{
	counters[COUNTER_producer_waits]++;
	producer->held = true;
	conn_pause(producer->conn);
}

bool
producer_go_on(struct producer *producer)
{
	bool held = producer->held;

	if (held)
		conn_resume(producer->conn);
	producer->held = false;
	return held;
}

static size_t
on_data(void *owner, const uint8_t *data, size_t length)
{
	struct producer *producer = owner;
	struct producers *producers = producer->producers;
	size_t at = 0, payload;

	for (;;) {
		long used = frame_parse(data + at, length - at, producers->max_frame, &payload);

		if (used == 0)
			return at;
		if (used < 0) {
			lose_framing(producer);
			return at;
		}
		if (!producers->frame(
			producers->owner, producer->number, data + at + FRAME_HEADER, payload)) {
			hold(producer);
			return at;
		}
		at += (size_t)used;
	}
}

static void
on_down(void *owner, int error)
{
	struct producer *producer = owner;

	if (error != 0)
		log_limited(
		    &losses, LOG_WARN, "producer %lu: %s", producer->number, strerror(error));
	else
		log_limited(&visits, LOG_INFO, "producer %lu has left", producer->number);
	producer->conn = NULL;
	producer_end(producer);
}

static struct producer *
producer_new(struct producers *producers, int fd, unsigned long number)
{
	static const struct conn_events events = {
	    .data = on_data, .drained = on_drained, .down = on_down};
	struct producer *producer = mem_zalloc(sizeof(*producer));

	producer->producers = producers;
	producer->number = number;
	interest_init(&producer->interest, VIEWERS_REST_MS, true);
	ev_timer_init(&producer->timer, on_timer, 0, 0);
	list_init(&producer->node);
	list_append(&producers->all, &producer->node);
	producers->count++;
	producer->conn = conn_new(
	    producers->loop, fd, &events, producer, producers->max_frame + FRAME_HEADER, OUT_MAX);
	return producer;
}

struct producer *
producer_start(struct producers *producers, int fd)
{
	struct producer *producer = producer_new(producers, fd, ++producers->last_number);

	log_limited(&visits, LOG_INFO, "producer %lu is here", producer->number);
	return producer;
}

struct producer *
producer_of(struct list *node)
{
	return container_of(node, struct producer, node);
}

unsigned long
producer_number(const struct producer *producer)
{
	return producer->number;
}

static void
save_interest(void *owner, const struct interest_memory *memory)
{
	saver_put(owner,
	    &(struct estate_record){
		.kind = ESTATE_interest,
		.interest =
		    {
			.form = {memory->id.bytes, FORM_ID_BYTES},
			.told = memory->told,
			.now = memory->now,
			.place = memory->place,
			.told_age_ms = memory->told_age_ms,
			.lapsed = memory->lapsed,
		    },
	    });
}

void
producer_save(struct producer *producer, struct saver *saver)
{
	struct conn_rest rest;

	conn_save(producer->conn, &rest);
	saver_put(saver,
	    &(struct estate_record){
		.kind = ESTATE_producer,
		.producer =
		    {
			.fd = saver_fd(saver, conn_fd(producer->conn)),
			.number = producer->number,
			.input = {rest.in, rest.in_length},
			.output = {rest.out, rest.out_length},
		    },
	    });
	interest_each(&producer->interest, clock_monotonic_ms(), save_interest, saver);
}

struct producer *
producer_adopt(struct producers *producers, const struct estate_producer *record)
{
	const struct conn_rest rest = {
	    .in = record->input.data,
	    .in_length = record->input.length,
	    .out = record->output.data,
	    .out_length = record->output.length,
	};
	struct producer *producer = producer_new(
	    producers, heir_socket(record->fd), (unsigned long)record->number);

	if (conn_restore(producer->conn, &rest) == 0)
		return producer;
	lose_framing(producer);
	return NULL;
}

void
producer_adopt_interest(struct producer *producer, const struct estate_interest *record)
{
	struct interest_memory memory = {
	    .told = (uint32_t)record->told,
	    .now = (uint32_t)record->now,
	    .place = (enum interest_place)record->place,
	    .told_age_ms = record->told_age_ms,
	    .lapsed = record->lapsed,
	};

	memcpy(memory.id.bytes, record->form.data, FORM_ID_BYTES);
	interest_remember(&producer->interest, clock_monotonic_ms(), &memory);
}

void
producer_settle(struct producer *producer)
{
	pump(producer);
}
