/* SPDX-License-Identifier: MIT */
#include "wsfand/session.h"

#include <sys/random.h>

#include "lib/clock.h"
#include "lib/die.h"
#include "lib/log.h"
#include "wsfand/bucket.h"
#include "wsfand/command.h"
#include "wsfand/compose.h"
#include "wsfand/counters.h"

/* Messages that come too fast, and bad ones, that are forgiven: 20 at once, and one more
 * each half second. */
#define BAD_BURST 20
#define BAD_INTERVAL_MS 500
/* For the timer of tokens' ends, in seconds. */
#define SHORTEST_WAIT 0.001
#define LONGEST_WAIT 60.0

uint32_t
session_now_ms(const struct session *session)
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

/* What it sent is not done, and it is told why; who goes on is closed. */
static void
tell_problem(struct session *session, struct client *client, const char *code, const char *problem)
{
	if (!bucket_take(&client->bad, BAD_BURST, BAD_INTERVAL_MS, session_now_ms(session))) {
		client_close(client, CLOSE_POLICY, true);
		return;
	}
	tell(session, client, compose_error(room_id(client->room), code, problem));
}

/* It looks at the wall clock at least once in LONGEST_WAIT, since that clock may be set. */
void
session_await_expiry(struct session *session)
{
	struct ev_loop *loop = session->clients.loop;
	int64_t due = expiries_next(&session->expiries);
	double wait;

	if (due == session->expiry_due)
		return;
	session->expiry_due = due;
	ev_timer_stop(loop, &session->expiry);
	if (due == INT64_MAX)
		return;
	wait = (double)(due - clock_wall_ms()) / 1000;
	ev_timer_set(&session->expiry, MIN(MAX(wait, SHORTEST_WAIT), LONGEST_WAIT), 0);
	ev_timer_start(loop, &session->expiry);
}

static void
on_expiry(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	struct session *session = container_of(timer, struct session, expiry);
	int64_t now = clock_wall_ms();
	struct expiry *expiry;

	while ((expiry = expiries_take(&session->expiries, now))) {
		struct client *client = container_of(expiry, struct client, expiry);

		tell(session, client,
		    compose_error(room_id(client->room), "TOKEN_EXPIRED", "token expired"));
		client_close(client, CLOSE_EXPIRED, true);
	}
	session->expiry_due = INT64_MAX;
	session_await_expiry(session);
}

/* When it is accepted nothing is answered, as nothing changes. */
static void
renew(struct session *session, struct client *client, const struct command *command)
{
	int64_t expires_ms;
	enum jwt_verdict verdict = admit_renew(session->admit, command->token,
	    command->token_length, room_id(client->room), &expires_ms);

	counters[COUNTER_messages_auth]++;
	if (verdict != JWT_OK) {
		tell_problem(session, client, "UNAUTHORIZED", jwt_verdict_text(verdict));
	} else if (expires_ms > 0) {
		expiries_set(&session->expiries, &client->expiry, expires_ms);
		session_await_expiry(session);
	}
}

static bool
may_speak(const struct session *session, struct client *client)
{
	return session->message_interval_ms == 0 ||
	    bucket_take(&client->said, session->message_burst, session->message_interval_ms,
		session_now_ms(session));
}

static void
on_text(void *owner, struct client *client, const char *text, size_t length)
{
	struct session *session = owner;
	struct command command;

	if (!may_speak(session, client)) {
		counters[COUNTER_messages_limited]++;
		tell_problem(session, client, "RATE_LIMITED", "too many messages");
		return;
	}
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
	case COMMAND_AUTH:
		renew(session, client, &command);
		break;
	case COMMAND_INVALID:
		counters[COUNTER_messages_invalid]++;
		tell_problem(session, client, "INVALID_MESSAGE", command.problem);
		break;
	}
}

static void
on_left(void *owner, struct client *client)
{
	struct session *session = owner;

	room_leave(session->rooms, client);
	expiries_lift(&session->expiries, &client->expiry);
	admit_leave(session->admit, client->network);
}

void
session_init(struct session *session, struct ev_loop *loop, const struct client_settings *settings,
    struct rooms *rooms, const struct admit *admit, uint32_t message_rate, uint16_t message_burst)
{
	static const struct client_events events = {.text = on_text, .left = on_left};

	session->rooms = rooms;
	session->admit = admit;
	session->message_interval_ms = message_rate > 0 ? 1000 / message_rate : 0;
	session->message_burst = message_burst;
	session->expiries = (struct expiries){.count = 0};
	session->expiry_due = INT64_MAX;
	ev_timer_init(&session->expiry, on_expiry, 0, 0);
	clients_init(&session->clients, loop, settings, &events, session);
}

void
session_free(struct session *session)
{
	ev_timer_stop(session->clients.loop, &session->expiry);
	expiries_free(&session->expiries);
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

static void
log_arrival(const struct client *client, const struct upgrade *upgrade)
{
	char address[ADDRESS_TEXT];

	if (log_enabled(LOG_DEBUG))
		log_debug("client %02x%02x%02x%02x: from %s", client->id[0], client->id[1],
		    client->id[2], client->id[3], address_format(&upgrade->client, address));
}

void
session_start(struct session *session, const struct arrival *arrival)
{
	const struct upgrade *upgrade = arrival->upgrade;
	struct client *client = client_new(&session->clients, arrival->fd, upgrade->deflate.window);
	struct message *welcome;

	make_id(client->id);
	client->network = upgrade->network;
	log_arrival(client, upgrade);
	if (upgrade->expires_ms > 0) {
		expiries_set(&session->expiries, &client->expiry, upgrade->expires_ms);
		session_await_expiry(session);
	}
	bucket_init(&client->said, session->message_burst, session_now_ms(session));
	bucket_init(&client->bad, BAD_BURST, session_now_ms(session));
	room_join(session->rooms, &upgrade->form, client);
	welcome = compose_welcome(&upgrade->form, client->id, room_connections(client->room));
	client_greet(client, arrival->answer, arrival->answer_length, welcome);
	message_unref(&welcome);
	if (client->state != CLIENT_OPEN) {
		counters[COUNTER_handshake_lost]++;
		return;
	}
	counters[COUNTER_connects]++;
	counters[COUNTER_connects_deflate] += client->window > 0;
	tell_states(session, client);
	if (arrival->early_length > 0)
		client_feed(client, arrival->early, arrival->early_length);
}

static bool
nothing_to_flush(const struct session *session)
{
	return rooms_pending(session->rooms) == 0 && list_empty(&session->clients.dirty);
}

bool
session_turn(struct session *session)
{
	uint64_t start;
	bool left;

	if (nothing_to_flush(session))
		return false;
	start = clock_monotonic_ns();
	/* Either may queue for the other: a client found lost changes its room. */
	do {
		clients_flush(&session->clients);
		left = rooms_slice(session->rooms);
	} while (!list_empty(&session->clients.dirty));
	histogram_observe(&histogram_flush, (int64_t)(clock_monotonic_ns() - start) / 1000);
	return left;
}

void
session_flush(struct session *session)
{
	while (!nothing_to_flush(session)) {
		clients_flush(&session->clients);
		rooms_flush(session->rooms);
	}
}
