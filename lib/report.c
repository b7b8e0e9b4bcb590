/* SPDX-License-Identifier: MIT */
#include "lib/report.h"

#include <unistd.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/frame.h"
#include "lib/link.h"
#include "lib/mem.h"
#include "lib/process.h"
#include "lib/version.h"

#define OUT_MAX (2 * REPORT_MAX_FRAME)
#define IN_MAX 4096
#define QUERY_TOKENS 64
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

int
report_frame(struct report *report, const void *json, size_t length)
{
	struct conn *conn = link_conn(report->link);
	uint8_t header[FRAME_HEADER];

	if (!conn || length > REPORT_MAX_FRAME)
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
	put_pair(w, "kind", counter_kind_names[row->kind]);
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
	if (config->serves) {
		json_key(&w, "serves");
		json_array_begin(&w);
		json_put_string(&w, config->serves);
		json_array_end(&w);
	}
	json_key(&w, "metrics");
	json_array_begin(&w);
	for (size_t i = 0; i < config->count; i++)
		put_row(&w, &config->schema[i]);
	for (size_t i = 0; i < PROCESS_ROWS; i++)
		put_row(&w, &process_schema[i]);
	json_array_end(&w);
	json_object_end(&w);
	send_scratch(report, &w);
}

static void
send_report(struct report *report, bool hands_on)
{
	const struct report_events *events = report->events;
	const char *unwell = NULL;
	uint64_t process[PROCESS_ROWS];
	struct json_writer w;

	if (!link_is_up(report->link))
		return;
	if (events->refresh)
		events->refresh(report->owner);
	if (events->unwell)
		unwell = events->unwell(report->owner);
	process_values(process);
	json_write_begin(&w, &report->scratch);
	json_object_begin(&w);
	put_pair(&w, "type", "report");
	json_key(&w, "values");
	json_array_begin(&w);
	for (size_t i = 0; i < report->config.count; i++)
		put_value(&w, &report->config.schema[i], report->config.values[i]);
	for (size_t i = 0; i < PROCESS_ROWS; i++)
		json_put_u64(&w, process[i]);
	json_array_end(&w);
	json_key(&w, "unwell");
	if (unwell)
		json_put_string(&w, unwell);
	else
		json_put_null(&w);
	if (hands_on) {
		json_key(&w, "handsOn");
		json_put_bool(&w, true);
	}
	json_object_end(&w);
	send_scratch(report, &w);
	if (events->extra)
		events->extra(report->owner, report);
	if (link_is_up(report->link))
		conn_flush(link_conn(report->link));
}

void
report_now(struct report *report)
{
	send_report(report, false);
}

void
report_hand_on(struct report *report)
{
	send_report(report, true);
}

int64_t
report_started_ms(const struct report *report)
{
	return report->started_ms;
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

static void
put_answer(struct json_writer *w, uint64_t id, unsigned status, const void *json, size_t length)
{
	json_object_begin(w);
	put_pair(w, "type", "answer");
	json_key(w, "id");
	json_put_u64(w, id);
	json_key(w, "status");
	json_put_u64(w, status);
	json_key(w, "body");
	json_put_raw(w, json, length);
	json_object_end(w);
}

int
report_answer(struct report *report, uint64_t id, unsigned status, const void *json, size_t length)
{
	static const char too_long[] = "{\"error\":\"The answer is too long\"}";
	struct json_writer w;

	json_write_begin(&w, &report->scratch);
	put_answer(&w, id, status, json, length);
	if (json_write_end(&w) < 0) {
		json_write_begin(&w, &report->scratch);
		put_answer(&w, id, 500, too_long, sizeof(too_long) - 1);
		if (json_write_end(&w) < 0)
			return -1;
	}
	int result = report_frame(
	    report, buf_bytes(&report->scratch), buf_length(&report->scratch));
	buf_clear(&report->scratch);
	return result;
}

/* Frames of other types are of a later version. */
static void
take_frame(struct report *report, const char *json, size_t length)
{
	struct json_doc doc;
	int64_t id;

	if (!report->events->query || json_parse(&doc, json, length, QUERY_TOKENS, NULL) < 0)
		return;
	if (json_string_is(&doc, json_get(&doc, 0, "type"), "query") &&
	    json_i64(&doc, json_get(&doc, 0, "id"), &id) == 0 && id >= 0) {
		const struct report_query query = {.id = (uint64_t)id, .doc = &doc};

		report->events->query(report->owner, report, &query);
	}
	json_free(&doc);
}

static size_t
on_data(void *owner, const uint8_t *data, size_t length)
{
	struct report *report = owner;
	size_t used = 0, payload;
	long size;

	while (
	    (size = frame_parse(data + used, length - used, IN_MAX - FRAME_HEADER, &payload)) > 0) {
		take_frame(report, (const char *)data + used + FRAME_HEADER, payload);
		used += (size_t)size;
	}
	if (size < 0)
		link_reset(report->link);
	return used;
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
	report->started_ms = config->started_ms > 0 ? config->started_ms : clock_wall_ms();
	process_init();
	buf_init(&report->scratch, REPORT_MAX_FRAME);
	report->link = link_new(loop, path, name, &link_events, report, IN_MAX, OUT_MAX);
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
	process_free();
	MEM_FREE(&report);
}
