/* SPDX-License-Identifier: MIT */
#include "wsfand/room_estate.h"

#include <string.h>

#include "wsfand/room_parts.h"

static void
room_save(const struct rooms *rooms, const struct room *room, struct saver *saver)
{
	numbering_add(&saver->rooms, room);
	saver_put(saver,
	    &(struct estate_record){
		.kind = ESTATE_room,
		.room =
		    {
			.form = {room->id.bytes, FORM_ID_BYTES},
			.told = room->told,
			.status_us = deadline_left_us(&rooms->status, &room->status),
			.analytics = saver_message(saver, room->kept[KEPT_ANALYTICS]),
			.metrics = saver_message(saver, room->kept[KEPT_METRICS]),
			.others = room->others,
			.others_by = room->others_by,
		    },
	    });
}

void
rooms_save(const struct rooms *rooms, struct saver *saver)
{
	for (const struct room *room = rooms->table; room; room = room->hh.next)
		room_save(rooms, room, saver);
}

static struct message *
state_of(const struct heir *heir, uint64_t number)
{
	struct message *message = heir_message(heir, number);

	return message ? message_ref(message) : NULL;
}

void
room_adopt(struct rooms *rooms, struct heir *heir, const struct estate_room *record)
{
	struct form_id id;
	struct room *room;

	memcpy(id.bytes, record->form.data, FORM_ID_BYTES);
	room = room_make(rooms, &id);
	room->told = (uint32_t)record->told;
	room->others = (uint32_t)record->others;
	room->others_by = (uint32_t)record->others_by;
	deadline_put(&rooms->status, &room->status, record->status_us);
	room->kept[KEPT_ANALYTICS] = state_of(heir, record->analytics);
	room->kept[KEPT_METRICS] = state_of(heir, record->metrics);
	heir_take_room(heir, room);
}

void
room_adopt_client(struct room *room, struct client *client)
{
	room_seat(room, client);
}

void
rooms_settle(struct rooms *rooms)
{
	deadlines_settle(&rooms->status);
}
