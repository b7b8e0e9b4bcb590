/* SPDX-License-Identifier: MIT */
#include "lib/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/acceptor.h"
#include "lib/frame.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/reaper.h"
#include "tests/unit/unit.h"

static const struct counter schema[] = {
    {.name = "dune_test_events_total",
	.labels = "op=\"a\"",
	.kind = KIND_COUNTER,
	.help = "Events."},
    {.name = "dune_test_lag_seconds", .labels = "", .kind = KIND_GAUGE_MS, .help = "Lag."},
};

/* statsd, played by the test itself: a listener and a bare descriptor. */
struct world {
	struct ev_loop *loop;
	struct acceptor *acceptor;
	struct report *report;
	char *path;
	uint64_t values[2];
	int fd, refreshed;
	const char *wrong;
};

static void
on_accept(void *owner, int fd, const struct sock_address *peer UNUSED)
{
	((struct world *)owner)->fd = fd;
}

static void
on_refresh(void *owner)
{
	struct world *world = owner;

	world->refreshed++;
	world->values[1] = 250;
}

static const char *
on_unwell(void *owner)
{
	return ((struct world *)owner)->wrong;
}

static void
on_extra(void *owner UNUSED, struct report *report)
{
	static const char extra[] = "{\"type\":\"report:rooms\"}";

	CHECK(report_frame(report, extra, strlen(extra)) == 0);
}

static const struct report_events events = {
    .refresh = on_refresh, .unwell = on_unwell, .extra = on_extra};

static void
world_open(struct world *world)
{
	struct report_config config = {.daemon = "test",
	    .instance = "test.2",
	    .run_dir = unit_directory(),
	    .schema = schema,
	    .values = world->values,
	    .count = ARRAY_SIZE(schema)};
	int fd;

	memset(world, 0, sizeof(*world));
	log_init("test", LOG_ERROR, LOG_TEXT);
	world->fd = -1;
	world->values[0] = 17;
	world->loop = ev_loop_new(0);
	world->path = mem_printf("%s/stats.sock", unit_directory());
	fd = sock_listen_unix(world->path, 0600, 8);
	CHECK(fd >= 0);
	world->acceptor = acceptor_new(world->loop, fd, 1, on_accept, world);
	world->report = report_new(world->loop, &config, &events, world);
}

static void
world_free(struct world *world)
{
	report_free(&world->report);
	acceptor_free(&world->acceptor);
	sock_unlink(world->path);
	fd_close(&world->fd);
	reaper_drain();
	MEM_FREE(&world->path);
	ev_loop_destroy(world->loop);
}

/* The next frame's payload, in `out`. */
static void
next_frame(struct world *world, char *out, size_t size)
{
	uint8_t header[FRAME_HEADER];
	size_t payload;

	while (world->fd < 0 || read(world->fd, header, sizeof(header)) != FRAME_HEADER)
		ev_run(world->loop, EVRUN_ONCE);
	payload = (size_t)header[2] << 8 | header[3];
	CHECK(payload < size);
	CHECK_INT(read(world->fd, out, payload), payload);
	out[payload] = '\0';
}

/* Behind the test's own values stand those of the process, which are what they are. */
static void
check_report(const char *text, const char *begin, const char *end)
{
	unsigned long long cpu, memory, open, most;
	int used = 0;

	CHECK(strncmp(text, begin, strlen(begin)) == 0);
	CHECK_INT(sscanf(text + strlen(begin), "%llu,%llu,%llu,%llu],%n", &cpu, &memory, &open,
		      &most, &used),
	    4);
	CHECK_STRING(text + strlen(begin) + used, end);
	CHECK(memory > 100000);
	CHECK(open > 3 && open <= most);
}

TEST(report_sends_the_schema_and_then_the_values)
{
	struct world world;
	char text[2048];

	world_open(&world);
	next_frame(&world, text, sizeof(text));
	CHECK(strstr(
	    text, "{\"type\":\"report:schema\",\"daemon\":\"test\",\"instance\":\"test.2\","));
	CHECK(strstr(text,
	    "{\"name\":\"dune_test_events_total\",\"labels\":\"op=\\\"a\\\"\","
	    "\"kind\":\"counter\",\"help\":\"Events.\"}"));
	CHECK(strstr(text, "\"kind\":\"gauge_ms\""));
	CHECK(strstr(text, "\"dune_process_open_fds\""));
	next_frame(&world, text, sizeof(text));
	check_report(text, "{\"type\":\"report\",\"values\":[17,250,", "\"unwell\":null}");
	next_frame(&world, text, sizeof(text));
	CHECK_STRING(text, "{\"type\":\"report:rooms\"}");
	world.values[0] = 18;
	world.wrong = "not connected";
	report_now(world.report);
	next_frame(&world, text, sizeof(text));
	check_report(
	    text, "{\"type\":\"report\",\"values\":[18,250,", "\"unwell\":\"not connected\"}");
	world_free(&world);
}

/* A statsd that does not read: reports are dropped whole, and memory stays bounded. */
TEST(report_drops_what_does_not_fit)
{
	static char big[65536];
	struct world world;
	int taken = 0;

	world_open(&world);
	CHECK(report_frame(world.report, big, 10) < 0);
	while (world.fd < 0)
		ev_run(world.loop, EVRUN_ONCE);
	while (report_frame(world.report, big, sizeof(big)) == 0)
		CHECK(++taken < 100);
	CHECK(taken >= 10);
	world_free(&world);
}
