/* SPDX-License-Identifier: MIT */
#include "analyticsd/ingest_port.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "analyticsd/counters.h"
#include "lib/acceptor.h"
#include "lib/clock.h"
#include "lib/conn.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/sock.h"

#define DOCUMENT_MIN 5
#define DOCUMENT_MAX 48000000
#define OUT_MAX (4U << 20)
#define ERROR_MAX 1024

struct ingest_port {
	struct ev_loop *loop;
	const struct ingest_events *events;
	void *owner;
	char *path;
	struct acceptor *acceptor;
	struct conn *conn; /* the one connection, or NULL */
	int next_fd; /* who comes after it, or -1; while it is taken nobody else is accepted */
	bool greeted;
	bool blocked; /* nothing is read */
	uint64_t alone_since_ms;
};

static void end_connection(struct ingest_port *port);

/* Takes `doc`. */
static void
send_document(struct ingest_port *port, bson_t *doc)
{
	/* A client that lets megabytes of positions lie unread needs none of them: each says all
	 * that the ones before said, and the next hello will say it. */
	if (port->conn != NULL && conn_send(port->conn, bson_get_data(doc), doc->len) < 0)
		log_debug("ingest.sock: the client is behind, a position is left out");
	bson_destroy(doc);
}

static void
append_position(bson_t *doc, const char *key, const struct buf *position)
{
	bson_t value;

	if (buf_length(position) > 0 &&
	    bson_init_static(&value, buf_bytes(position), buf_length(position)))
		bson_append_document(doc, key, -1, &value);
	else
		bson_append_null(doc, key, -1);
}

/* Says hello as soon as all is committed; until then nothing is read. */
static void
greet(struct ingest_port *port)
{
	if (port->events->settle(port->owner) < 0)
		return;
	bson_t *doc = bson_new();
	bson_append_int32(doc, "hello", -1, 1);
	append_position(doc, "position", port->events->position(port->owner));
	port->greeted = true;
	send_document(port, doc);
	conn_resume(port->conn);
}

static void
broken(struct ingest_port *port, const char *why)
{
	static struct log_limit limit = LOG_LIMIT(10, 1000);

	counters[COUNTER_ingest_bad]++;
	log_limited(&limit, LOG_ERROR, "ingest.sock: %s; the connection is ended", why);
	end_connection(port);
}

/* Bytes of the document at `data` that was applied; 0: not whole yet; -1: go no further. */
static long
take_document(struct ingest_port *port, const uint8_t *data, size_t length)
{
	/* Static for the alignment of 128 of a bson_t, which ASan's stack does not keep. */
	static bson_t doc;
	static struct event event;
	uint32_t size;

	if (length < sizeof(size))
		return 0;
	memcpy(&size, data, sizeof(size));
	size = BSON_UINT32_FROM_LE(size);
	if (size < DOCUMENT_MIN || size > DOCUMENT_MAX) {
		broken(port, "a document of an impossible length");
		return -1;
	}
	if (length < size)
		return 0;
	if (!bson_init_static(&doc, data, size) || !event_read(&event, &doc)) {
		broken(port, "a document that is not valid BSON");
		return -1;
	}
	if (port->events->document(port->owner, &event) < 0)
		return -1;
	counters[COUNTER_ingest_bytes] += size;
	return (long)size;
}

static size_t
on_data(void *owner, const uint8_t *data, size_t length)
{
	struct ingest_port *port = owner;
	size_t used = 0;

	while (port->conn != NULL && port->greeted && !port->blocked) {
		long size = take_document(port, data + used, length - used);
		if (size <= 0)
			break;
		used += (size_t)size;
	}
	return used;
}

static void
on_down(void *owner, int error)
{
	struct ingest_port *port = owner;

	log_info("ingest.sock: the client has left%s%s", error != 0 ? ": " : "",
	    error != 0 ? strerror(error) : "");
	port->conn = NULL;
	end_connection(port);
}

static const struct conn_events conn_events = {.data = on_data, .down = on_down};

static void
refuse(struct ingest_port *port, int fd)
{
	static struct log_limit limit = LOG_LIMIT(3, 10000);
	struct conn *conn = conn_new(port->loop, fd, &conn_events, port, ERROR_MAX, ERROR_MAX);
	bson_t *doc = BCON_NEW("error", BCON_UTF8("somebody is connected already"));

	counters[COUNTER_ingest_refused]++;
	log_limited(&limit, LOG_WARN, "ingest.sock: a second client was turned away");
	if (conn_send(conn, bson_get_data(doc), doc->len) == 0)
		conn_flush(conn);
	bson_destroy(doc);
	conn_close(&conn);
}

static void
take_client(struct ingest_port *port, int fd)
{
	log_info("ingest.sock: a client has connected");
	counters[COUNTER_ingest_connections]++;
	counters[COUNTER_ingest_connected] = 1;
	port->greeted = false;
	port->conn = conn_new(
	    port->loop, fd, &conn_events, port, DOCUMENT_MAX + DOCUMENT_MIN, OUT_MAX);
	conn_pause(port->conn);
	greet(port);
}

static void
end_connection(struct ingest_port *port)
{
	int fd = port->next_fd;

	conn_close(&port->conn);
	port->alone_since_ms = clock_monotonic_ms();
	counters[COUNTER_ingest_connected] = 0;
	if (fd < 0)
		return;
	port->next_fd = -1;
	acceptor_resume(port->acceptor);
	take_client(port, fd);
}

/* Has the peer left, and only what it sent is still to be read? */
static bool
has_left(struct conn *conn)
{
	struct pollfd look = {.fd = conn_fd(conn), .events = POLLRDHUP};

	return poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

static void
on_accept(void *owner, int fd, const struct sock_address *peer UNUSED)
{
	struct ingest_port *port = owner;

	if (port->conn == NULL) {
		take_client(port, fd);
	} else if (port->next_fd < 0 && has_left(port->conn)) {
		port->next_fd = fd;
		acceptor_pause(port->acceptor);
	} else {
		refuse(port, fd);
	}
}

struct ingest_port *
ingest_port_new(
    struct ev_loop *loop, const char *run_dir, const struct ingest_events *events, void *owner)
{
	struct ingest_port *port = mem_zalloc(sizeof(*port));

	port->loop = loop;
	port->events = events;
	port->owner = owner;
	port->path = mem_printf("%s/ingest.sock", run_dir);
	port->alone_since_ms = clock_monotonic_ms();
	port->next_fd = -1;
	int fd = sock_listen_unix(port->path, 0660, 16);
	if (fd < 0)
		die_system("unable to bind %s", port->path);
	port->acceptor = acceptor_new(loop, fd, 1, on_accept, port);
	return port;
}

void
ingest_port_free(struct ingest_port **pointer)
{
	struct ingest_port *port = *pointer;

	conn_close(&port->conn);
	fd_close(&port->next_fd);
	acceptor_free(&port->acceptor);
	sock_unlink(port->path);
	free(port->path);
	MEM_FREE(pointer);
}

void
ingest_port_block(struct ingest_port *port, bool blocked)
{
	port->blocked = blocked;
	if (port->conn == NULL)
		return;
	if (blocked)
		conn_pause(port->conn);
	else if (!port->greeted)
		greet(port);
	else
		conn_resume(port->conn);
}

void
ingest_port_committed(struct ingest_port *port)
{
	if (port->conn == NULL || !port->greeted)
		return;
	bson_t *doc = bson_new();
	append_position(doc, "committed", port->events->position(port->owner));
	send_document(port, doc);
}

void
ingest_port_stop(struct ingest_port *port)
{
	port->blocked = true;
	acceptor_pause(port->acceptor);
	if (port->conn != NULL) {
		conn_pause(port->conn);
		conn_flush(port->conn);
	}
}

bool
ingest_port_connected(const struct ingest_port *port)
{
	return port->conn != NULL;
}

uint64_t
ingest_port_alone_ms(const struct ingest_port *port)
{
	return port->conn != NULL ? 0 : clock_monotonic_ms() - port->alone_since_ms;
}
