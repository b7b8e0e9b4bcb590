/* SPDX-License-Identifier: MIT */
#include "statsd/handover.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/acceptor.h"
#include "lib/fdpass.h"
#include "lib/list.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "statsd/counters.h"

#define ACCEPT_BATCH 16
/* Sockets taken from one sender in one turn of the loop. */
#define TAKE_BATCH 32

struct handover {
	struct ev_loop *loop;
	struct door *door;
	struct acceptor *acceptor;
	struct list senders;
	size_t sender_count;
};

/* A wsfand that is connected. It stands on handover.senders to its end. */
struct sender {
	struct handover *handover;
	struct list node;
	ev_io io;
	int fd;
};

static struct log_limit bad_limit = LOG_LIMIT(5, 1000);

static void
sender_free(struct sender *sender)
{
	ev_io_stop(sender->handover->loop, &sender->io);
	fd_close(&sender->fd);
	list_remove(&sender->node);
	sender->handover->sender_count--;
	MEM_FREE(&sender);
}

static bool
stream_socket(int fd)
{
	int type = 0;
	socklen_t length = sizeof(type);
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

static void
take(struct handover *handover, int fd)
{
	if (!stream_socket(fd)) {
		counters[COUNTER_handed_over_bad]++;
		log_limited(&bad_limit, LOG_WARN, "what came over http.sock is no stream socket");
		fd_close(&fd);
		return;
	}
	counters[COUNTER_handed_over]++;
	door_take(handover->door, fd);
}

static void
sender_ready(struct ev_loop *loop UNUSED, ev_io *io, int events UNUSED)
{
	struct sender *sender = container_of(io, struct sender, io);
	for (int i = 0; i < TAKE_BATCH; i++) {
		int fd;
		int got = fdpass_receive(sender->fd, &fd);
		if (got == 1) {
			take(sender->handover, fd);
			continue;
		}
		if (got < 0 && errno == EBADMSG) {
			counters[COUNTER_handed_over_bad]++;
			log_limited(&bad_limit, LOG_WARN, "a byte on http.sock brought no socket");
			continue;
		}
		if (got == 0 || errno != EAGAIN)
			sender_free(sender);
		return;
	}
}

static void
sender_accepted(void *owner, int fd, const struct sock_address *address UNUSED)
{
	struct handover *handover = owner;
	if (handover->sender_count == HANDOVER_MAX_SENDERS) {
		log_limited(&bad_limit, LOG_WARN, "more than %d connections to http.sock, refused",
		    HANDOVER_MAX_SENDERS);
		fd_close(&fd);
		return;
	}
	struct sender *sender = mem_zalloc(sizeof(*sender));
	sender->handover = handover;
	sender->fd = fd;
	list_append(&handover->senders, &sender->node);
	handover->sender_count++;
	ev_io_init(&sender->io, sender_ready, fd, EV_READ);
	ev_io_start(handover->loop, &sender->io);
}

struct handover *
handover_new(struct ev_loop *loop, int listener, struct door *door)
{
	struct handover *handover = mem_zalloc(sizeof(*handover));
	handover->loop = loop;
	handover->door = door;
	list_init(&handover->senders);
	handover->acceptor = acceptor_new(loop, listener, ACCEPT_BATCH, sender_accepted, handover);
	return handover;
}

void
handover_free(struct handover **handover)
{
	if (!*handover)
		return;
	acceptor_free(&(*handover)->acceptor);
	LIST_FOR_EACH_SAFE (node, &(*handover)->senders)
		sender_free(container_of(node, struct sender, node));
	MEM_FREE(handover);
}
