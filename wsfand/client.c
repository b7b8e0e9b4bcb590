/* SPDX-License-Identifier: MIT */
#include "wsfand/client.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/sock.h"
#include "wsfand/client_flush.h"
#include "wsfand/counters.h"
#include "wsfand/wire.h"

/* How long a client may take to answer our Close, and to end its stream after that. */
#define CLOSING_TIME 5.0
#define ENDING_TIME 1.0

static void
client_reap(struct reap *reap)
{
	struct client *client = container_of(reap, struct client, reap);

	outq_free(&client->queue);
	wire_free(&client->wire);
	MEM_FREE(&client);
}

/* The one place where the state changes; see the table in the header. */
void
client_set_state(struct client *client, enum client_state state)
{
	struct clients *clients = client->clients;

	clients->open -= client->state == CLIENT_OPEN;
	clients->ended -= client->state == CLIENT_CLOSING || client->state == CLIENT_ENDING;
	clients->open += state == CLIENT_OPEN;
	clients->ended += state == CLIENT_CLOSING || state == CLIENT_ENDING;
	client->state = (uint8_t)state;
	deadline_lift(&client->quiet);
	deadline_lift(&client->stall);
	if (state == CLIENT_OPEN)
		deadline_set(&clients->idle, &client->quiet);
	else if (state == CLIENT_CLOSING)
		deadline_set(&clients->closing, &client->quiet);
	else if (state == CLIENT_ENDING)
		deadline_set(&clients->ending, &client->quiet);
}

static void
leave(struct client *client, enum close_reason reason)
{
	client->reason = (uint8_t)reason;
	close_reason_count(reason);
	log_debug("client %02x%02x%02x%02x: %s", client->id[0], client->id[1], client->id[2],
	    client->id[3], close_reason_text(reason));
	client->clients->events->left(client->clients->owner, client);
}

void
client_drop(struct client *client, enum close_reason reason)
{
	struct clients *clients = client->clients;
	int fd = client->io.fd;
	bool open = client->state == CLIENT_OPEN;

	if (client->state == CLIENT_DEAD)
		return;
	client_set_state(client, CLIENT_DEAD);
	client_set_behind(client, false);
	list_remove(&client->dirty);
	ev_io_stop(clients->loop, &client->io);
	fd_close(&fd);
	if (open)
		leave(client, reason);
	counters[COUNTER_dropped] += client->queue.count;
	counters[COUNTER_queued_bytes] -= client->queue.bytes;
	reaper_add(clients->loop, &client->reap, client_reap);
}

bool
client_is_deaf(const struct client *client)
{
	switch ((enum close_reason)client->reason) {
	case CLOSE_PROTOCOL:
	case CLOSE_BINARY:
	case CLOSE_UTF8:
	case CLOSE_DEFLATE:
	case CLOSE_TOO_LONG:
		return true;
	default:
		return false;
	}
}

void
client_close_sent(struct client *client)
{
	if (client->state != CLIENT_CLOSING || !(client->peer_closed || client_is_deaf(client)))
		return;
	/* Not close(2): bytes that come afterwards would make it an RST, and that can
	 * overtake our Close. */
	shutdown(client->io.fd, SHUT_WR);
	client_set_state(client, CLIENT_ENDING);
}

static struct message *
close_message(struct clients *clients, enum close_reason reason)
{
	struct message **message = &clients->closes[reason];

	if (!*message)
		*message = message_new_close(close_reason_code(reason), close_reason_text(reason));
	return *message;
}

/* Lets the kernel hold all that is left, so that a client who reads again later,
 * even after we have gone, still finds the rest of the message and the Close. */
static void
make_room(struct client *client)
{
	int none = 0;

	sock_set_send_buffer(client->io.fd, INT_MAX);
	setsockopt(client->io.fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &none, sizeof(none));
}

static void
start_closing(struct client *client, enum close_reason reason, struct message *close, bool keep)
{
	uint64_t before = client->queue.bytes;

	client_set_state(client, CLIENT_CLOSING);
	counters[COUNTER_dropped] += outq_push_close(&client->queue, close, keep);
	counters[COUNTER_queued_bytes] += client->queue.bytes - before;
	leave(client, reason);
	if (reason == CLOSE_SLOW || reason == CLOSE_STALLED)
		make_room(client);
	client_flush(client);
}

void
client_close(struct client *client, enum close_reason reason, bool keep)
{
	if (client->state != CLIENT_OPEN)
		return;
	if (close_reason_code(reason) == 0)
		client_drop(client, reason);
	else
		start_closing(client, reason, close_message(client->clients, reason), keep);
}

static bool
on_text(void *owner, const char *text, size_t length)
{
	struct client *client = owner;

	if (client->state == CLIENT_OPEN)
		client->clients->events->text(client->clients->owner, client, text, length);
	return client->state <= CLIENT_CLOSING;
}

static bool
on_ping(void *owner, const uint8_t *payload, size_t length)
{
	struct client *client = owner;
	struct message *pong;

	counters[COUNTER_pings_in]++;
	if (client->state == CLIENT_OPEN) {
		pong = message_new(MESSAGE_PONG, payload, length);
		client_queue(client, pong);
		message_unref(&pong);
	}
	return client->state <= CLIENT_CLOSING;
}

static bool
on_pong(void *owner)
{
	const struct client *client = owner;

	return client->state <= CLIENT_CLOSING;
}

/* What the peer was answered before its last words leaves ahead of the Close, if the kernel
 * takes it now; for a peer that is behind it is too late. */
static bool
keeps_up(const struct client *client)
{
	return !client->behind;
}

/* RFC 6455, 5.5.1: answer with a Close of the same code, if none was sent. */
static void
on_close(void *owner, uint16_t code)
{
	struct client *client = owner;
	struct message *echo;

	client->peer_closed = true;
	if (client->state == CLIENT_CLOSING && outq_empty(&client->queue)) {
		client_close_sent(client);
	} else if (client->state == CLIENT_OPEN) {
		echo = message_new_close(code, "");
		start_closing(client, CLOSE_CLIENT, echo, keeps_up(client));
		message_unref(&echo);
	}
}

void
client_feed(struct client *client, const uint8_t *data, size_t length)
{
	static const struct wire_events events = {
	    .text = on_text, .ping = on_ping, .pong = on_pong, .close = on_close};
	const struct wire_terms terms = {
	    .max_message = client->clients->settings.max_message, .deflate = client->window > 0};
	enum close_reason reason;

	counters[COUNTER_bytes_in] += length;
	if (client->state == CLIENT_ENDING || client->peer_closed || client_is_deaf(client))
		return;
	if (client->state == CLIENT_OPEN) {
		client->pinged = false;
		deadline_set(&client->clients->idle, &client->quiet);
	}
	reason = wire_feed(&client->wire, &terms, data, length, &events, client);
	if (reason == CLOSE_NONE)
		return;
	if (client->state == CLIENT_CLOSING) {
		/* It breaks the rules instead of answering our Close. */
		client->peer_closed = true;
		if (outq_empty(&client->queue))
			client_close_sent(client);
	}
	client_close(client, reason, keeps_up(client));
}

static void
on_readable(struct client *client)
{
	struct clients *clients = client->clients;
	ssize_t got = recv(
	    client->io.fd, clients->read_buffer, clients->settings.read_bytes, MSG_DONTWAIT);

	if (got > 0)
		client_feed(client, clients->read_buffer, (size_t)got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		client_drop(client, CLOSE_GONE);
}

static void
on_event(struct ev_loop *loop UNUSED, ev_io *io, int events)
{
	struct client *client = container_of(io, struct client, io);

	if (events & EV_WRITE)
		client_flush(client);
	if (events & EV_READ && client->state != CLIENT_DEAD)
		on_readable(client);
}

static void
idle_expired(struct deadlines *deadlines, struct deadline *deadline)
{
	struct client *client = container_of(deadline, struct client, quiet);
	struct clients *clients = container_of(deadlines, struct clients, idle);

	client->pinged = true;
	counters[COUNTER_pings_out]++;
	deadline_set(&clients->pong, &client->quiet);
	client_queue(client, clients->ping);
}

static void
pong_expired(struct deadlines *deadlines UNUSED, struct deadline *deadline)
{
	client_drop(container_of(deadline, struct client, quiet), CLOSE_SILENT);
}

static void
stall_expired(struct deadlines *deadlines UNUSED, struct deadline *deadline)
{
	struct client *client = container_of(deadline, struct client, stall);
	uint32_t unacknowledged = sock_unacknowledged(client->io.fd);

	/* On a slow line the kernel's buffer empties long before there is room in it. */
	if (unacknowledged < client->unacknowledged) {
		client->unacknowledged = unacknowledged;
		deadline_set(&client->clients->stall, &client->stall);
	} else {
		client_close(client, CLOSE_STALLED, false);
	}
}

static void
closing_expired(struct deadlines *deadlines UNUSED, struct deadline *deadline)
{
	client_drop(container_of(deadline, struct client, quiet), CLOSE_GONE);
}

struct client *
client_new(struct clients *clients, int fd, uint8_t window)
{
	struct client *client = mem_zalloc(sizeof(*client));

	client->clients = clients;
	client->window = window;
	outq_init(&client->queue);
	list_init(&client->dirty);
	deadline_init(&client->quiet);
	deadline_init(&client->stall);
	ev_io_init(&client->io, on_event, fd, EV_READ);
	ev_io_start(clients->loop, &client->io);
	client->state = CLIENT_DEAD;
	client_set_state(client, CLIENT_OPEN);
	return client;
}

/* Of silence: DUNE_PONG_TIMEOUT_MS in all, or, where that is no longer than the
 * ping interval, so long after the ping. */
static double
pong_wait(const struct client_settings *settings)
{
	double left = settings->pong_timeout - settings->ping_interval;

	return left > 0 ? left : settings->pong_timeout;
}

void
clients_init(struct clients *clients, struct ev_loop *loop, const struct client_settings *settings,
    const struct client_events *events, void *owner)
{
	memset(clients, 0, sizeof(*clients));
	clients->loop = loop;
	clients->settings = *settings;
	clients->events = events;
	clients->owner = owner;
	list_init(&clients->dirty);
	deadlines_init(&clients->idle, loop, settings->ping_interval, idle_expired);
	deadlines_init(&clients->pong, loop, pong_wait(settings), pong_expired);
	deadlines_init(&clients->stall, loop, settings->write_timeout, stall_expired);
	deadlines_init(
	    &clients->closing, loop, MIN(CLOSING_TIME, settings->write_timeout), closing_expired);
	deadlines_init(&clients->ending, loop, ENDING_TIME, closing_expired);
	clients->read_buffer = mem_alloc(settings->read_bytes);
	clients->ping = message_new(MESSAGE_PING, NULL, 0);
}

void
clients_free(struct clients *clients)
{
	deadlines_stop(&clients->idle);
	deadlines_stop(&clients->pong);
	deadlines_stop(&clients->stall);
	deadlines_stop(&clients->closing);
	deadlines_stop(&clients->ending);
	MEM_FREE(&clients->read_buffer);
	message_unref(&clients->ping);
	for (size_t i = 0; i < ARRAY_SIZE(clients->closes); i++)
		message_unref(&clients->closes[i]);
}
