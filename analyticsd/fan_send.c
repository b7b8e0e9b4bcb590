/* SPDX-License-Identifier: MIT */
/* Frames on their way out: made once, sent to each link that has room, owed to the others. */
#include <inttypes.h>
#include <stdio.h>

#include "analyticsd/counters.h"
#include "analyticsd/fan_state.h"
#include "analyticsd/forms_recount.h"
#include "lib/clock.h"
#include "lib/frame.h"
#include "lib/log.h"

/* With less room than this in a link nothing is made for it. */
#define LOW_ROOM 65536
#define OTHERS_SIZE 128

/* 0: it is on its way; -1: no room. */
static int
send_frame(struct conn *conn, const struct buf *frame)
{
	uint8_t head[FRAME_HEADER];

	frame_put_header(head, (uint32_t)buf_length(frame));
	if (conn_send2(conn, head, sizeof(head), buf_bytes(frame), buf_length(frame)) == 0)
		return 0;
	/* What is queued may leave now; if it does not, the conn is stuck and will call
	 * on_drained(). */
	conn_flush(conn);
	return conn_send2(conn, head, sizeof(head), buf_bytes(frame), buf_length(frame));
}

/* Sends these kinds, or owes them. -1: the link is full. `at_ms`: room_frames_begin()'s. */
static int
send_kinds(struct fan_port *fan, struct room *room, size_t index, unsigned kinds, int64_t at_ms)
{
	static const unsigned order[] = {KIND_ANALYTICS, KIND_METRICS};
	struct conn *conn = link_conn(fan->links[index].link);

	if (conn == NULL)
		return 0;
	if (conn_room(conn) < LOW_ROOM)
		conn_flush(conn);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		if ((kinds & order[i]) == 0)
			continue;
		const struct buf *frame = NULL;
		if (conn_room(conn) >= LOW_ROOM)
			frame = room_frames_get(fan->frames, order[i]);
		if (frame == NULL || (buf_length(frame) > 0 && send_frame(conn, frame) < 0)) {
			publish_owe(fan->publish, room, index, kinds);
			room_keep_oldest(&room->links[index].owed_at_ms, at_ms);
			counters[COUNTER_frames_owed]++;
			return -1;
		}
		kinds &= ~order[i];
		publish_paid(fan->publish, room, index, order[i]);
		if (buf_length(frame) > 0)
			room_frames_sent(fan->frames, order[i]);
	}
	return 0;
}

/* Tells one link, if it does not know, how many watch the room through the others; or owes it. */
static void
send_others(struct fan_port *fan, struct room *room, size_t index)
{
	struct conn *conn = link_conn(fan->links[index].link);
	uint64_t others = room_others(room, index);
	char id[FORM_ID_HEX + 1], text[OTHERS_SIZE];
	uint8_t head[FRAME_HEADER];
	int length;

	if (conn == NULL || !room->links[index].open || room->links[index].told_others == others)
		return;
	form_id_format(&room->id, id);
	length = snprintf(text, sizeof(text),
	    "{\"type\":\"room:others\",\"formId\":\"%s\",\"viewers\":%" PRIu64 "}", id, others);
	frame_put_header(head, (uint32_t)length);
	if (conn_room(conn) < LOW_ROOM)
		conn_flush(conn);
	if (conn_send2(conn, head, sizeof(head), text, (size_t)length) == 0)
		room->links[index].told_others = others;
	else
		publish_owe(fan->publish, room, index, KIND_OTHERS);
}

static bool
is_wanted(const struct fan_port *fan, const struct room *room)
{
	for (size_t i = 0; i < fan->count; i++) {
		if (room->links[i].wants != 0)
			return true;
	}
	return false;
}

/* Can the form be looked at? If not it is tried again. It stays loaded until forms_trim(). */
static bool
is_fresh(struct fan_port *fan, struct room *room)
{
	struct forms *forms = fan->config.forms;
	int64_t now_ms = clock_wall_ms();

	if (room->hot == NULL)
		return true;
	forms_trim(forms);
	if (forms_load(forms, room->hot, now_ms) == 0 && forms_fresh(forms, room->hot, now_ms) == 0)
		return true;
	fan->config.unreadable(fan->config.owner);
	publish_changed(fan->publish, room);
	return false;
}

static bool
is_known(const struct room *room)
{
	return room->hot != NULL && form_known(forms_shown(room->hot));
}

void
fan_deliver(struct fan_port *fan, struct room *room, unsigned news)
{
	if ((news & KIND_OTHERS) != 0) {
		for (size_t i = 0; i < fan->count; i++)
			send_others(fan, room, i);
		news &= ~KIND_OTHERS;
		if (news == 0 && !is_wanted(fan, room))
			return;
	}
	if (!is_fresh(fan, room))
		return;
	bool stale = room->hot != NULL && room->hot->recount != NULL;
	/* Nothing to be shown until it is counted: forms_step() will tell. */
	if (stale && forms_shown(room->hot) == NULL)
		return;
	bool known = is_known(room);
	/* What goes to one link alone beside the news is not how the change got out, nor are
	 * numbers from before it. */
	int64_t at_ms = 0;
	if ((news & KIND_ANALYTICS) != 0 && !stale) {
		at_ms = room->at_ms;
		room->at_ms = 0;
	}
	/* A form that was deleted is told of once more, and then no longer. */
	if (!known && !room->known)
		return;
	room->known = known;
	room_frames_begin(fan->frames, room, at_ms);
	news = room_frames_add_metrics(fan->frames, room, news);
	for (size_t i = 0; i < fan->count; i++) {
		unsigned kinds = news | publish_wanted(room, i);
		/* A link that is full is owed it, and the others go on. */
		if (kinds != 0 && room->links[i].open && send_kinds(fan, room, i, kinds, at_ms) < 0)
			log_debug("%s is behind", fan->links[i].name);
	}
}

void
fan_drained(void *owner)
{
	struct fan_link *link = owner;
	struct fan_port *fan = link->fan;
	struct room *room;

	while ((room = publish_owed(fan->publish, link->index)) != NULL) {
		unsigned owed = room->links[link->index].owed;
		if ((owed & KIND_OTHERS) != 0) {
			publish_paid(fan->publish, room, link->index, KIND_OTHERS);
			send_others(fan, room, link->index);
			if ((room->links[link->index].owed & KIND_OTHERS) != 0)
				return;
			if ((owed &= ~KIND_OTHERS) == 0)
				continue;
		}
		if (!is_fresh(fan, room)) {
			publish_paid(fan->publish, room, link->index, owed);
			continue;
		}
		int64_t at_ms = room->links[link->index].owed_at_ms;
		room_frames_begin(fan->frames, room, at_ms);
		if (send_kinds(fan, room, link->index, owed, at_ms) < 0)
			return;
	}
}
