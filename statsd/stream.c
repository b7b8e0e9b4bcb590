/* SPDX-License-Identifier: MIT */
#include "statsd/stream.h"

#include <string.h>
#include <sys/socket.h>

#include "lib/base.h"
#include "lib/die.h"
#include "lib/list.h"
#include "lib/mem.h"
#include "statsd/answer.h"

#define BLOCK 4096

struct streams {
	struct ev_loop *loop;
	const struct stream_events *events;
	void *owner;
	struct list open;
	size_t count;
	ev_timer tick; /* runs while there is a stream */
	bool ending;
};

/* It stands on streams.open from its response's birth to its end. */
struct stream {
	struct streams *streams;
	struct list node;
	struct MHD_Connection *connection;
	const char *path;
	struct buf waiting; /* what is still to be read of one event */
	unsigned skipped; /* events since then */
	bool suspended;
};

static ssize_t
stream_read(void *owner, uint64_t position UNUSED, char *out, size_t room)
{
	struct stream *stream = owner;
	size_t length = MIN(room, buf_length(&stream->waiting));
	if (stream->streams->ending)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (length == 0) {
		stream->suspended = true;
		MHD_suspend_connection(stream->connection);
		return 0;
	}
	memcpy(out, buf_bytes(&stream->waiting), length);
	buf_consume(&stream->waiting, length);
	return (ssize_t)length;
}

static void
stream_over(void *owner)
{
	struct stream *stream = owner;
	struct streams *streams = stream->streams;
	list_remove(&stream->node);
	if (--streams->count == 0)
		ev_timer_stop(streams->loop, &streams->tick);
	buf_free(&stream->waiting);
	MEM_FREE(&stream);
}

static void
stream_put(struct stream *stream, const struct buf *event)
{
	if (buf_append(&stream->waiting, buf_bytes(event), buf_length(event)) < 0)
		die_system("unable to keep an event that its page has made");
}

static void
stream_resume(struct stream *stream)
{
	if (!stream->suspended)
		return;
	stream->suspended = false;
	MHD_resume_connection(stream->connection);
}

/* The socket stays libmicrohttpd's, which finds its end by itself. */
static void
stream_cut(const struct stream *stream)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    stream->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info)
		shutdown(info->connect_fd, SHUT_RDWR);
}

static void
streams_tick(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	struct streams *streams = container_of(timer, struct streams, tick);
	const char *asked = NULL;
	struct buf event;
	buf_init(&event, ANSWER_MAX);
	LIST_FOR_EACH (node, &streams->open) {
		struct stream *stream = container_of(node, struct stream, node);
		if (buf_length(&stream->waiting) > 0) {
			if (++stream->skipped >= STREAM_STUCK_S)
				stream_cut(stream);
			continue;
		}
		if (stream->path != asked) {
			asked = stream->path;
			buf_clear(&event);
			streams->events->ask(streams->owner, asked, &event);
		}
		stream->skipped = 0;
		stream_put(stream, &event);
		stream_resume(stream);
	}
	buf_free(&event);
	streams->events->resumed(streams->owner);
}

struct streams *
streams_new(struct ev_loop *loop, const struct stream_events *events, void *owner)
{
	struct streams *streams = mem_zalloc(sizeof(*streams));
	streams->loop = loop;
	streams->events = events;
	streams->owner = owner;
	list_init(&streams->open);
	ev_timer_init(&streams->tick, streams_tick, STREAM_INTERVAL_S, STREAM_INTERVAL_S);
	return streams;
}

void
streams_end(struct streams *streams)
{
	streams->ending = true;
	LIST_FOR_EACH (node, &streams->open)
		stream_resume(container_of(node, struct stream, node));
}

void
streams_free(struct streams **streams)
{
	if (!*streams)
		return;
	ev_timer_stop((*streams)->loop, &(*streams)->tick);
	MEM_FREE(streams);
}

bool
streams_full(const struct streams *streams)
{
	return streams->count >= STREAM_MAX;
}

struct MHD_Response *
stream_open(struct streams *streams, struct MHD_Connection *connection, const char *path,
    const struct buf *first)
{
	struct stream *stream = mem_zalloc(sizeof(*stream));
	stream->streams = streams;
	stream->connection = connection;
	stream->path = path;
	buf_init(&stream->waiting, ANSWER_MAX);
	stream_put(stream, first);
	list_append(&streams->open, &stream->node);
	if (streams->count++ == 0)
		ev_timer_again(streams->loop, &streams->tick);
	struct MHD_Response *response = MHD_create_response_from_callback(
	    MHD_SIZE_UNKNOWN, BLOCK, stream_read, stream, stream_over);
	if (!response)
		stream_over(stream);
	return response;
}
