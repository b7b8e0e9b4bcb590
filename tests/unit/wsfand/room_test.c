/* SPDX-License-Identifier: MIT */
#include "wsfand/room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base.h"
#include "lib/mem.h"
#include "lib/reaper.h"
#include "lib/sock.h"
#include "tests/unit/unit.h"

/* More than are served in one turn, twice over. */
#define LARGE 1300
#define MOST 2000
/* More events than are taken at once, and how many are. */
#define BURST 200
#define FITS 61

/* What is published are events, numbered from 1 on. */
struct viewer {
	struct client *client; /* NULL: has left */
	int fd; /* its own end */
	int joined; /* the number of the last event before it came */
	int last; /* the event that it got last, 0: none */
	int count;
};

struct fixture {
	struct ev_loop *loop;
	struct clients clients;
	struct rooms *rooms;
	struct viewer viewers[MOST];
	int count, published;
};

static void
on_text(void *owner UNUSED, struct client *client UNUSED, const char *text UNUSED, size_t n UNUSED)
{
}

static void
on_left(void *owner, struct client *client)
{
	struct fixture *f = owner;

	room_leave(f->rooms, client);
}

static void
on_changed(void *owner UNUSED, const struct form_id *id UNUSED, uint32_t clients UNUSED)
{
}

static struct fixture *
fixture_new(void)
{
	static const struct client_events client_events = {.text = on_text, .left = on_left};
	static const struct rooms_events rooms_events = {.changed = on_changed};
	static const struct client_settings settings = {.read_bytes = 1024,
	    .max_message = 4096,
	    .limits = {.messages = 1024, .bytes = 1048576},
	    .ping_interval = 60,
	    .pong_timeout = 60,
	    .write_timeout = 60};
	struct fixture *f = mem_zalloc(sizeof(*f));

	CHECK(sock_raise_file_limit() > 2 * MOST + 100);
	f->loop = ev_loop_new(0);
	clients_init(&f->clients, f->loop, &settings, &client_events, f);
	f->rooms = rooms_new(f->loop, &rooms_events, f);
	return f;
}

static void
fixture_free(struct fixture *f)
{
	for (int i = 0; i < f->count; i++) {
		if (f->viewers[i].client)
			client_drop(f->viewers[i].client, CLOSE_GONE);
		close(f->viewers[i].fd);
	}
	ev_run(f->loop, EVRUN_NOWAIT);
	rooms_free(&f->rooms);
	clients_free(&f->clients);
	ev_loop_destroy(f->loop);
	free(f);
}

static const struct form_id large = {{1}}, small = {{2}};

static struct viewer *
join(struct fixture *f, const struct form_id *id)
{
	struct viewer *viewer = &f->viewers[f->count++];
	int pair[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	*viewer = (struct viewer){.fd = pair[0], .joined = f->published};
	viewer->client = client_new(&f->clients, pair[1], 0);
	room_join(f->rooms, id, viewer->client);
	return viewer;
}

static void
leave(struct viewer *viewer)
{
	client_drop(viewer->client, CLOSE_GONE);
	viewer->client = NULL;
}

static struct message *
event(const char *letter, int number)
{
	char text[32];

	return message_new(
	    MESSAGE_EVENT, text, (size_t)snprintf(text, sizeof(text), "%s%d", letter, number));
}

/* False: not now. */
static bool
publish(struct fixture *f, const struct form_id *id)
{
	struct message *message = event("E", f->published + 1);
	bool taken = room_publish(f->rooms, room_find(f->rooms, id), message);

	message_unref(&message);
	f->published += taken;
	return taken;
}

static void
serve_all(struct fixture *f)
{
	while (rooms_slice(f->rooms)) {
	}
	clients_flush(&f->clients);
}

/* One event more. A newcomer of a large room may get some from before it came; nobody gets one
 * twice, or misses any. */
static void
got(struct viewer *viewer, int number)
{
	if (viewer->last == 0)
		CHECK(number <= viewer->joined + 1);
	else
		CHECK_INT(number, viewer->last + 1);
	viewer->last = number;
	viewer->count++;
}

/* Whatever has reached it. */
static void
take_in(struct viewer *viewer)
{
	char bytes[65536];
	ssize_t length = recv(viewer->fd, bytes, sizeof(bytes) - 1, 0);
	ssize_t at = 0, header;

	bytes[MAX(length, 0)] = '\0';
	while (at < length) {
		bool is_long = (uint8_t)bytes[at + 1] == 126;
		int size = (uint8_t)bytes[at + 1];

		header = is_long ? 4 : 2;
		if (is_long)
			size = (uint8_t)bytes[at + 2] << 8 | (uint8_t)bytes[at + 3];
		if (bytes[at + header] == 'E')
			got(viewer, (int)strtol(bytes + at + header + 1, NULL, 10));
		at += header + size;
	}
}

TEST(a_large_room_is_served_in_slices_and_holds_up_nobody)
{
	struct fixture *f = fixture_new();
	struct viewer *other;
	int reached = 0;

	for (int i = 0; i < LARGE; i++)
		join(f, &large);
	other = join(f, &small);
	rooms_flush(f->rooms);
	CHECK(publish(f, &large));
	f->published = 0;
	CHECK(publish(f, &small));
	CHECK(rooms_slice(f->rooms));
	take_in(other);
	CHECK_INT(other->count, 1);
	for (int i = 0; i < LARGE; i++) {
		take_in(&f->viewers[i]);
		reached += f->viewers[i].count;
	}
	CHECK(reached > 0 && reached < LARGE);
	serve_all(f);
	CHECK_INT(rooms_pending(f->rooms), 0);
	for (int i = 0; i < LARGE; i++) {
		take_in(&f->viewers[i]);
		CHECK_INT(f->viewers[i].count, 1);
	}
	fixture_free(f);
}

/* As many as are taken at once. */
static int
publish_what_fits(struct fixture *f, const struct form_id *id, int most)
{
	int before = f->published;

	while (f->published < most && publish(f, id)) {
	}
	return f->published - before;
}

TEST(a_burst_of_events_to_a_large_room_waits_outside_and_holds_up_nobody)
{
	struct fixture *f = fixture_new();
	struct viewer *other;
	int turns = 0;

	for (int i = 0; i < LARGE; i++)
		join(f, &large);
	other = join(f, &small);
	rooms_flush(f->rooms);
	CHECK(!rooms_eased(f->rooms));
	CHECK_INT(publish_what_fits(f, &large, BURST), FITS);
	CHECK(!rooms_eased(f->rooms));
	while (f->published < BURST) {
		struct message *message = event("E", ++turns);

		/* A slice of the large room, and the small one has its own in the same turn. */
		CHECK(room_publish(f->rooms, room_find(f->rooms, &small), message));
		message_unref(&message);
		CHECK(rooms_slice(f->rooms));
		take_in(other);
		CHECK_INT(other->last, turns);
		if (rooms_eased(f->rooms))
			CHECK(publish_what_fits(f, &large, BURST) > 0);
		else
			CHECK(!publish(f, &large));
	}
	CHECK(turns >= BURST / FITS);
	serve_all(f);
	for (int i = 0; i < LARGE; i++) {
		take_in(&f->viewers[i]);
		CHECK_INT(f->viewers[i].last, BURST);
	}
	fixture_free(f);
}

TEST(states_are_taken_however_many_events_wait)
{
	static const enum message_kind kinds[] = {
	    MESSAGE_STATUS, MESSAGE_ANALYTICS, MESSAGE_METRICS};
	struct fixture *f = fixture_new();
	struct viewer *viewer = join(f, &small);

	CHECK_INT(publish_what_fits(f, &small, BURST), FITS);
	for (int twice = 0; twice < 2; twice++) {
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
			char text[16];
			struct message *state = message_new(kinds[i], text,
			    (size_t)snprintf(text, sizeof(text), "E%d", FITS + 1 + (int)i));

			CHECK(room_publish(f->rooms, room_find(f->rooms, &small), state));
			message_unref(&state);
		}
	}
	CHECK(!publish(f, &small));
	CHECK(!rooms_slice(f->rooms));
	take_in(viewer);
	CHECK_INT(viewer->last, FITS + (int)ARRAY_SIZE(kinds));
	CHECK(rooms_eased(f->rooms));
	fixture_free(f);
}

TEST(who_waits_for_a_room_that_goes_is_told)
{
	struct fixture *f = fixture_new();
	struct viewer *viewer = join(f, &small);

	CHECK_INT(publish_what_fits(f, &small, BURST), FITS);
	CHECK(!rooms_eased(f->rooms));
	leave(viewer);
	CHECK(rooms_eased(f->rooms));
	CHECK(!rooms_eased(f->rooms));
	fixture_free(f);
}

/* Half of them are served with the first, and the second is pending. */
TEST(who_is_to_be_closed_gets_all_that_was_published_before)
{
	struct fixture *f = fixture_new();

	for (int i = 0; i < LARGE; i++)
		join(f, &large);
	rooms_flush(f->rooms);
	CHECK(publish(f, &large));
	CHECK(rooms_slice(f->rooms));
	CHECK(publish(f, &large));
	for (int i = 0; i < LARGE; i += 13) {
		room_take_leave(f->rooms, f->viewers[i].client);
		leave(&f->viewers[i]);
	}
	serve_all(f);
	for (int i = 0; i < LARGE; i++) {
		take_in(&f->viewers[i]);
		CHECK_INT(f->viewers[i].last, 2);
		CHECK_INT(f->viewers[i].count, 2);
	}
	fixture_free(f);
}

TEST(who_leaves_a_small_room_and_comes_gets_nothing_from_before)
{
	struct fixture *f = fixture_new();
	struct viewer *late;

	join(f, &small);
	CHECK(publish(f, &small));
	late = join(f, &small);
	CHECK(!rooms_slice(f->rooms));
	take_in(&f->viewers[0]);
	take_in(late);
	CHECK_INT(f->viewers[0].count, 1);
	CHECK_INT(late->count, 0);
	fixture_free(f);
}

static struct viewer *
anybody(struct fixture *f, unsigned *seed)
{
	struct viewer *viewer;

	do
		viewer = &f->viewers[rand_r(seed) % f->count];
	while (!viewer->client);
	return viewer;
}

static void
do_something(struct fixture *f, unsigned *seed)
{
	struct viewer *viewer = anybody(f, seed);
	struct message *message;

	switch (rand_r(seed) % 8) {
	case 0:
		if (!publish(f, &large))
			rooms_slice(f->rooms);
		break;
	case 1:
		rooms_slice(f->rooms);
		break;
	case 2:
	case 3:
		if (f->count < MOST)
			join(f, &large);
		break;
	case 4:
	case 5:
		leave(viewer);
		break;
	case 6:
		message = event("T", 0);
		room_tell(f->rooms, viewer->client, message);
		message_unref(&message);
		break;
	default:
		take_in(viewer);
		break;
	}
}

TEST(comings_and_goings_between_the_slices_cost_nobody_an_event)
{
	unsigned seed = (unsigned)getpid();
	struct fixture *f = fixture_new();

	printf("seed %u\n", seed);
	for (int i = 0; i < LARGE; i++)
		join(f, &large);
	for (int i = 0; i < 3000; i++)
		do_something(f, &seed);
	serve_all(f);
	CHECK(publish(f, &large));
	serve_all(f);
	for (int i = 0; i < f->count; i++) {
		if (!f->viewers[i].client)
			continue;
		take_in(&f->viewers[i]);
		CHECK_INT(f->viewers[i].last, f->published);
	}
	CHECK_INT(rooms_pending(f->rooms), 0);
	fixture_free(f);
}
