/* SPDX-License-Identifier: MIT */
#include "wsfand/session.h"

#include <sys/random.h>

#include "lib/die.h"
#include "lib/log.h"
#include "wsfand/bucket.h"
#include "wsfand/command.h"
#include "wsfand/compose.h"
#include "wsfand/counters.h"

/* Bad messages that are forgiven: 20 at once, and one more each half second. */
#define BAD_BURST 20
#define BAD_INTERVAL_MS 500

static uint32_t
now_ms(const struct session *session)
{
	return (uint32_t)(uint64_t)(ev_now(session->clients.loop) * 1000);
}

static void
tell(struct session *session, struct client *client, struct message *message)
{
	room_tell(session->rooms, client, message);
	message_unref(&message);
}

static void
tell_states(struct session *session, struct client *client)
{
	static const enum message_kind kinds[] = {MESSAGE_ANALYTICS, MESSAGE_METRICS};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct message *state = client->room ? room_state(client->room, kinds[i]) : NULL;

		if (state)
			tell(session, client, message_ref(state));
	}
}

static void
tell_problem(struct session *session, struct client *client, const char *problem)
{
	counters[COUNTER_messages_invalid]++;
	if (!bucket_take(&client->bad, BAD_BURST, BAD_INTERVAL_MS, now_ms(session))) {
		client_close(client, CLOSE_POLICY, true);
		return;
	}
	tell(session, client, compose_error(room_id(client->room), "INVALID_MESSAGE", problem));
}

static void
on_text(void *owner, struct client *client, const char *text, size_t length)
{
	struct session *session = owner;
	struct command command;

	command_parse(&command, text, length);
	switch (command.kind) {
	case COMMAND_PING:
		counters[COUNTER_messages_ping]++;
		tell(session, client, compose_pong(command.timestamp, command.timestamp_length));
		break;
	case COMMAND_GET:
		counters[COUNTER_messages_get]++;
		tell_states(session, client);
		break;
	case COMMAND_INVALID:
		tell_problem(session, client, command.problem);
		break;
	}
}

static void
on_left(void *owner, struct client *client)
{
	struct session *session = owner;

	room_leave(session->rooms, client);
}

void
session_init(struct session *session, struct ev_loop *loop, const struct client_settings *settings,
    struct rooms *rooms)
{
	static const struct client_events events = {.text = on_text, .left = on_left};

	session->rooms = rooms;
	clients_init(&session->clients, loop, settings, &events, session);
}

void
session_free(struct session *session)
{
	clients_free(&session->clients);
}

static void
make_id(uint8_t id[static CLIENT_ID_BYTES])
{
	if (getrandom(id, CLIENT_ID_BYTES, 0) != CLIENT_ID_BYTES)
		die_system("unable to get random bytes");
	/* RFC 9562, 5.4. */
	id[6] = (uint8_t)(0x40 | (id[6] & 0x0f));
	id[8] = (uint8_t)(0x80 | (id[8] & 0x3f));
}

void
session_start(struct session *session, int fd, const struct upgrade *upgrade, const uint8_t *early,
    size_t early_length)
{
	const struct form_id *form = &upgrade->form;
	struct client *client = client_new(&session->clients, fd, upgrade->deflate.window);

	counters[COUNTER_connects]++;
	counters[COUNTER_connects_deflate] += client->window > 0;
	make_id(client->id);
	bucket_init(&client->bad, BAD_BURST, now_ms(session));
	room_join(session->rooms, form, client);
	tell(session, client, compose_welcome(form, client->id, room_clients(client->room)));
	tell_states(session, client);
	if (early_length > 0)
		client_feed(client, early, early_length);
}

void
session_flush(struct session *session)
{
	/* Either may queue for the other: a client found lost changes its room. */
	while (rooms_pending(session->rooms) > 0 || !list_empty(&session->clients.dirty)) {
		clients_flush(&session->clients);
		rooms_flush(session->rooms);
	}
}
