/* SPDX-License-Identifier: MIT */
#include "analyticsd/publish.h"

#include "lib/mem.h"

struct publish {
	struct interest *interest;
	unsigned interval_ms;
	struct list ready, cooling;
	struct list owed[]; /* per link: room_link.owed_link */
};

struct publish *
publish_new(struct interest *interest, unsigned interval_ms)
{
	size_t links = interest_links(interest);
	struct publish *publish = mem_zalloc(sizeof(*publish) + links * sizeof(publish->owed[0]));

	publish->interest = interest;
	publish->interval_ms = interval_ms;
	list_init(&publish->ready);
	list_init(&publish->cooling);
	for (size_t i = 0; i < links; i++)
		list_init(&publish->owed[i]);
	return publish;
}

void
publish_free(struct publish **publish)
{
	MEM_FREE(publish);
}

static void
make_ready(struct publish *publish, struct room *room)
{
	if (list_empty(&room->ready_link))
		list_append(&publish->ready, &room->ready_link);
}

void
publish_tell(struct publish *publish, struct room *room, unsigned kinds)
{
	room->news |= kinds;
	make_ready(publish, room);
}

void
publish_changed(struct publish *publish, struct room *room)
{
	if (!list_empty(&room->cooling_link))
		room->late = true;
	else
		publish_tell(publish, room, KIND_ANALYTICS);
}

void
publish_snapshot(struct publish *publish, struct room *room, size_t link)
{
	room->links[link].wants |= KIND_BOTH;
	make_ready(publish, room);
}

/* Those whose interval is over: idle, or ready again. */
static void
end_cooling(struct publish *publish, uint64_t now_ms)
{
	while (!list_empty(&publish->cooling)) {
		struct room *room = LIST_FIRST(&publish->cooling, struct room, cooling_link);

		if (room->cool_ms > now_ms)
			return;
		list_remove(&room->cooling_link);
		if (room->late) {
			room->late = false;
			publish_tell(publish, room, KIND_ANALYTICS);
		}
	}
}

struct room *
publish_next(struct publish *publish, uint64_t now_ms, unsigned *news)
{
	end_cooling(publish, now_ms);
	if (list_empty(&publish->ready))
		return NULL;
	struct room *room = LIST_FIRST(&publish->ready, struct room, ready_link);
	list_remove(&room->ready_link);
	*news = room->news;
	room->news = 0;
	if ((*news & KIND_ANALYTICS) != 0) {
		room->late = false;
		room->cool_ms = now_ms + publish->interval_ms;
		list_remove(&room->cooling_link);
		list_append(&publish->cooling, &room->cooling_link);
	}
	return room;
}

unsigned
publish_wanted(struct room *room, size_t link)
{
	unsigned wants = room->links[link].wants;

	room->links[link].wants = 0;
	return wants;
}

int64_t
publish_wait(const struct publish *publish, uint64_t now_ms)
{
	if (!list_empty(&publish->ready))
		return 0;
	if (list_empty(&publish->cooling))
		return -1;
	const struct room *room = LIST_FIRST(&publish->cooling, struct room, cooling_link);
	return room->cool_ms > now_ms ? (int64_t)(room->cool_ms - now_ms) : 0;
}

void
publish_owe(struct publish *publish, struct room *room, size_t link, unsigned kinds)
{
	struct room_link *seen = &room->links[link];

	seen->owed |= kinds;
	if (list_empty(&seen->owed_link))
		list_append(&publish->owed[link], &seen->owed_link);
}

void
publish_paid(struct publish *publish UNUSED, struct room *room, size_t link, unsigned kinds)
{
	struct room_link *seen = &room->links[link];

	seen->owed &= ~kinds;
	if ((seen->owed & KIND_ANALYTICS) == 0)
		seen->owed_at_ms = 0;
	if (seen->owed == 0)
		list_remove(&seen->owed_link);
}

struct room *
publish_owed(struct publish *publish, size_t link)
{
	if (list_empty(&publish->owed[link]))
		return NULL;
	return LIST_FIRST(&publish->owed[link], struct room_link, owed_link)->room;
}
