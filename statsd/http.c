/* SPDX-License-Identifier: MIT */
#include "statsd/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/sock.h"
#include "statsd/counters.h"
#include "statsd/http_state.h"

#define LOG_LINE 512
#define MILLISECOND 0.001

static struct log_limit library_limit = LOG_LIMIT(5, 10000);

static void
library_log(void *owner UNUSED, const char *format, va_list arguments)
{
	char line[LOG_LINE];
	if (!log_enabled(LOG_DEBUG))
		return;
	vsnprintf(line, sizeof(line), format, arguments);
	line[strcspn(line, "\n")] = '\0';
	log_limited(&library_limit, LOG_DEBUG, "libmicrohttpd: %s", line);
}

void
door_run(struct door *door)
{
	MHD_UNSIGNED_LONG_LONG wait_ms;
	MHD_run(door->daemon);
	ev_timer_stop(door->loop, &door->timeout);
	if (MHD_get_timeout(door->daemon, &wait_ms) != MHD_YES)
		return;
	ev_timer_set(&door->timeout, (double)wait_ms * MILLISECOND, 0.);
	ev_timer_start(door->loop, &door->timeout);
}

static void
epoll_ready(struct ev_loop *loop UNUSED, ev_io *io, int events UNUSED)
{
	door_run(container_of(io, struct door, epoll));
}

static void
timeout_over(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	door_run(container_of(timer, struct door, timeout));
}

/* Who sends or reads byte by byte is never idle: this ends it. MHD finds out by itself. */
static void
visit_overdue(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	struct visit *visit = container_of(timer, struct visit, due);
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    visit->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	counters[visit->door->rows.overdue]++;
	if (info)
		shutdown(info->connect_fd, SHUT_RDWR);
	door_run(visit->door);
}

static void
visit_changed(void *owner, struct MHD_Connection *connection, void **context,
    enum MHD_ConnectionNotificationCode code)
{
	struct door *door = owner;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		struct visit *visit = mem_zalloc(sizeof(*visit));
		visit->door = door;
		visit->connection = connection;
		ev_timer_init(&visit->due, visit_overdue, HTTP_DUE_S, HTTP_DUE_S);
		ev_timer_start(door->loop, &visit->due);
		counters[door->rows.connections]++;
		*context = visit;
	} else if (*context) {
		struct visit *visit = *context;
		ev_timer_stop(door->loop, &visit->due);
		counters[door->rows.connections]--;
		MEM_FREE(&visit);
		*context = NULL;
	}
}

/* An event has no query of its own. */
static const char *
no_query(const struct request *request UNUSED, const char *name UNUSED, size_t *length UNUSED)
{
	return NULL;
}

static void
ask_again(void *owner, const char *path, struct buf *event)
{
	struct door *door = owner;
	struct request request = {
	    .method = "GET",
	    .path = path,
	    .handed_over = door->handed_over,
	    .query = no_query,
	};
	struct answer answer;
	answer_init(&answer);
	door->answer(door->owner, &request, &answer);
	/* An error is no event: then there is none this time. */
	if (answer.stream &&
	    buf_append(event, buf_bytes(&answer.body), buf_length(&answer.body)) < 0)
		log_error("an event of %s is too long", path);
	answer_free(&answer);
}

static void
streams_resumed(void *owner)
{
	door_run(owner);
}

static const struct stream_events stream_events = {.ask = ask_again, .resumed = streams_resumed};

static struct MHD_Daemon *
daemon_start(struct door *door)
{
	unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
	    MHD_USE_ERROR_LOG;
	/* The log comes first: options behind it may already speak. One connection more
	 * than we let in, so that it is always we who turn away. */
	return MHD_start_daemon(flags, 0, NULL, NULL, exchange_step, door,
	    MHD_OPTION_EXTERNAL_LOGGER, library_log, NULL, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)HTTP_MAX_CONNECTIONS + 1, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)HTTP_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S,
	    MHD_OPTION_NOTIFY_CONNECTION, visit_changed, door, MHD_OPTION_NOTIFY_COMPLETED,
	    exchange_over, door, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP,
	    1, MHD_OPTION_END);
}

struct door *
door_new(struct ev_loop *loop, bool handed_over, const struct door_counters *rows,
    struct queries *queries, http_answer *answer, void *owner)
{
	struct door *door = mem_zalloc(sizeof(*door));
	door->loop = loop;
	door->handed_over = handed_over;
	door->rows = *rows;
	door->queries = queries;
	door->answer = answer;
	door->owner = owner;
	door->streams = streams_new(loop, &stream_events, door);
	door->daemon = daemon_start(door);
	const union MHD_DaemonInfo *info = door->daemon
	    ? MHD_get_daemon_info(door->daemon, MHD_DAEMON_INFO_EPOLL_FD)
	    : NULL;
	if (!info) {
		door_free(&door);
		return NULL;
	}
	ev_io_init(&door->epoll, epoll_ready, info->epoll_fd, EV_READ);
	ev_io_start(loop, &door->epoll);
	ev_init(&door->timeout, timeout_over);
	return door;
}

/* The door is full: says so without reading, as far as the kernel takes it at once. */
static void
turn_away(struct door *door, int fd)
{
	static const char text[] =
	    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
	    "Retry-After: 1\r\nConnection: close\r\nContent-Length: 32\r\n\r\n"
	    "{\"error\":\"Too many connections\"}";
	static struct log_limit limit = LOG_LIMIT(1, 10000);
	char unread[HTTP_MEMORY];
	counters[door->rows.full]++;
	log_limited(
	    &limit, LOG_WARN, "%d HTTP connections are open, refused one", HTTP_MAX_CONNECTIONS);
	/* What stays unread makes the kernel cut the connection, and our words with it. */
	if (recv(fd, unread, sizeof(unread), MSG_DONTWAIT) >= 0 || errno == EAGAIN) {
		if (send(fd, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			log_debug("the refusal did not go out");
	}
	fd_close(&fd);
}

void
door_take(struct door *door, int fd)
{
	struct sock_address peer = {.length = sizeof(peer.storage)};
	if (getpeername(fd, (struct sockaddr *)&peer.storage, &peer.length) < 0 ||
	    fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0) {
		fd_close(&fd); /* it has left already */
		return;
	}
	if (counters[door->rows.connections] >= HTTP_MAX_CONNECTIONS) {
		turn_away(door, fd);
		return;
	}
	/* Closes the socket itself when it fails. */
	if (MHD_add_connection(
		door->daemon, fd, (const struct sockaddr *)&peer.storage, peer.length) != MHD_YES)
		log_limited(&library_limit, LOG_WARN, "unable to take an HTTP connection: %s",
		    strerror(errno));
	door_run(door);
}

void
door_free(struct door **door_pointer)
{
	struct door *door = *door_pointer;
	if (!door)
		return;
	if (ev_is_active(&door->epoll))
		ev_io_stop(door->loop, &door->epoll);
	ev_timer_stop(door->loop, &door->timeout);
	streams_end(door->streams);
	if (door->daemon) {
		/* Takes back what was suspended, and lets it say its last words. */
		MHD_run(door->daemon);
		MHD_run(door->daemon);
		MHD_stop_daemon(door->daemon);
	}
	streams_free(&door->streams);
	MEM_FREE(door_pointer);
}
