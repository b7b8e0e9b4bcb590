/* SPDX-License-Identifier: MIT */
/* floor: the least that a fan-out server can do, as a yardstick. It takes frames as wsfand does
 * and sends each to every client of its room: with one send(2) per client and frame, or, with
 * `-gather`, with one per client and turn of the loop. It checks nothing, queues nothing and
 * closes who does not keep up.
 *
 *   floor PORT FRAMES_SOCKET [-gather] */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FILES 65536
#define ROOMS 65536
#define INPUT 1048576
#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

struct room {
	int *clients;
	uint32_t count, capacity;
	uint8_t *pending;
	size_t length, size;
	bool dirty;
};

enum what { NOTHING, LISTENER, PRODUCERS, PRODUCER, NEWCOMER, CLIENT };

static struct room rooms[ROOMS];
static struct {
	enum what what;
	uint32_t room, place;
} files[FILES];
static uint32_t dirty[ROOMS], dirty_count;
static uint8_t input[INPUT];
static size_t input_length;
static int queue;
static bool gather;

static void
fail(const char *what)
{
	perror(what);
	exit(111);
}

static void
watch(int fd, enum what what)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (fd >= FILES)
		exit(111);
	files[fd].what = what;
	if (epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event) < 0)
		fail("epoll_ctl");
}

/* Rooms are numbers, written as 24 hex digits. */
static uint32_t
room_of(const char *id)
{
	char digits[9] = "";

	memcpy(digits, id + 16, 8);
	return (uint32_t)strtoul(digits, NULL, 16) % ROOMS;
}

static void
leave(int fd)
{
	if (files[fd].what == CLIENT) {
		struct room *room = &rooms[files[fd].room];
		int last = room->clients[--room->count];

		room->clients[files[fd].place] = last;
		files[last].place = files[fd].place;
	}
	files[fd].what = NOTHING;
	close(fd);
}

static void
send_all(struct room *room, const uint8_t *bytes, size_t length)
{
	for (uint32_t i = room->count; i-- > 0;) {
		int fd = room->clients[i];

		if (send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)length)
			leave(fd);
	}
}

static void
append(uint32_t number, const uint8_t *bytes, size_t length)
{
	struct room *room = &rooms[number];

	if (room->length + length > room->size) {
		room->size = (room->length + length) * 2;
		room->pending = realloc(room->pending, room->size);
	}
	memcpy(room->pending + room->length, bytes, length);
	room->length += length;
	if (!room->dirty)
		dirty[dirty_count++] = number;
	room->dirty = true;
}

static void
flush(void)
{
	for (uint32_t i = 0; i < dirty_count; i++) {
		struct room *room = &rooms[dirty[i]];

		send_all(room, room->pending, room->length);
		room->length = 0;
		room->dirty = false;
	}
	dirty_count = 0;
}

static void
publish(const uint8_t *payload, size_t length)
{
	static uint8_t frame[INPUT + 10];
	const char *id = memmem(payload, length, "\"formId\":\"", 10);
	size_t header = length < 126 ? 2 : 4;

	if (!id || length > 65535)
		return;
	frame[0] = 0x81;
	frame[1] = length < 126 ? (uint8_t)length : 126;
	if (header == 4) {
		frame[2] = (uint8_t)(length >> 8);
		frame[3] = (uint8_t)length;
	}
	memcpy(frame + header, payload, length);
	if (gather)
		append(room_of(id + 10), frame, header + length);
	else
		send_all(&rooms[room_of(id + 10)], frame, header + length);
}

static void
read_frames(int fd)
{
	ssize_t got = recv(fd, input + input_length, sizeof(input) - input_length, 0);
	size_t at = 0;

	if (got <= 0) {
		leave(fd);
		return;
	}
	input_length += (size_t)got;
	while (input_length - at >= 4) {
		uint32_t length;

		memcpy(&length, input + at, 4);
		length = ntohl(length);
		if (input_length - at - 4 < length)
			break;
		publish(input + at + 4, length);
		at += 4 + length;
	}
	memmove(input, input + at, input_length - at);
	input_length -= at;
}

static void
upgrade(int fd)
{
	char request[4096], text[128], accept_key[32], answer[256];
	unsigned char digest[20];
	ssize_t got = recv(fd, request, sizeof(request) - 1, 0);
	const char *key;
	struct room *room;
	uint32_t number;
	int length;

	if (got <= 0 || !(request[got] = '\0', key = strstr(request, "Sec-WebSocket-Key: "))) {
		leave(fd);
		return;
	}
	length = snprintf(text, sizeof(text), "%.24s" GUID, key + 19);
	EVP_Digest(text, (size_t)length, digest, NULL, EVP_sha1(), NULL);
	EVP_EncodeBlock((unsigned char *)accept_key, digest, sizeof(digest));
	length = snprintf(answer, sizeof(answer),
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
	    accept_key);
	if (send(fd, answer, (size_t)length, MSG_NOSIGNAL) != length) {
		leave(fd);
		return;
	}
	number = room_of(strstr(request, "/ws/forms/") + 10);
	room = &rooms[number];
	if (room->count == room->capacity) {
		room->capacity = room->capacity * 2 + 2;
		room->clients = realloc(room->clients, room->capacity * sizeof(int));
	}
	files[fd].what = CLIENT;
	files[fd].room = number;
	files[fd].place = room->count;
	room->clients[room->count++] = fd;
}

static void
read_client(int fd)
{
	char bytes[1024];

	if (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) <= 0)
		leave(fd);
}

static void
ready(int fd)
{
	switch (files[fd].what) {
	case LISTENER:
		for (int i = 0; i < 64; i++) {
			int new = accept4(fd, NULL, NULL, SOCK_NONBLOCK);

			if (new < 0)
				break;
			watch(new, NEWCOMER);
		}
		break;
	case PRODUCERS:
		watch(accept4(fd, NULL, NULL, SOCK_NONBLOCK), PRODUCER);
		break;
	case PRODUCER:
		read_frames(fd);
		break;
	case NEWCOMER:
		upgrade(fd);
		break;
	case CLIENT:
		read_client(fd);
		break;
	case NOTHING:
		break;
	}
}

static int
listen_tcp(const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 65535) < 0)
		fail("bind");
	return fd;
}

static int
listen_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 8) < 0)
		fail(path);
	return fd;
}

int
main(int argc, char **argv)
{
	struct epoll_event events[512];
	struct rlimit limit;

	if (argc < 3)
		return 100;
	gather = argc > 3 && strcmp(argv[3], "-gather") == 0;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	queue = epoll_create1(0);
	watch(listen_unix(argv[2]), PRODUCERS);
	watch(listen_tcp(argv[1]), LISTENER);
	for (;;) {
		int count = epoll_wait(queue, events, 512, -1);

		for (int i = 0; i < count; i++)
			ready(events[i].data.fd);
		flush();
	}
}
