/* SPDX-License-Identifier: MIT */
#include "statsd/page_pipeline.h"

#include <string.h>

#include "lib/json_write.h"
#include "statsd/page_health.h"

#define MS_PER_S 1000.0
#define US_PER_S 1000000.0

/* What is shown of each daemon: the sum of a metric's rows, or the largest of them. */
static const struct figure {
	const char *daemon, *key, *metric;
	bool largest;
} figures[] = {
    {"ingestd", "events", "dune_ingestd_events_total", false},
    {"ingestd", "committed", "dune_ingestd_committed_events_total", false},
    {"ingestd", "sourceConnected", "dune_ingestd_source_connected", true},
    {"ingestd", "sourceErrors", "dune_ingestd_source_errors_total", false},
    {"ingestd", "badLines", "dune_ingestd_bad_lines_total", false},
    {"ingestd", "lagSeconds", "dune_ingestd_lag_seconds", true},
    {"ingestd", "waiting", "dune_ingestd_outbox_events", false},
    {"ingestd", "waitingBytes", "dune_ingestd_outbox_bytes", false},
    {"ingestd", "scanning", "dune_ingestd_scan_running", true},
    {"ingestd", "scanned", "dune_ingestd_scan_documents", false},
    {"ingestd", "toScan", "dune_ingestd_scan_documents_estimated", false},
    {"analyticsd", "events", "dune_analyticsd_events_total", false},
    {"analyticsd", "malformed", "dune_analyticsd_malformed_total", false},
    {"analyticsd", "commits", "dune_analyticsd_commits_total", false},
    {"analyticsd", "commitSeconds", "dune_analyticsd_commit_seconds", false},
    {"analyticsd", "waiting", "dune_analyticsd_pending_rows", false},
    {"analyticsd", "lagSeconds", "dune_analyticsd_applied_lag_seconds", true},
    {"analyticsd", "formsInMemory", "dune_analyticsd_forms_in_memory", false},
    {"analyticsd", "frames", "dune_analyticsd_frames_total", false},
    {"wsfand", "connections", "dune_wsfand_connections", false},
    {"wsfand", "producers", "dune_wsfand_producers", false},
    {"wsfand", "frames", "dune_wsfand_frames_total", false},
    {"wsfand", "messages", "dune_wsfand_messages_sent_total", false},
    {"wsfand", "bytes", "dune_wsfand_sent_bytes_total", false},
    {"wsfand", "waitingBytes", "dune_wsfand_queued_bytes", false},
    {"wsfand", "behind", "dune_wsfand_clients_behind", false},
    {"wsfand", "badFrames", "dune_wsfand_bad_frames_total", false},
    {"wsfand", "refused", "dune_wsfand_refused_total", false},
    {"statsd", "reporters", "dune_statsd_reporters", false},
    {"statsd", "reports", "dune_statsd_reports_total", false},
    {"statsd", "badReports", "dune_statsd_bad_reports_total", false},
    {"statsd", "requests", "dune_statsd_http_requests_total", false},
};

static void
put_instance(struct json_writer *w, const struct reporter *reporter, struct moment now)
{
	json_object_begin(w);
	json_key(w, "name");
	json_put_string(w, reporter->instance);
	json_key(w, "version");
	json_put_string(w, reporter->version);
	json_key(w, "pid");
	json_put_i64(w, reporter->pid);
	json_key(w, "startedAt");
	json_put_time(w, reporter->started_ms);
	json_key(w, "up");
	json_put_bool(w, reporter_fresh(reporter, now));
	json_object_end(w);
}

/* Of a histogram the sum of what it observed. */
static uint64_t
metric_value(const struct metric *metric)
{
	return metric->bound_count > 0 ? metric->counts[metric->bound_count + 1] : metric->value;
}

/* In the metric's own unit: seconds where it is kept in parts of them. */
static void
put_figure(struct json_writer *w, const struct registry *registry, const struct figure *figure)
{
	const struct family *family = families_find(registry_families(registry), figure->metric);
	enum counter_kind kind = KIND_COUNTER;
	uint64_t value = 0;
	if (!family)
		return;
	LIST_FOR_EACH (node, family_metrics(family)) {
		const struct metric *metric = container_of(node, struct metric, in_family);
		kind = metric->kind;
		uint64_t one = metric_value(metric);
		value = figure->largest ? MAX(value, one) : value + one;
	}
	json_key(w, figure->key);
	if (kind == KIND_GAUGE_MS)
		json_put_double(w, (double)value / MS_PER_S);
	else if (kind == KIND_COUNTER_US || kind == KIND_HISTOGRAM)
		json_put_double(w, (double)value / US_PER_S);
	else
		json_put_u64(w, value);
}

static void
put_daemon(struct json_writer *w, const struct registry *registry, const struct daemon *daemon,
    struct moment now)
{
	struct verdict verdict;
	daemon_judge(daemon, now, &verdict);
	json_object_begin(w);
	json_key(w, "name");
	json_put_string(w, daemon->name);
	json_key(w, "up");
	json_put_bool(w, daemon_up(daemon, now));
	put_verdict(w, &verdict);
	json_key(w, "instances");
	json_array_begin(w);
	LIST_FOR_EACH (node, &daemon->reporters)
		put_instance(w, container_of(node, struct reporter, in_daemon), now);
	json_array_end(w);
	json_key(w, "figures");
	json_object_begin(w);
	for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
		if (strcmp(figures[i].daemon, daemon->name) == 0)
			put_figure(w, registry, &figures[i]);
	}
	json_object_end(w);
	json_object_end(w);
}

/* The counts of a histogram's buckets, the last of them for what is over all bounds. Each stage is
 * told by one daemon; of several instances the first one is shown. */
static void
put_stage(struct json_writer *w, const struct metric *metric)
{
	json_object_begin(w);
	json_key(w, "bounds");
	json_array_begin(w);
	for (size_t i = 0; i < metric->bound_count; i++)
		json_put_double(w, (double)metric->bounds[i] / US_PER_S);
	json_array_end(w);
	json_key(w, "counts");
	json_array_begin(w);
	for (size_t i = 0; i <= metric->bound_count; i++)
		json_put_u64(w, metric->counts[i]);
	json_array_end(w);
	json_object_end(w);
}

static void
put_freshness(struct json_writer *w, const struct registry *registry)
{
	static const struct {
		const char *key, *labels;
	} stages[] = {
	    {"applied", "stage=\"applied\""},
	    {"published", "stage=\"published\""},
	    {"sent", "stage=\"sent\""},
	};
	const struct family *family = families_find(
	    registry_families(registry), "dune_freshness_seconds");
	if (!family)
		return;
	json_key(w, "freshness");
	json_object_begin(w);
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		LIST_FOR_EACH (node, family_metrics(family)) {
			const struct metric *metric = container_of(node, struct metric, in_family);
			if (metric->kind != KIND_HISTOGRAM ||
			    strcmp(metric->labels, stages[i].labels) != 0)
				continue;
			json_key(w, stages[i].key);
			put_stage(w, metric);
			break;
		}
	}
	json_object_end(w);
}

/* The rooms with most clients, most first; between equals the lower id. */
struct top {
	struct {
		struct form_id form;
		uint64_t clients;
	} rooms[PIPELINE_TOP_ROOMS];
	size_t count;
};

static void
top_visit(void *context, const struct form_id *form, uint64_t clients)
{
	struct top *top = context;
	size_t at = top->count;
	while (at > 0 &&
	    (top->rooms[at - 1].clients < clients ||
		(top->rooms[at - 1].clients == clients &&
		    memcmp(form, &top->rooms[at - 1].form, sizeof(*form)) < 0)))
		at--;
	if (at == PIPELINE_TOP_ROOMS)
		return;
	if (top->count < PIPELINE_TOP_ROOMS)
		top->count++;
	memmove(
	    &top->rooms[at + 1], &top->rooms[at], (top->count - at - 1) * sizeof(top->rooms[0]));
	top->rooms[at].form = *form;
	top->rooms[at].clients = clients;
}

static void
put_top_rooms(struct json_writer *w, const struct rooms *rooms)
{
	struct top top = {.count = 0};
	if (rooms_count(rooms) > PIPELINE_ROOMS_SEARCHED)
		return;
	rooms_each(rooms, top_visit, &top);
	json_key(w, "topRooms");
	json_array_begin(w);
	for (size_t i = 0; i < top.count; i++) {
		char hex[FORM_ID_HEX + 1];
		form_id_format(&top.rooms[i].form, hex);
		json_object_begin(w);
		json_key(w, "formId");
		json_put_string(w, hex);
		json_key(w, "clients");
		json_put_u64(w, top.rooms[i].clients);
		json_object_end(w);
	}
	json_array_end(w);
}

static int
put_pipeline(struct buf *body, const struct request *request, const struct registry *registry,
    struct moment now)
{
	struct json_writer w;
	json_write_begin(&w, body);
	json_object_begin(&w);
	json_key(&w, "at");
	json_put_time(&w, now.wall_ms);
	json_key(&w, "webSocket");
	json_put_bool(&w, request->handed_over);
	json_key(&w, "ready");
	json_put_bool(&w, pipeline_ready(registry, now));
	json_key(&w, "daemons");
	json_array_begin(&w);
	LIST_FOR_EACH (node, registry_daemons(registry))
		put_daemon(&w, registry, container_of(node, struct daemon, in_registry), now);
	json_array_end(&w);
	json_key(&w, "connections");
	json_put_u64(&w, registry_sum(registry, "dune_wsfand_connections"));
	json_key(&w, "rooms");
	json_put_u64(&w, rooms_count(registry_rooms(registry)));
	put_top_rooms(&w, registry_rooms(registry));
	put_freshness(&w, registry);
	json_object_end(&w);
	return json_write_end(&w);
}

void
page_pipeline(struct answer *answer, const struct request *request, const struct registry *registry,
    struct moment now)
{
	if (put_pipeline(&answer->body, request, registry, now) < 0)
		answer_error(answer, 500, "The answer is too long");
}

void
page_pipeline_events(struct answer *answer, const struct request *request,
    const struct registry *registry, struct moment now)
{
	static const char before[] = "data: ", behind[] = "\n\n";
	answer->type = "text/event-stream";
	answer->stream = "/api/pipeline/events";
	/* The writer never breaks a line, so the whole is one line of data. */
	if (buf_append(&answer->body, before, sizeof(before) - 1) < 0 ||
	    put_pipeline(&answer->body, request, registry, now) < 0 ||
	    buf_append(&answer->body, behind, sizeof(behind) - 1) < 0)
		answer_error(answer, 500, "The answer is too long");
}
