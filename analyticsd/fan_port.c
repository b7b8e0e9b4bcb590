/* SPDX-License-Identifier: MIT */
#include "analyticsd/fan_port.h"

#include <stdlib.h>
#include <string.h>

#include "analyticsd/counters.h"
#include "analyticsd/fan_state.h"
#include "analyticsd/forms_recount.h"
#include "analyticsd/interest_message.h"
#include "analyticsd/room_forms.h"
#include "lib/clock.h"
#include "lib/die.h"
#include "lib/frame.h"
#include "lib/log.h"
#include "lib/mem.h"

#define OUT_MAX (4U << 20)
/* Rooms served in one turn of the loop, so that input is not kept waiting. */
#define ROOMS_PER_TURN 2048

static void
start_due(struct fan_port *fan)
{
	int64_t wait = publish_wait(fan->publish, clock_monotonic_ms());

	ev_timer_stop(fan->loop, &fan->due);
	if (wait < 0)
		return;
	ev_now_update(fan->loop);
	ev_timer_set(&fan->due, (double)wait / 1e3, 0);
	ev_timer_start(fan->loop, &fan->due);
}

static void
serve_rooms(struct fan_port *fan, size_t most)
{
	uint64_t now = clock_monotonic_ms();
	struct room *room;
	unsigned news;

	while (most-- > 0 && (room = publish_next(fan->publish, now, &news)) != NULL)
		fan_deliver(fan, room, news);
}

static void
on_turn_end(struct ev_loop *loop UNUSED, ev_prepare *watcher, int events UNUSED)
{
	struct fan_port *fan = container_of(watcher, struct fan_port, turn_end);

	serve_rooms(fan, ROOMS_PER_TURN);
	start_due(fan);
}

/* Only wakes the loop: the turn's end does the work. */
static void
on_due(struct ev_loop *loop UNUSED, ev_timer *timer UNUSED, int events UNUSED)
{
}

/* ---- interest in ---- */

/* Each link is told how many watch it through the others, where there are any. */
static void
viewers_changed(struct fan_port *fan, struct room *room)
{
	if (fan->count > 1)
		publish_tell(fan->publish, room, KIND_OTHERS);
}

static void
close_room(struct fan_port *fan, size_t index, struct room *room)
{
	if (!room->links[index].open)
		return;
	if (!interest_closed(fan->interest, index, room)) {
		viewers_changed(fan, room);
		return;
	}
	if (room->hot != NULL)
		forms_watch(fan->config.forms, room->hot, NULL);
	interest_drop(fan->interest, &room);
}

static void
open_room(struct fan_port *fan, size_t index, const struct form_id *id, uint32_t viewers)
{
	struct room *room = interest_opened(fan->interest, index, id, viewers);
	struct hot_form *hot;

	viewers_changed(fan, room);
	if (room->hot == NULL) {
		int found = forms_find(fan->config.forms, id, clock_wall_ms(), &hot);
		if (found < 0)
			fan->config.unreadable(fan->config.owner);
		if (found > 0)
			room_attach(fan->config.forms, room, hot);
	}
	if (room->hot != NULL && (room->hot->form == NULL || forms_is_known(room->hot)))
		publish_snapshot(fan->publish, room, index);
	forms_trim(fan->config.forms);
}

static void
take_interest(struct fan_link *link, const char *text, size_t length)
{
	static struct log_limit limit = LOG_LIMIT(3, 10000);
	struct fan_port *fan = link->fan;
	struct interest_message message;
	struct room *room;
	const char *why;

	if (interest_read(&message, text, length, &why) < 0) {
		counters[COUNTER_bad_interest]++;
		log_limited(&limit, LOG_WARN, "bad interest from %s: %s", link->name, why);
		return;
	}
	switch (message.type) {
	case INTEREST_OPENED:
		open_room(fan, link->index, &message.form, message.viewers);
		break;
	case INTEREST_VIEWERS:
		interest_viewers(fan->interest, link->index, &message.form, message.viewers);
		room = interest_find(fan->interest, &message.form);
		if (room != NULL)
			viewers_changed(fan, room);
		break;
	case INTEREST_CLOSED:
		room = interest_find(fan->interest, &message.form);
		if (room != NULL)
			close_room(fan, link->index, room);
		break;
	case INTEREST_OTHER:
		break;
	}
}

static void
lose_rooms(struct fan_link *link)
{
	struct fan_port *fan = link->fan;
	struct room *next;

	for (struct room *room = interest_next(fan->interest, NULL); room != NULL; room = next) {
		next = interest_next(fan->interest, room);
		close_room(fan, link->index, room);
	}
}

static size_t
on_data(void *owner, const uint8_t *data, size_t length)
{
	struct fan_link *link = owner;
	size_t used = 0, payload;
	long size;

	while ((size = frame_parse(
		    data + used, length - used, link->fan->config.max_frame_bytes, &payload)) > 0) {
		take_interest(link, (const char *)data + used + FRAME_HEADER, payload);
		used += (size_t)size;
	}
	if (size < 0) {
		log_error("%s sent a frame of an impossible length; connecting again", link->name);
		lose_rooms(link);
		link_reset(link->link);
	}
	return used;
}

static void
on_up(void *owner)
{
	struct fan_link *link = owner;

	log_debug("connected to %s", link->name);
}

static void
on_down(void *owner, int error UNUSED)
{
	lose_rooms(owner);
}

static const struct link_events link_events = {
    .up = on_up, .data = on_data, .drained = fan_drained, .down = on_down};

/* ---- the whole ---- */

static size_t
count_links(const char *list)
{
	size_t count = 1;

	for (; *list != '\0'; list++)
		count += *list == ',';
	return count;
}

/* One "unix:PATH" of the list; it was checked with the settings. */
static void
open_link(struct fan_port *fan, size_t index, const char *path)
{
	struct fan_link *link = &fan->links[index];

	link->fan = fan;
	link->index = index;
	if (strncmp(path, "unix:", 5) == 0)
		path += 5;
	link->name = mem_printf("the consumer at %s", path);
	link->link = link_new(fan->loop, path, link->name, &link_events, link,
	    fan->config.max_frame_bytes + FRAME_HEADER,
	    OUT_MAX + fan->config.max_frame_bytes + FRAME_HEADER);
}

struct fan_port *
fan_port_new(struct ev_loop *loop, const struct fan_config *config)
{
	size_t count = count_links(config->frames_to), index = 0;
	struct fan_port *fan = mem_zalloc(sizeof(*fan) + count * sizeof(fan->links[0]));
	char *list = mem_strdup(config->frames_to), *rest = list, *path;

	fan->config = *config;
	fan->loop = loop;
	fan->count = count;
	fan->interest = interest_new(count);
	fan->publish = publish_new(fan->interest, config->update_interval_ms);
	fan->frames = room_frames_new(forms_zone(config->forms), config->max_frame_bytes);
	while ((path = strsep(&rest, ",")) != NULL)
		open_link(fan, index++, path + strspn(path, " "));
	free(list);
	ev_timer_init(&fan->due, on_due, 0, 0);
	ev_prepare_init(&fan->turn_end, on_turn_end);
	ev_prepare_start(loop, &fan->turn_end);
	return fan;
}

void
fan_port_free(struct fan_port **pointer)
{
	struct fan_port *fan = *pointer;

	ev_prepare_stop(fan->loop, &fan->turn_end);
	ev_timer_stop(fan->loop, &fan->due);
	for (size_t i = 0; i < fan->count; i++) {
		lose_rooms(&fan->links[i]);
		link_free(&fan->links[i].link);
		free(fan->links[i].name);
	}
	interest_free(&fan->interest);
	publish_free(&fan->publish);
	room_frames_free(&fan->frames);
	MEM_FREE(pointer);
}

void
fan_port_changed(struct fan_port *fan, struct hot_form *hot, int64_t at_ms)
{
	if (hot->room == NULL) {
		/* A room may have waited for its form to become known. */
		struct room *room = interest_rooms(fan->interest) == 0
		    ? NULL
		    : interest_find(fan->interest, &hot->row.id);
		if (room == NULL)
			return;
		if (forms_load(fan->config.forms, hot, clock_wall_ms()) < 0) {
			fan->config.unreadable(fan->config.owner);
			return;
		}
		room_attach(fan->config.forms, room, hot);
		publish_tell(fan->publish, room, KIND_METRICS);
	}
	room_keep_oldest(&hot->room->at_ms, at_ms);
	if (!forms_settling(hot))
		publish_changed(fan->publish, hot->room);
}

static void
tell_all(struct fan_port *fan, unsigned kinds)
{
	struct room *room = NULL;

	while ((room = interest_next(fan->interest, room)) != NULL)
		publish_tell(fan->publish, room, kinds);
}

void
fan_port_set_stale(struct fan_port *fan, bool stale)
{
	room_frames_set_stale(fan->frames, stale);
	tell_all(fan, KIND_ANALYTICS);
}

void
fan_port_detach(struct fan_port *fan)
{
	rooms_detach(fan->interest, fan->config.forms);
	fan->config.forms = NULL;
}

void
fan_port_attach(struct fan_port *fan, struct forms *forms, bool stale)
{
	fan->config.forms = forms;
	if (rooms_attach(fan->interest, forms, clock_wall_ms()) < 0)
		die_system("a form that is watched cannot be read");
	room_frames_set_stale(fan->frames, stale);
	tell_all(fan, KIND_BOTH);
}

void
fan_port_metrics(struct fan_port *fan)
{
	tell_all(fan, KIND_METRICS);
}

void
fan_port_flush(struct fan_port *fan)
{
	serve_rooms(fan, SIZE_MAX);
	for (size_t i = 0; i < fan->count; i++) {
		if (link_is_up(fan->links[i].link))
			conn_flush(link_conn(fan->links[i].link));
	}
}

size_t
fan_port_consumers(const struct fan_port *fan)
{
	size_t up = 0;

	for (size_t i = 0; i < fan->count; i++)
		up += link_is_up(fan->links[i].link);
	return up;
}

void
fan_port_refresh(const struct fan_port *fan)
{
	counters[COUNTER_rooms] = interest_rooms(fan->interest);
	counters[COUNTER_viewers] = interest_total_viewers(fan->interest);
	counters[COUNTER_consumers] = fan_port_consumers(fan);
}
