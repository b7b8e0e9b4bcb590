/* SPDX-License-Identifier: MIT */
#include "analyticsd/room_frames.h"

#include "analyticsd/counters.h"
#include "analyticsd/forms_recount.h"
#include "analyticsd/snapshot.h"
#include "lib/clock.h"
#include "lib/frame.h"
#include "lib/log.h"
#include "lib/mem.h"

struct made_frame {
	struct buf buf;
	bool made;
};

struct room_frames {
	const struct zone *zone;
	const struct room *room;
	int64_t at_ms;
	struct form *nothing; /* in the place of the form that the room does not have, or NULL */
	bool stale;
	struct made_frame update, metrics;
};

struct room_frames *
room_frames_new(const struct zone *zone, size_t max_frame_bytes)
{
	struct room_frames *frames = mem_zalloc(sizeof(*frames));

	frames->zone = zone;
	buf_init(&frames->update.buf, max_frame_bytes);
	buf_init(&frames->metrics.buf, max_frame_bytes);
	return frames;
}

void
room_frames_free(struct room_frames **frames)
{
	if ((*frames)->nothing != NULL)
		form_free(&(*frames)->nothing);
	buf_free(&(*frames)->update.buf);
	buf_free(&(*frames)->metrics.buf);
	MEM_FREE(frames);
}

void
room_frames_set_stale(struct room_frames *frames, bool stale)
{
	frames->stale = stale;
}

static const struct form *
form_at_hand(const struct room_frames *frames)
{
	return frames->room->hot != NULL ? forms_shown(frames->room->hot) : frames->nothing;
}

static bool
is_stale(const struct room_frames *frames)
{
	const struct hot_form *hot = frames->room->hot;

	return frames->stale || (hot != NULL && hot->recount != NULL);
}

void
room_frames_begin(struct room_frames *frames, const struct room *room, int64_t at_ms)
{
	frames->room = room;
	frames->at_ms = at_ms;
	if (frames->nothing != NULL)
		form_free(&frames->nothing);
	if (room->hot == NULL) {
		frames->nothing = form_new(&room->id);
		form_touch(frames->nothing, clock_wall_ms());
	}
	frames->update.made = frames->metrics.made = false;
}

static struct metrics
count_metrics(const struct room_frames *frames)
{
	const struct room *room = frames->room;

	return snapshot_count(form_at_hand(frames), frames->zone, clock_wall_ms(), room->viewers);
}

static int
make(const struct room_frames *frames, unsigned kind, struct buf *out)
{
	if (kind == KIND_ANALYTICS)
		return snapshot_analytics(
		    form_at_hand(frames), is_stale(frames), frames->at_ms, out);
	struct metrics metrics = count_metrics(frames);
	return snapshot_metrics(&frames->room->id, &metrics, out);
}

static void
too_long(const struct room_frames *frames, size_t max)
{
	static struct log_limit limit = LOG_LIMIT(3, 10000);
	char id[FORM_ID_HEX + 1];

	form_id_format(&frames->room->id, id);
	counters[COUNTER_frames_too_long]++;
	log_limited(&limit, LOG_ERROR,
	    "a frame of form %s is over DUNE_MAX_FRAME_BYTES (%zu), not sent", id, max);
}

const struct buf *
room_frames_get(struct room_frames *frames, unsigned kind)
{
	struct made_frame *frame = kind == KIND_ANALYTICS ? &frames->update : &frames->metrics;

	if (frame->made)
		return &frame->buf;
	frame->made = true;
	buf_clear(&frame->buf);
	if (make(frames, kind, &frame->buf) < 0)
		too_long(frames, frame->buf.max);
	else
		counters[COUNTER_frames_serialised]++;
	return &frame->buf;
}

void
room_frames_sent(const struct room_frames *frames, unsigned kind)
{
	bool update = kind == KIND_ANALYTICS;
	const struct buf *frame = update ? &frames->update.buf : &frames->metrics.buf;

	counters[update ? COUNTER_updates : COUNTER_metrics]++;
	counters[COUNTER_frame_bytes] += FRAME_HEADER + buf_length(frame);
	if (update && frames->at_ms > 0)
		histogram_observe(&histogram_published, (clock_wall_ms() - frames->at_ms) * 1000);
}

/* responsesToday moves together with totalResponses. */
unsigned
room_frames_add_metrics(const struct room_frames *frames, struct room *room, unsigned news)
{
	if (news == 0)
		return 0;
	struct metrics now = count_metrics(frames);
	if (now.today != room->told.today || now.this_hour != room->told.this_hour ||
	    now.last_submission != room->told.last_submission)
		news |= KIND_METRICS;
	if ((news & KIND_METRICS) != 0)
		room->told = now;
	return news;
}
