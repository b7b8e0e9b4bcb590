/* SPDX-License-Identifier: MIT */
/* viewers: many clients of wsfand and one producer of numbered events, and the count of what went
 * wrong between them.
 *
 *     viewers PORT FRAMES_SOCKET CLIENTS ROOMS EVENTS_PER_SECOND [TOKEN]
 *
 * With a token all bring it, every tenth has its messages compressed, and every fiftieth reads a
 * few bytes now and then once it has had its first event, and the rest at the end.
 *
 * Writes `ready` once every client has had an event. At a line on its standard input it sends no
 * more, waits until all have the last (30 s at most), writes one line of JSON and leaves with 0, or
 * with 1 where that line holds a close, a gap, a repeat or something torn. `longest_ms` is the
 * longest that an event took to a client. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/clock.h"
#include "lib/frame.h"
#include "lib/mem.h"
#include "lib/sock.h"

#define BUFFER 4096
#define WAIT_MS 30000
#define RING 65536 /* events whose times are remembered */
#define COMPRESSING 10 /* every so many-th */
#define SLOW 50
#define SLOW_BUFFER 2304
#define SLOW_BYTES 50
#define SLOW_MS 250

struct viewer {
	int fd;
	uint32_t room;
	bool upgraded; /* the answer to its handshake was read */
	bool compresses, slow;
	uint64_t next; /* the number that has to come; 0: any */
	size_t length;
	uint8_t bytes[BUFFER];
};

static struct viewer *viewers;
static size_t count, waiting;
static int queue; /* epoll's */
static uint32_t rooms;
static uint64_t *last; /* by room: the number that was sent last */
static uint64_t sent_ns[RING]; /* by the event's number in all */
static const char *token; /* or NULL: all alike */
static z_stream inflater;
static uint64_t sent, received, gaps, repeats, torn, closes, longest_ns;

static void
die(const char *what)
{
	fprintf(stderr, "viewers: %s: %s\n", what, strerror(errno));
	exit(111);
}

static void
format_room(uint32_t room, char out[static 25])
{
	snprintf(out, 25, "60f7b1b9e1234567%08x", room);
}

static int
connect_to(int port, bool slow)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = SLOW_BUFFER;

	if (slow)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("connect");
	return fd;
}

static void
start_viewer(struct viewer *viewer, int port, int poll)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = viewer};
	char request[1024], room[25];
	int length;

	format_room(viewer->room, room);
	viewer->fd = connect_to(port, viewer->slow);
	length = snprintf(request, sizeof(request),
	    "GET /ws/forms/%s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: "
	    "Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
	    "AAAAAAAAAAAAAAAAAAAAAA==\r\n%s%s%s%s\r\n",
	    room, token ? "Authorization: Bearer " : "", token ? token : "", token ? "\r\n" : "",
	    viewer->compresses ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
	if (length >= (int)sizeof(request))
		die("the token is too long");
	if (write(viewer->fd, request, (size_t)length) != length ||
	    fcntl(viewer->fd, F_SETFL, O_NONBLOCK) < 0 ||
	    epoll_ctl(poll, EPOLL_CTL_ADD, viewer->fd, &event) < 0)
		die("handshake");
}

/* The number behind `"name":` in a message, or 0. */
static uint64_t
number_of(const char *text, size_t length, const char *name)
{
	const char *at = memmem(text, length, name, strlen(name));

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static void
take_message(struct viewer *viewer, const char *text, size_t length)
{
	uint64_t n, all;

	if (length < 2 || text[0] != '{' || text[length - 1] != '}') {
		torn++;
		return;
	}
	n = number_of(text, length, "\"n\":");
	if (n == 0)
		return;
	received++;
	if (viewer->next == 0)
		waiting--;
	else if (n > viewer->next)
		gaps++;
	else if (n < viewer->next)
		repeats++;
	viewer->next = n + 1;
	if (viewer->slow)
		epoll_ctl(queue, EPOLL_CTL_DEL, viewer->fd, NULL);
	all = number_of(text, length, "\"all\":");
	if (!viewer->slow && sent - all < RING) {
		uint64_t took = clock_monotonic_ns() - sent_ns[all % RING];

		longest_ns = took > longest_ns ? took : longest_ns;
	}
}

static void
take_compressed(struct viewer *viewer, const uint8_t *data, size_t length)
{
	static const uint8_t tail[] = {0, 0, 0xff, 0xff};
	uint8_t bytes[BUFFER + sizeof(tail)], text[BUFFER];

	memcpy(bytes, data, length);
	memcpy(bytes + length, tail, sizeof(tail));
	inflateReset(&inflater);
	inflater.next_in = bytes;
	inflater.avail_in = (uInt)(length + sizeof(tail));
	inflater.next_out = text;
	inflater.avail_out = sizeof(text);
	if (inflate(&inflater, Z_SYNC_FLUSH) != Z_OK || inflater.avail_in > 0)
		torn++;
	else
		take_message(viewer, (const char *)text, sizeof(text) - inflater.avail_out);
}

/* Bytes used of what begins with a frame; 0: it is not whole. */
static size_t
take_frame(struct viewer *viewer, const uint8_t *data, size_t length)
{
	size_t header = 2, payload;

	if (length < 2)
		return 0;
	payload = data[1];
	if (payload == 126) {
		if (length < 4)
			return 0;
		header = 4;
		payload = (size_t)(data[2] << 8 | data[3]);
	}
	/* Nothing else is ever sent to these clients. */
	if (data[0] != 0x81 && data[0] != 0x88 && data[0] != 0x89 &&
	    !(data[0] == 0xc1 && viewer->compresses))
		torn++;
	if (length < header + payload)
		return 0;
	if (data[0] == 0x81)
		take_message(viewer, (const char *)data + header, payload);
	else if (data[0] == 0xc1)
		take_compressed(viewer, data + header, payload);
	else if (data[0] == 0x88)
		closes++;
	return header + payload;
}

static void
take_bytes(struct viewer *viewer)
{
	size_t at = 0, used;
	const uint8_t *end;

	if (!viewer->upgraded) {
		end = memmem(viewer->bytes, viewer->length, "\r\n\r\n", 4);
		if (!end)
			return;
		if (memcmp(viewer->bytes, "HTTP/1.1 101", 12) != 0)
			closes++;
		viewer->upgraded = true;
		at = (size_t)(end - viewer->bytes) + 4;
	}
	while ((used = take_frame(viewer, viewer->bytes + at, viewer->length - at)) > 0)
		at += used;
	memmove(viewer->bytes, viewer->bytes + at, viewer->length - at);
	viewer->length -= at;
}

static void
read_viewer(struct viewer *viewer, size_t most)
{
	size_t left = BUFFER - viewer->length;
	ssize_t got = read(viewer->fd, viewer->bytes + viewer->length, left < most ? left : most);

	if (got > 0) {
		viewer->length += (size_t)got;
		take_bytes(viewer);
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		closes++;
		close(viewer->fd);
		viewer->fd = -1;
	}
}

static void
read_all(int poll, int timeout_ms)
{
	struct epoll_event events[256];
	int ready = epoll_wait(poll, events, 256, timeout_ms);

	for (int i = 0; i < ready; i++)
		read_viewer(events[i].data.ptr, BUFFER);
}

/* Those who are slow by now. */
static void
read_slow(size_t most)
{
	for (size_t i = 0; i < count; i++) {
		if (viewers[i].slow && viewers[i].next > 0 && viewers[i].fd >= 0)
			read_viewer(&viewers[i], most);
	}
}

static void
send_event(int producer)
{
	uint32_t room = (uint32_t)(sent % rooms);
	char text[512], id[25];
	uint8_t frame[FRAME_HEADER + sizeof(text)];
	int length;

	format_room(room, id);
	length = snprintf(text, sizeof(text),
	    "{\"type\":\"numbered\",\"formId\":\"%s\",\"n\":%" PRIu64 ",\"all\":%" PRIu64
	    ",\"pad\":\"%0*d\"}",
	    id, ++last[room], ++sent, token ? 250 : 100, 0);
	frame_put_header(frame, (uint32_t)length);
	memcpy(frame + FRAME_HEADER, text, (size_t)length);
	sent_ns[sent % RING] = clock_monotonic_ns();
	if (write(producer, frame, FRAME_HEADER + (size_t)length) !=
	    (ssize_t)(FRAME_HEADER + length))
		die("the producer's connection");
}

/* What wsfand tells the producer is read and dropped. */
static void
drain_interest(int producer)
{
	uint8_t bytes[65536];

	while (recv(producer, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

static bool
is_over(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&input, 1, 0) > 0;
}

static size_t
unserved(void)
{
	size_t some = 0;

	for (size_t i = 0; i < count; i++)
		some += viewers[i].fd >= 0 && viewers[i].next != last[viewers[i].room] + 1;
	return some;
}

static void
run(int poll, int producer, uint64_t interval_ns)
{
	uint64_t due = clock_monotonic_ns(), slow_ms = 0, end_ms;
	bool told = false;

	while (!is_over()) {
		for (; clock_monotonic_ns() >= due; due += interval_ns)
			send_event(producer);
		drain_interest(producer);
		read_all(poll, 1);
		if (token && clock_monotonic_ms() >= slow_ms) {
			read_slow(SLOW_BYTES);
			slow_ms = clock_monotonic_ms() + SLOW_MS;
		}
		if (waiting == 0 && !told) {
			longest_ns = 0;
			told = puts("ready") >= 0 && fflush(stdout) == 0;
		}
	}
	end_ms = clock_monotonic_ms() + WAIT_MS;
	while (unserved() > 0 && clock_monotonic_ms() < end_ms) {
		read_all(poll, 10);
		read_slow(BUFFER);
	}
}

int
main(int argc, char **argv)
{
	int poll = epoll_create1(EPOLL_CLOEXEC), producer;
	size_t missing;

	if (argc < 6 || argc > 7)
		return 100;
	queue = poll;
	token = argv[6];
	if (inflateInit2(&inflater, -15) != Z_OK)
		die("zlib");
	sock_raise_file_limit();
	count = waiting = strtoul(argv[3], NULL, 10);
	rooms = (uint32_t)strtoul(argv[4], NULL, 10);
	viewers = mem_zalloc(count * sizeof(*viewers));
	last = mem_zalloc(rooms * sizeof(*last));
	for (size_t i = 0; i < count; i++) {
		viewers[i].room = (uint32_t)(i % rooms);
		viewers[i].compresses = token && i % COMPRESSING == 1;
		viewers[i].slow = token && i % SLOW == 2;
		start_viewer(&viewers[i], (int)strtol(argv[1], NULL, 10), poll);
		/* Each is told how many there are: nobody may fall behind meanwhile. */
		read_all(poll, 0);
	}
	producer = sock_connect_unix(argv[2]);
	if (producer < 0 || fcntl(producer, F_SETFL, 0) < 0)
		die(argv[2]);
	run(poll, producer, 1000000000 / strtoull(argv[5], NULL, 10));
	missing = unserved();
	printf("{\"clients\":%zu,\"events\":%" PRIu64 ",\"received\":%" PRIu64 ",\"gaps\":%" PRIu64
	       ",\"repeats\":%" PRIu64 ",\"torn\":%" PRIu64 ",\"closes\":%" PRIu64
	       ",\"missing\":%zu,\"longest_ms\":%.1f}\n",
	    count, sent, received, gaps, repeats, torn, closes, missing, (double)longest_ns / 1e6);
	return gaps + repeats + torn + closes + missing > 0;
}
