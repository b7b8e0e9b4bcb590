/* SPDX-License-Identifier: MIT */
#include "wsfand/client_flush.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "lib/sock.h"
#include "wsfand/counters.h"

/* Messages that leave in one writev. */
#define GATHER 64

void
client_set_behind(struct client *client, bool behind)
{
	struct clients *clients = client->clients;

	if (client->behind == behind)
		return;
	client->behind = behind;
	if (client->state == CLIENT_OPEN)
		sock_set_send_buffer(
		    client->io.fd, behind ? clients->settings.behind_bytes : INT_MAX);
	counters[COUNTER_behind] += behind ? 1 : UINT64_MAX;
	ev_io_stop(clients->loop, &client->io);
	ev_io_set(&client->io, client->io.fd, behind ? EV_READ | EV_WRITE : EV_READ);
	ev_io_start(clients->loop, &client->io);
	if (behind && client->state == CLIENT_OPEN)
		deadline_set(&clients->stall, &client->stall);
	else
		deadline_lift(&client->stall);
}

static void
flushed(struct client *client)
{
	client_set_behind(client, false);
	list_remove(&client->dirty);
	if (client->queue.closed)
		client_close_sent(client);
}

/* Keeps the gauge of what waits while the queue changes. */
static void
account(const struct client *client, uint64_t before)
{
	counters[COUNTER_queued_bytes] += client->queue.bytes - before;
}

static void
took(struct client *client, size_t length)
{
	uint64_t before = client->queue.bytes;

	counters[COUNTER_messages_out] += outq_sent(&client->queue, length);
	counters[COUNTER_bytes_out] += length;
	account(client, before);
	/* Something could be written: the time starts anew. */
	if (client->behind && client->state == CLIENT_OPEN)
		deadline_set(&client->clients->stall, &client->stall);
}

void
client_flush(struct client *client)
{
	struct iovec vectors[GATHER];

	while (!outq_empty(&client->queue)) {
		struct msghdr header = {.msg_iov = vectors,
		    .msg_iovlen = outq_vectors(&client->queue, vectors, GATHER)};
		ssize_t sent = sendmsg(client->io.fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent > 0) {
			took(client, (size_t)sent);
		} else if (sent < 0 && errno == EAGAIN) {
			list_remove(&client->dirty);
			client_set_behind(client, true);
			client->unacknowledged = sock_unacknowledged(client->io.fd);
			return;
		} else if (sent < 0 && errno != EINTR) {
			client_drop(client, CLOSE_GONE);
			return;
		}
	}
	flushed(client);
}

static void
mark_dirty(struct client *client)
{
	if (!client->behind && list_empty(&client->dirty))
		list_append(&client->clients->dirty, &client->dirty);
}

/* OUTQ_OVER only when the kernel takes no more either. */
static enum outq_result
push(struct client *client, struct message *message)
{
	const struct outq_limits *limits = &client->clients->settings.limits;
	uint64_t before = client->queue.bytes;
	enum outq_result result = outq_push(&client->queue, message, limits);

	account(client, before);
	if (result != OUTQ_OVER || client->behind)
		return result;
	client_flush(client);
	if (client->state != CLIENT_OPEN)
		return OUTQ_CLOSED;
	before = client->queue.bytes;
	result = outq_push(&client->queue, message, limits);
	account(client, before);
	return result;
}

void
client_queue(struct client *client, struct message *message)
{
	if (client->state != CLIENT_OPEN)
		return;
	message = message_form(message, client->window);
	switch (push(client, message)) {
	case OUTQ_REPLACED:
		counters[COUNTER_conflated] += message_is_state(message->kind);
		break;
	case OUTQ_QUEUED:
		mark_dirty(client);
		break;
	case OUTQ_OVER:
		counters[COUNTER_dropped]++;
		client_close(client, CLOSE_SLOW, false);
		break;
	case OUTQ_CLOSED:
		break;
	}
}

/* Queues what of the batch the kernel has not taken: all behind the first `sent` bytes. */
static void
queue_rest(struct client *client, const struct batch *batch, size_t sent)
{
	size_t i = 0;

	while (i < batch->count && sent >= batch->messages[i]->length) {
		sent -= batch->messages[i++]->length;
		counters[COUNTER_messages_out]++;
	}
	for (size_t first = i; i < batch->count && client->state == CLIENT_OPEN; i++) {
		client_queue(client, batch->messages[i]);
		if (i == first && sent > 0) {
			uint64_t before = client->queue.bytes;

			outq_sent(&client->queue, sent);
			account(client, before);
		}
	}
}

static ssize_t
send_batch(const struct client *client, const struct batch *batch)
{
	struct iovec vectors[GATHER];
	struct msghdr header = {.msg_iov = vectors};

	if (batch->joined)
		return send(
		    client->io.fd, batch->joined, batch->length, MSG_DONTWAIT | MSG_NOSIGNAL);
	header.msg_iovlen = MIN(batch->count, (size_t)GATHER);
	for (size_t i = 0; i < header.msg_iovlen; i++) {
		vectors[i].iov_base = batch->messages[i]->bytes;
		vectors[i].iov_len = batch->messages[i]->length;
	}
	return sendmsg(client->io.fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
client_send(struct client *client, struct batches *batches)
{
	const struct batch *batch;
	ssize_t sent = 0;

	if (client->state != CLIENT_OPEN)
		return;
	batch = batches_get(batches, client->window);
	if (outq_empty(&client->queue)) {
		sent = send_batch(client, batch);
		if (sent < 0 && errno != EAGAIN && errno != EINTR) {
			client_drop(client, CLOSE_GONE);
			return;
		}
		sent = MAX(sent, 0);
		counters[COUNTER_bytes_out] += (uint64_t)sent;
		if ((size_t)sent == batch->length) {
			counters[COUNTER_messages_out] += batch->count;
			return;
		}
	}
	queue_rest(client, batch, (size_t)sent);
	/* Tries again at once: only EAGAIN tells that it is behind. */
	if (client->state == CLIENT_OPEN && !client->behind)
		client_flush(client);
}

void
client_greet(struct client *client, const char *answer, size_t length, struct message *welcome)
{
	struct message *form = message_form(welcome, client->window);
	const struct batch batch = {.messages = &form, .count = 1, .length = form->length};
	struct iovec vectors[] = {
	    {.iov_base = (char *)answer, .iov_len = length},
	    {.iov_base = form->bytes, .iov_len = form->length},
	};
	struct msghdr header = {.msg_iov = vectors, .msg_iovlen = ARRAY_SIZE(vectors)};
	ssize_t sent = sendmsg(client->io.fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < (ssize_t)length) {
		client_drop(client, CLOSE_GONE);
		return;
	}
	counters[COUNTER_bytes_out] += (uint64_t)sent - length;
	queue_rest(client, &batch, (size_t)sent - length);
}

void
clients_flush(struct clients *clients)
{
	while (!list_empty(&clients->dirty)) {
		struct client *client = LIST_FIRST(&clients->dirty, struct client, dirty);

		list_remove(&client->dirty);
		client_flush(client);
	}
}
