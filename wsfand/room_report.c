/* SPDX-License-Identifier: MIT */
#include "wsfand/room_report.h"

#include "lib/buf.h"
#include "lib/json_write.h"

/* Rooms in one frame. */
#define ROOMS_PER_FRAME 256
#define FRAME_SIZE 16384

void
room_report_init(struct room_report *report)
{
	interest_init(&report->changes, 0, false);
}

void
room_report_free(struct room_report *report)
{
	interest_free(&report->changes);
}

void
room_report_changed(struct room_report *report, const struct form_id *id, uint32_t clients)
{
	interest_set(&report->changes, id, clients);
}

static void
add_room(void *owner, const struct form_id *id, uint32_t clients)
{
	struct room_report *report = owner;

	interest_set(&report->changes, id, clients);
}

void
room_report_anew(struct room_report *report, const struct rooms *rooms)
{
	interest_free(&report->changes);
	interest_init(&report->changes, 0, false);
	rooms_each(rooms, add_room, report);
}

static int
send_rooms(struct report *to, const struct interest_news *news, size_t count)
{
	struct buf buf;
	struct json_writer w;
	char id[FORM_ID_HEX + 1];
	int result;

	buf_init(&buf, FRAME_SIZE);
	json_write_begin(&w, &buf);
	json_object_begin(&w);
	json_key(&w, "type");
	json_put_string(&w, "report:rooms");
	json_key(&w, "rooms");
	json_object_begin(&w);
	for (size_t i = 0; i < count; i++) {
		form_id_format(&news[i].id, id);
		json_key(&w, id);
		json_put_u64(&w, news[i].viewers);
	}
	json_object_end(&w);
	json_object_end(&w);
	result = json_write_end(&w);
	if (result == 0)
		result = report_frame(to, buf_bytes(&buf), buf_length(&buf));
	buf_free(&buf);
	return result;
}

void
room_report_send(struct room_report *report, struct report *to)
{
	struct interest_news news[ROOMS_PER_FRAME];
	size_t count;
	int sent;

	do {
		count = 0;
		while (count < ROOMS_PER_FRAME && interest_next(&report->changes, 0, &news[count]))
			count++;
		sent = count > 0 ? send_rooms(to, news, count) : 0;
	} while (sent == 0 && count == ROOMS_PER_FRAME);
	for (size_t i = 0; sent < 0 && i < count; i++)
		interest_again(&report->changes, &news[i]);
}
