/* SPDX-License-Identifier: MIT */
#include "lib/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/acceptor.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/reaper.h"
#include "tests/unit/lib/capture.h"
#include "tests/unit/unit.h"

/* A link and the acceptor it reaches, in one loop. */
struct world {
	struct ev_loop *loop;
	struct link *link;
	struct acceptor *acceptor;
	char *path;
	int accepted[4], count;
	int ups, downs;
	char heard[64];
	bool free_inside;
};

static void
on_up(void *owner)
{
	struct world *world = owner;

	world->ups++;
	ev_break(world->loop, EVBREAK_ALL);
}

static size_t
on_data(void *owner, const uint8_t *data, size_t length)
{
	struct world *world = owner;

	memcpy(world->heard, data, MIN(length, sizeof(world->heard) - 1));
	ev_break(world->loop, EVBREAK_ALL);
	return length;
}

static void
on_down(void *owner, int error)
{
	struct world *world = owner;

	CHECK_INT(error, 0);
	world->downs++;
	if (world->free_inside)
		link_free(&world->link);
	ev_break(world->loop, EVBREAK_ALL);
}

static const struct link_events events = {on_up, on_data, NULL, on_down};

static void
on_accept(void *owner, int fd, const struct sock_address *peer UNUSED)
{
	struct world *world = owner;

	CHECK(world->count < 4);
	world->accepted[world->count++] = fd;
	ev_break(world->loop, EVBREAK_ALL);
}

static void
world_open(struct world *world)
{
	memset(world, 0, sizeof(*world));
	log_init("test", LOG_ERROR, LOG_TEXT);
	world->loop = ev_loop_new(0);
	world->path = mem_printf("%s/x.sock", unit_directory());
	world->link = link_new(world->loop, world->path, "x", &events, world, 4096, 4096);
}

static void
world_listen(struct world *world)
{
	int fd = sock_listen_unix(world->path, 0600, 8);

	CHECK(fd >= 0);
	world->acceptor = acceptor_new(world->loop, fd, 16, on_accept, world);
}

static void
world_free(struct world *world)
{
	for (int i = 0; i < world->count; i++)
		fd_close(&world->accepted[i]);
	link_free(&world->link);
	acceptor_free(&world->acceptor);
	sock_unlink(world->path);
	reaper_drain();
	MEM_FREE(&world->path);
	ev_loop_destroy(world->loop);
}

TEST(link_comes_up_when_the_listener_does)
{
	struct world world;

	world_open(&world);
	ev_run(world.loop, EVRUN_ONCE);
	CHECK(!link_is_up(world.link));
	world_listen(&world);
	while (!world.ups || !world.count)
		ev_run(world.loop, EVRUN_ONCE);
	CHECK(link_is_up(world.link));
	CHECK_INT(write(world.accepted[0], "hi", 2), 2);
	while (!world.heard[0])
		ev_run(world.loop, EVRUN_ONCE);
	CHECK_STRING(world.heard, "hi");
	world_free(&world);
}

TEST(link_comes_up_again)
{
	struct world world;

	world_open(&world);
	world_listen(&world);
	while (!world.ups || !world.count)
		ev_run(world.loop, EVRUN_ONCE);
	fd_close(&world.accepted[0]);
	while (!world.downs || world.ups < 2)
		ev_run(world.loop, EVRUN_ONCE);
	CHECK(link_is_up(world.link));
	link_reset(world.link);
	CHECK(!link_is_up(world.link));
	while (world.ups < 3)
		ev_run(world.loop, EVRUN_ONCE);
	CHECK_INT(world.downs, 1);
	world_free(&world);
}

static void
on_accept_and_drop(void *owner UNUSED, int fd, const struct sock_address *peer UNUSED)
{
	fd_close(&fd);
}

/* Six times: that is a dozen lines, if all are told. */
static void
be_dropped(void)
{
	struct world world;
	int fd;

	world_open(&world);
	log_init("test", LOG_INFO, LOG_TEXT);
	fd = sock_listen_unix(world.path, 0600, 8);
	CHECK(fd >= 0);
	world.acceptor = acceptor_new(world.loop, fd, 16, on_accept_and_drop, &world);
	while (world.downs < 6)
		ev_run(world.loop, EVRUN_ONCE);
	world_free(&world);
}

TEST(link_that_is_dropped_again_and_again_is_told_a_few_times)
{
	static struct captured got;
	uint64_t start = clock_monotonic_ms();
	size_t lines = 0;

	capture(&got, be_dropped);
	CHECK_INT(got.status, 0);
	for (const char *at = got.err; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	CHECK(strstr(got.err, "WARN: lost x: it has closed\n") == got.err);
	/* One more each ten seconds. */
	CHECK(lines <= 6 + (clock_monotonic_ms() - start) / 10000);
}

TEST(link_may_be_freed_inside_down)
{
	struct world world;

	world_open(&world);
	world_listen(&world);
	while (!world.ups || !world.count)
		ev_run(world.loop, EVRUN_ONCE);
	world.free_inside = true;
	fd_close(&world.accepted[0]);
	while (!world.downs)
		ev_run(world.loop, EVRUN_ONCE);
	CHECK(world.link == NULL);
	world_free(&world);
}

TEST(acceptor_rests_when_descriptors_run_out)
{
	struct world world;
	struct rlimit limit, small;
	int client, busy = 0;

	/* It does not hold accept(2) to the limit that it shows. */
	if (unit_valgrind())
		return;
	world_open(&world);
	link_free(&world.link);
	world_listen(&world);
	client = sock_connect_unix(world.path);
	CHECK(client >= 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	small = limit;
	small.rlim_cur = (rlim_t)client + 1;
	log_init("test", LOG_ERROR + 1, LOG_TEXT);
	CHECK(setrlimit(RLIMIT_NOFILE, &small) == 0);
	while (acceptor_exhausted(world.acceptor) < 2) {
		ev_run(world.loop, EVRUN_ONCE);
		CHECK(++busy < 20);
	}
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while (!world.count)
		ev_run(world.loop, EVRUN_ONCE);
	fd_close(&client);
	world_free(&world);
}

TEST(acceptor_paused_takes_nobody)
{
	struct world world;
	int client;

	world_open(&world);
	link_free(&world.link);
	world_listen(&world);
	acceptor_pause(world.acceptor);
	client = sock_connect_unix(world.path);
	CHECK(client >= 0);
	ev_run(world.loop, EVRUN_NOWAIT);
	CHECK_INT(world.count, 0);
	acceptor_resume(world.acceptor);
	while (!world.count)
		ev_run(world.loop, EVRUN_ONCE);
	fd_close(&client);
	world_free(&world);
}
