/* SPDX-License-Identifier: MIT */
#include "lib/acceptor.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/reaper.h"

/* How long to rest when there is no descriptor left, in seconds. */
#define REST 0.1

struct acceptor {
	struct ev_loop *loop;
	ev_io io;
	ev_timer rest;
	int fd;
	int batch;
	bool paused;
	bool closed;
	unsigned long exhausted;
	acceptor_event *event;
	acceptor_room *make_room; /* or NULL */
	void *owner;
	struct reap reap;
};

/* The one place that decides whether the listener is watched. */
static void
watch_listener(struct acceptor *acceptor)
{
	if (!acceptor->closed && !acceptor->paused && !ev_is_active(&acceptor->rest))
		ev_io_start(acceptor->loop, &acceptor->io);
	else
		ev_io_stop(acceptor->loop, &acceptor->io);
}

static bool
is_exhaustion(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void
take_rest(struct acceptor *acceptor, int error)
{
	static struct log_limit limit = LOG_LIMIT(1, 10000);

	acceptor->exhausted++;
	log_limited(&limit, LOG_ERROR, "unable to accept a connection: %s", strerror(error));
	ev_timer_set(&acceptor->rest, REST, 0);
	ev_timer_start(acceptor->loop, &acceptor->rest);
	watch_listener(acceptor);
}

/* The kernel finds that there is no descriptor before it looks whether one is needed. */
static bool
somebody_waits(const struct acceptor *acceptor)
{
	struct pollfd listener = {.fd = acceptor->fd, .events = POLLIN};

	return poll(&listener, 1, 0) > 0 && (listener.revents & POLLIN) != 0;
}

/* True when a descriptor was freed. */
static bool
exhausted(struct acceptor *acceptor, int error)
{
	bool files = error == EMFILE || error == ENFILE;

	if (files && !somebody_waits(acceptor))
		return false;
	if (files && acceptor->make_room && acceptor->make_room(acceptor->owner))
		return true;
	take_rest(acceptor, error);
	return false;
}

/* False when this turn is over. */
static bool
accept_one(struct acceptor *acceptor)
{
	struct sock_address peer = {.length = sizeof(peer.storage)};
	int fd = accept4(acceptor->fd, (struct sockaddr *)&peer.storage, &peer.length,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		acceptor->event(acceptor->owner, fd, &peer);
		return !acceptor->closed && !acceptor->paused;
	}
	if (is_exhaustion(errno))
		return exhausted(acceptor, errno);
	/* accept(2): errors of the new connection itself are to be passed over. */
	return errno != EAGAIN && errno != EINVAL && errno != EBADF;
}

static void
on_readable(struct ev_loop *loop UNUSED, ev_io *io, int events UNUSED)
{
	struct acceptor *acceptor = container_of(io, struct acceptor, io);

	for (int i = 0; i < acceptor->batch; i++) {
		if (!accept_one(acceptor))
			return;
	}
}

void
acceptor_take_all(struct acceptor *acceptor)
{
	while (accept_one(acceptor))
		;
}

static void
on_rested(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	watch_listener(container_of(timer, struct acceptor, rest));
}

struct acceptor *
acceptor_new(struct ev_loop *loop, int listener, int batch, acceptor_event *event, void *owner)
{
	struct acceptor *acceptor = mem_zalloc(sizeof(*acceptor));

	acceptor->loop = loop;
	acceptor->fd = listener;
	acceptor->batch = batch;
	acceptor->event = event;
	acceptor->owner = owner;
	ev_io_init(&acceptor->io, on_readable, listener, EV_READ);
	ev_timer_init(&acceptor->rest, on_rested, 0, 0);
	watch_listener(acceptor);
	return acceptor;
}

void
acceptor_on_exhausted(struct acceptor *acceptor, acceptor_room *make_room)
{
	acceptor->make_room = make_room;
}

void
acceptor_pause(struct acceptor *acceptor)
{
	acceptor->paused = true;
	watch_listener(acceptor);
}

void
acceptor_resume(struct acceptor *acceptor)
{
	acceptor->paused = false;
	watch_listener(acceptor);
}

unsigned long
acceptor_exhausted(const struct acceptor *acceptor)
{
	return acceptor->exhausted;
}

int
acceptor_fd(const struct acceptor *acceptor)
{
	return acceptor->fd;
}

static void
acceptor_reap(struct reap *reap)
{
	struct acceptor *acceptor = container_of(reap, struct acceptor, reap);

	MEM_FREE(&acceptor);
}

void
acceptor_free(struct acceptor **pointer)
{
	struct acceptor *acceptor = *pointer;

	if (!acceptor)
		return;
	*pointer = NULL;
	acceptor->closed = true;
	ev_timer_stop(acceptor->loop, &acceptor->rest);
	watch_listener(acceptor);
	fd_close(&acceptor->fd);
	reaper_add(acceptor->loop, &acceptor->reap, acceptor_reap);
}
