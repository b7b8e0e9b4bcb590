/* SPDX-License-Identifier: MIT */
#include "lib/report.h"

#include <unistd.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/frame.h"
#include "lib/link.h"
#include "lib/mem.h"
#include "lib/version.h"

#define OUT_MAX 1048576
#define INTERVAL 1.0

struct report {
	struct ev_loop *loop;
	struct report_config config;
	const struct report_events *events;
	void *owner;
	struct link *link;
	ev_timer timer;
	int64_t started_ms;
	struct buf scratch; /* one JSON object, between its building and its sending */
};

static const char *const kind_names[] = {
    [KIND_COUNTER] = "counter",
    [KIND_COUNTER_US] = "counter_us",
    [KIND_GAUGE] = "gauge",
    [KIND_GAUGE_MS] = "gauge_ms",
    [KIND_HISTOGRAM] = "histogram",
};

int
report_frame(struct report *report, const void *json, size_t length)
{
	struct conn *conn = link_conn(report->link);
	uint8_t header[FRAME_HEADER];

	if (!conn || length > OUT_MAX)
		return -1;
	frame_put_header(header, (uint32_t)length);
	return conn_send2(conn, header, sizeof(header), json, length);
}

/* What does not fit is dropped: the next report says it all again. */
static void
send_scratch(struct report *report, struct json_writer *w)
{
	if (json_write_end(w) == 0 &&
	    report_frame(report, buf_bytes(&report->scratch), buf_length(&report->scratch)) < 0) {
		/* statsd is away or behind */
	}
	buf_clear(&report->scratch);
}

static void
put_pair(struct json_writer *w, const char *name, const char *value)
{
	json_key(w, name);
	json_put_string(w, value);
}

static void
put_row(struct json_writer *w, const struct counter *row)
{
	json_object_begin(w);
	put_pair(w, "name", row->name);
	put_pair(w, "labels", row->labels);
	put_pair(w, "kind", kind_names[row->kind]);
	put_pair(w, "help", row->help);
	if (row->kind == KIND_HISTOGRAM) {
		json_key(w, "bounds");
		json_array_begin(w);
		for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++)
			json_put_u64(w, histogram_bounds[i]);
		json_array_end(w);
	}
	json_object_end(w);
}

static void
put_value(struct json_writer *w, const struct counter *row, uint64_t value)
{
	if (row->kind != KIND_HISTOGRAM) {
		json_put_u64(w, value);
		return;
	}
	json_array_begin(w);
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		json_put_u64(w, row->histogram->counts[i]);
	json_put_u64(w, row->histogram->sum_us);
	json_array_end(w);
}

static void
send_schema(struct report *report)
{
	const struct report_config *config = &report->config;
	struct json_writer w;

	json_write_begin(&w, &report->scratch);
	json_object_begin(&w);
	put_pair(&w, "type", "report:schema");
	put_pair(&w, "daemon", config->daemon);
	put_pair(&w, "instance", config->instance);
	json_key(&w, "pid");
	json_put_i64(&w, getpid());
	put_pair(&w, "version", DUNE_VERSION);
	json_key(&w, "startedAt");
	json_put_time(&w, report->started_ms);
	json_key(&w, "metrics");
	json_array_begin(&w);
	for (size_t i = 0; i < config->count; i++)
		put_row(&w, &config->schema[i]);
	json_array_end(&w);
	json_object_end(&w);
	send_scratch(report, &w);
}

void
report_now(struct report *report)
{
	const struct report_events *events = report->events;
	const char *unwell = NULL;
	struct json_writer w;

	if (!link_is_up(report->link))
		return;
	if (events->refresh)
		events->refresh(report->owner);
	if (events->unwell)
		unwell = events->unwell(report->owner);
	json_write_begin(&w, &report->scratch);
	json_object_begin(&w);
	put_pair(&w, "type", "report");
	json_key(&w, "values");
	json_array_begin(&w);
	for (size_t i = 0; i < report->config.count; i++)
		put_value(&w, &report->config.schema[i], report->config.values[i]);
	json_array_end(&w);
	json_key(&w, "unwell");
	if (unwell)
		json_put_string(&w, unwell);
	else
		json_put_null(&w);
	json_object_end(&w);
	send_scratch(report, &w);
	if (events->extra)
		events->extra(report->owner, report);
	if (link_is_up(report->link))
		conn_flush(link_conn(report->link));
}

static void
on_up(void *owner)
{
	struct report *report = owner;

	send_schema(report);
	if (report->events->connected)
		report->events->connected(report->owner);
	report_now(report);
}

/* statsd says nothing; whatever comes is thrown away. */
static size_t
on_data(void *owner UNUSED, const uint8_t *data UNUSED, size_t length)
{
	return length;
}

static void
on_down(void *owner UNUSED, int error UNUSED)
{
}

static const struct link_events link_events = {on_up, on_data, NULL, on_down};

static void
on_timer(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	report_now(container_of(timer, struct report, timer));
}

struct report *
report_new(struct ev_loop *loop, const struct report_config *config,
    const struct report_events *events, void *owner)
{
	struct report *report = mem_zalloc(sizeof(*report));
	char *path = mem_printf("%s/stats.sock", config->run_dir);
	char *name = mem_printf("statsd at %s", path);

	report->loop = loop;
	report->config = *config;
	report->events = events;
	report->owner = owner;
	report->started_ms = clock_wall_ms();
	buf_init(&report->scratch, OUT_MAX);
	report->link = link_new(loop, path, name, &link_events, report, 4096, OUT_MAX);
	ev_timer_init(&report->timer, on_timer, INTERVAL, INTERVAL);
	ev_timer_start(loop, &report->timer);
	MEM_FREE(&path);
	MEM_FREE(&name);
	return report;
}

void
report_free(struct report **pointer)
{
	struct report *report = *pointer;

	if (!report)
		return;
	*pointer = NULL;
	ev_timer_stop(report->loop, &report->timer);
	link_free(&report->link);
	buf_free(&report->scratch);
	MEM_FREE(&report);
}
