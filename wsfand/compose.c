/* SPDX-License-Identifier: MIT */
#include "wsfand/compose.h"

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/die.h"
#include "lib/json_write.h"

/* More than the longest message from a client, whose parts a pong repeats. */
#define COMPOSE_MAX (17U << 20)

/* One for all, since nothing here is nested. */
static struct buf scratch = {.max = COMPOSE_MAX};

static void
begin(struct json_writer *w, const char *type)
{
	buf_clear(&scratch);
	json_write_begin(w, &scratch);
	json_object_begin(w);
	json_key(w, "type");
	json_put_string(w, type);
}

static void
begin_data(struct json_writer *w, const char *type, const struct form_id *form)
{
	char text[FORM_ID_HEX + 1];

	form_id_format(form, text);
	begin(w, type);
	json_key(w, "formId");
	json_put_string(w, text);
	json_key(w, "data");
	json_object_begin(w);
}

static struct message *
end(struct json_writer *w, enum message_kind kind)
{
	json_object_end(w);
	if (json_write_end(w) < 0)
		die_system("unable to compose a message");
	return message_new(kind, buf_bytes(&scratch), buf_length(&scratch));
}

void
compose_id(const uint8_t id[static 16], char out[static COMPOSE_ID_TEXT])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = digits[id[i] >> 4];
		*out++ = digits[id[i] & 15];
	}
	*out = '\0';
}

struct message *
compose_welcome(const struct form_id *form, const uint8_t id[static 16], uint32_t clients)
{
	struct json_writer w;
	char text[COMPOSE_ID_TEXT];

	compose_id(id, text);
	begin_data(&w, "connection:status", form);
	json_key(&w, "status");
	json_put_string(&w, "connected");
	json_key(&w, "clientId");
	json_put_string(&w, text);
	json_key(&w, "activeConnections");
	json_put_u64(&w, clients);
	json_key(&w, "connectedAt");
	json_put_time(&w, clock_wall_ms());
	json_object_end(&w);
	return end(&w, MESSAGE_EVENT);
}

struct message *
compose_room_status(const struct form_id *form, uint32_t clients)
{
	struct json_writer w;

	begin_data(&w, "connection:status", form);
	json_key(&w, "status");
	json_put_string(&w, "connected");
	json_key(&w, "activeConnections");
	json_put_u64(&w, clients);
	json_object_end(&w);
	return end(&w, MESSAGE_STATUS);
}

struct message *
compose_pong(const char *timestamp, size_t length)
{
	struct json_writer w;

	begin(&w, "pong");
	if (timestamp) {
		json_key(&w, "timestamp");
		json_put_raw(&w, timestamp, length);
	}
	return end(&w, MESSAGE_EVENT);
}

struct message *
compose_error(const struct form_id *form, const char *code, const char *text)
{
	struct json_writer w;

	begin_data(&w, "error", form);
	json_key(&w, "code");
	json_put_string(&w, code);
	json_key(&w, "message");
	json_put_string(&w, text);
	json_key(&w, "timestamp");
	json_put_time(&w, clock_wall_ms());
	json_object_end(&w);
	return end(&w, MESSAGE_EVENT);
}
