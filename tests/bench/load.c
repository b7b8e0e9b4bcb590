/* SPDX-License-Identifier: MIT */
/* load: clients and publisher in one loop, for one measurement. It prints one JSON object.
 *
 *   load PORT FRAMES_SOCKET PID CLIENTS ROOMS SIZE WINDOW RATE SECONDS [OPTION...]
 *
 *   -deflate     clients have their messages compressed
 *   -states      what is published are states, of which a newer one replaces an older
 *   -timed       with RATE 0, too: the latency, from when a message was published
 *   -slow N      N clients more, in one room with the others, who never read
 *   -heap FILE   where the server's heap is counted (heap.c)
 *
 * Client i is in room i % ROOMS. With RATE 0 at most WINDOW messages are under way (published
 * and not yet with all of their clients), else RATE messages a second go out, to random rooms,
 * whatever comes back; then the latency counts from the time when a message was due. SECONDS 0:
 * only the handshakes. PID is the server's: its time on the processor is read from schedstat.
 * `memory` and `heap` are the growth per client by the handshakes, `grown` is that of all memory
 * from a second after the first message to the end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64 /* handshakes at once */
#define SETTLE 1.6 /* seconds until connection:status has been told */
#define DUE 65536 /* due times kept per room, a power of two in all */
#define BUCKETS 4096 /* of the latency's histogram: an eighth of an octave of microseconds each */
#define MSS 1448 /* an Ethernet's, not the loopback's */

struct client {
	int fd;
	uint32_t room;
	uint64_t got; /* messages */
	uint64_t left; /* of the frame that is being read */
	bool ours; /* it is what was published, and not what the server has to say of itself */
	uint8_t header[10];
	uint8_t have;
};

static struct options {
	int port, pid;
	const char *frames;
	uint32_t clients, rooms, window, rate, slow;
	size_t size;
	double seconds;
	bool deflate, states, timed;
	const char *heap;
	const char *token; /* or NULL */
} options;

static struct client *clients;
static struct room {
	uint64_t published;
	double *due;
} * rooms;
static uint64_t delivered, received, published, expected;
static uint64_t histogram[BUCKETS];
static bool timed;
static uint8_t *frame;
static size_t frame_length;
static uint8_t out[1048576];
static size_t out_length;

static void
fail(const char *what)
{
	perror(what);
	exit(111);
}

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The n-th number, from 0, of a file of the server's in /proc. */
static double
server_number(const char *name, int n)
{
	char path[64], line[256], *at = line;
	double value = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", options.pid, name);
	file = fopen(path, "r");
	if (!file || !fgets(line, sizeof(line), file))
		fail(path);
	fclose(file);
	for (int i = 0; i <= n; i++)
		value = strtod(at, &at);
	return value;
}

/* Bytes; 0 where it is not counted. */
static double
server_heap(void)
{
	uint64_t heap = 0;
	FILE *file = options.heap ? fopen(options.heap, "r") : NULL;

	if (!file)
		return 0;
	if (fread(&heap, sizeof(heap), 1, file) != 1)
		fail(options.heap);
	fclose(file);
	return (double)heap;
}

/* Seconds. */
static double
server_time(void)
{
	return server_number("schedstat", 0) / 1e9;
}

/* Bytes. */
static long
server_memory(void)
{
	return (long)server_number("statm", 1) * sysconf(_SC_PAGESIZE);
}

static int
connect_tcp(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)options.port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), mss = MSS;

	setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fail("connect");
	return fd;
}

static void
ask(const struct client *client)
{
	char request[2048];
	int length = snprintf(request, sizeof(request),
	    "GET /ws/forms/%024x%s%s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	    "Sec-WebSocket-Version: 13\r\nOrigin: http://localhost\r\n%s\r\n",
	    client->room, options.token ? "?token=" : "", options.token ? options.token : "",
	    options.deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");

	if (send(client->fd, request, (size_t)length, MSG_NOSIGNAL) != length)
		fail("send");
}

/* Reads no further than the end of the answer. */
static void
read_answer(const struct client *client)
{
	char answer[1024];
	ssize_t got = recv(client->fd, answer, sizeof(answer) - 1, MSG_PEEK);
	char *end;

	if (got <= 0)
		fail("no answer");
	answer[got] = '\0';
	end = strstr(answer, "\r\n\r\n");
	if (!end || strncmp(answer, "HTTP/1.1 101", 12) != 0) {
		fprintf(stderr, "%s\n", answer);
		exit(111);
	}
	if (recv(client->fd, answer, (size_t)(end + 4 - answer), 0) < 0)
		fail("recv");
}

static void
connect_all(int queue)
{
	for (uint32_t first = 0; first < options.clients; first += BATCH) {
		uint32_t end = first + BATCH < options.clients ? first + BATCH : options.clients;

		for (uint32_t i = first; i < end; i++) {
			clients[i].room = i % options.rooms;
			clients[i].fd = connect_tcp();
			ask(&clients[i]);
		}
		for (uint32_t i = first; i < end; i++) {
			struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};

			read_answer(&clients[i]);
			fcntl(clients[i].fd, F_SETFL, O_NONBLOCK);
			epoll_ctl(queue, EPOLL_CTL_ADD, clients[i].fd, &event);
		}
	}
}

static int
connect_frames(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", options.frames);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fail(options.frames);
	return fd;
}

/* Those who never read: they are let in, and nothing more is heard of them. */
static void
connect_slow(void)
{
	for (uint32_t i = 0; i < options.slow; i++) {
		struct client client = {.fd = connect_tcp()};

		ask(&client);
		read_answer(&client);
	}
}

/* Like what analyticsd says: names that recur, numbers that do not. */
static void
fill_frame(void)
{
	uint32_t random = 1, length = htonl((uint32_t)options.size);
	size_t at;

	frame = malloc(options.size + 256);
	memcpy(frame, &length, 4);
	at = 4 +
	    (size_t)sprintf((char *)frame + 4,
		"{\"type\":\"%s\",\"formId\":\"%024x\",\"data\":{\"x\":\"",
		options.states ? "analytics:update" : "bench:event", 0);
	while (at < options.size + 4 - 3) {
		random = random * 1103515245 + 12345;
		at += (size_t)sprintf(
		    (char *)frame + at, "'option%u':%u,", random >> 28, random >> 16 & 1023);
	}
	memcpy(frame + options.size + 4 - 3, (const char[]){'"', '}', '}'}, 3);
	frame_length = options.size + 4;
}

/* What this turn has published leaves at once. */
static void
flush(int fd)
{
	size_t at = 0;

	while (at < out_length) {
		ssize_t sent = send(fd, out + at, out_length - at, MSG_NOSIGNAL);

		if (sent <= 0)
			fail("frames");
		at += (size_t)sent;
	}
	out_length = 0;
}

static void
publish(int fd, uint32_t number, double due)
{
	struct room *room = &rooms[number];
	char id[25];

	snprintf(id, sizeof(id), "%024x", number);
	memcpy((char *)memmem(frame, frame_length, "\"formId\":\"", 10) + 10, id, 24);
	room->due[room->published++ % (DUE / options.rooms + 1)] = due;
	published++;
	expected += options.clients / options.rooms + (number < options.clients % options.rooms);
	if (out_length + frame_length > sizeof(out))
		flush(fd);
	memcpy(out + out_length, frame, frame_length);
	out_length += frame_length;
}

static void
note_latency(double seconds)
{
	double us = seconds * 1e6;
	size_t bucket = 0;

	while (us >= 2 && bucket < BUCKETS - 8) {
		us /= 2;
		bucket += 8;
	}
	histogram[bucket + (us > 1 ? (size_t)((us - 1) * 8) & 7 : 0)]++;
}

static double
percentile(double share)
{
	uint64_t all = 0, sum = 0;

	for (size_t i = 0; i < BUCKETS; i++)
		all += histogram[i];
	for (size_t i = 0; i < BUCKETS; i++) {
		sum += histogram[i];
		if (sum > (uint64_t)((double)all * share))
			return (double)(1ULL << i / 8) * (1 + (double)(i % 8) / 8) / 1000;
	}
	return 0;
}

static void
message_whole(struct client *client)
{
	const struct room *room = &rooms[client->room];

	delivered++;
	if (timed)
		note_latency(now() - room->due[client->got % (DUE / options.rooms + 1)]);
	client->got++;
}

static void
take(struct client *client, const uint8_t *data, size_t length)
{
	while (length > 0) {
		if (client->left > 0) {
			size_t n = client->left < length ? (size_t)client->left : length;

			client->left -= n;
			data += n;
			length -= n;
			if (client->left == 0 && client->ours)
				message_whole(client);
			continue;
		}
		client->header[client->have++] = *data++;
		length--;
		if (client->have < 2 || (client->header[1] == 126 && client->have < 4))
			continue;
		client->left = client->header[1] < 126
		    ? client->header[1]
		    : (uint64_t)client->header[2] << 8 | client->header[3];
		client->ours = options.deflate || client->left == options.size;
		client->have = 0;
	}
}

static void
read_ready(int queue, int wait_ms)
{
	static uint8_t bytes[262144];
	struct epoll_event events[256];
	int count = epoll_wait(queue, events, 256, wait_ms);

	for (int i = 0; i < count; i++) {
		struct client *client = &clients[events[i].data.u32];
		ssize_t got = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (got == 0 || (got < 0 && errno != EAGAIN)) {
			fprintf(stderr, "load: a client was closed\n");
			exit(1);
		}
		if (got > 0) {
			received += (uint64_t)got;
			take(client, bytes, (size_t)got);
		}
	}
}

static void
settle(int queue)
{
	double end = now() + SETTLE;

	while (now() < end)
		read_ready(queue, 100);
	delivered = received = 0;
	for (uint32_t i = 0; i < options.clients; i++)
		clients[i].got = 0;
}

/* Looks at the server's memory once, a second after the start, or at half the time. */
static void
look_at_memory(double start, double *begun)
{
	if (*begun == 0 && now() > start + (options.seconds < 2 ? options.seconds / 2 : 1))
		*begun = (double)server_memory();
}

static void
run_closed(int queue, int fd, double *begun)
{
	double start = now();

	timed = options.timed;
	while (now() < start + options.seconds) {
		while (published - delivered / options.clients < options.window)
			publish(fd, 0, timed ? now() : 0);
		flush(fd);
		read_ready(queue, 100);
		look_at_memory(start, begun);
	}
}

static void
run_open(int queue, int fd, double *begun)
{
	double start = now();
	uint32_t random = 1;

	timed = true;
	while (now() < start + options.seconds) {
		double next = start + (double)published / options.rate;

		if (now() >= next) {
			random = random * 1103515245 + 12345;
			publish(fd, (random >> 8) % options.rooms, next);
			flush(fd);
		} else {
			read_ready(queue, 0);
		}
		look_at_memory(start, begun);
	}
}

static double
number(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end != '\0') {
		fprintf(stderr, "load: %s is no number\n", text);
		exit(100);
	}
	return value;
}

static void
options_read(int argc, char **argv)
{
	if (argc < 10) {
		fprintf(stderr,
		    "usage: load PORT FRAMES_SOCKET PID CLIENTS ROOMS SIZE WINDOW RATE "
		    "SECONDS [-deflate] [-states] [-timed] [-slow N] [-heap FILE] "
		    "[-token TOKEN]\n");
		exit(100);
	}
	options = (struct options){.port = (int)number(argv[1]),
	    .frames = argv[2],
	    .pid = (int)number(argv[3]),
	    .clients = (uint32_t)number(argv[4]),
	    .rooms = (uint32_t)number(argv[5]),
	    .size = (size_t)number(argv[6]),
	    .window = (uint32_t)number(argv[7]),
	    .rate = (uint32_t)number(argv[8]),
	    .seconds = number(argv[9])};
	for (char **option = argv + 10; *option; option++) {
		if (strcmp(*option, "-deflate") == 0)
			options.deflate = true;
		else if (strcmp(*option, "-states") == 0)
			options.states = true;
		else if (strcmp(*option, "-timed") == 0)
			options.timed = true;
		else if (strcmp(*option, "-slow") == 0 && option[1])
			options.slow = (uint32_t)number(*++option);
		else if (strcmp(*option, "-heap") == 0 && option[1])
			options.heap = *++option;
		else if (strcmp(*option, "-token") == 0 && option[1])
			options.token = *++option;
		else
			exit(100);
	}
	clients = calloc(options.clients, sizeof(*clients));
	rooms = calloc(options.rooms, sizeof(*rooms));
	for (uint32_t i = 0; i < options.rooms; i++)
		rooms[i].due = calloc(DUE / options.rooms + 1, sizeof(double));
}

int
main(int argc, char **argv)
{
	struct rlimit limit;
	int queue = epoll_create1(0), fd;
	double start, time, handshake_time, handshake_wall, heap, begun = 0;
	long memory;

	options_read(argc, argv);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	memory = server_memory();
	heap = server_heap();
	start = now();
	time = server_time();
	connect_all(queue);
	handshake_wall = now() - start;
	handshake_time = server_time() - time;
	connect_slow();
	settle(queue);
	memory = server_memory() - memory;
	heap = server_heap() - heap;
	fill_frame();
	fd = connect_frames();
	start = now();
	time = server_time();
	if (options.seconds > 0 && options.rate > 0)
		run_open(queue, fd, &begun);
	else if (options.seconds > 0)
		run_closed(queue, fd, &begun);
	for (double end = now() + 10; delivered < expected && now() < end;)
		read_ready(queue, 100);
	start = now() - start;
	time = server_time() - time;
	printf("{\"delivered\":%llu,\"missing\":%llu,\"seconds\":%.3f,\"cpu_us\":%.3f,"
	       "\"bytes\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"handshake_us\":%.2f,"
	       "\"handshakes\":%.0f,\"memory\":%.0f,\"heap\":%.0f,\"grown\":%.0f}\n",
	    (unsigned long long)delivered, (unsigned long long)(expected - delivered), start,
	    delivered ? time * 1e6 / (double)delivered : 0,
	    delivered ? (double)received / (double)delivered : 0, percentile(0.5), percentile(0.99),
	    handshake_time * 1e6 / options.clients, options.clients / handshake_wall,
	    (double)memory / options.clients, heap / options.clients,
	    begun > 0 ? (double)server_memory() - begun : 0);
	return 0;
}
