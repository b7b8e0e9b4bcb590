/* SPDX-License-Identifier: MIT */
#include "statsd/routes.h"

#include <string.h>

#include "statsd/page_prometheus.h"
#include "tests/unit/statsd/fixture.h"
#include "tests/unit/unit.h"

static void
nothing(void *owner UNUSED)
{
}

static struct site
site_of(struct registry *registry)
{
	static struct process process = {.open_fds = 9, .cpu_us = 1500000, .started_ms = 1000};
	return (struct site){.registry = registry, .process = &process, .before = nothing};
}

static void
check_get(const struct site *site, const char *target, unsigned status, const char *body)
{
	struct answer answer = get(site, target, false, at(0));
	CHECK_INT(answer.status, status);
	CHECK_BODY(&answer, body);
	answer_free(&answer);
}

#define STATS_NAMES                                                                \
	"dune_wsfand_connections dune_wsfand_rooms dune_wsfand_channel_broadcast " \
	"dune_wsfand_channel_register dune_wsfand_channel_unregister"
#define ROOM "{\"type\":\"report:rooms\",\"rooms\":{\"60f7b1b9e1234567890abcde\":"

TEST(page_stats_sums_the_instances)
{
	struct registry *registry = registry_new();
	struct site site = site_of(registry);
	struct reporter *one = reporter_with(registry, "wsfand", "wsfand", STATS_NAMES, 2, at(0));
	struct reporter *two = reporter_with(registry, "wsfand", "wsfand.2", STATS_NAMES, 3, at(0));
	feed(registry, &one, ROOM "2}}", REPORT_ROOMS, at(0));
	feed(registry, &two, ROOM "3}}", REPORT_ROOMS, at(0));
	check_get(&site, "/api/ws/stats", 200,
	    "{\"totalConnections\":5,\"totalRooms\":1,"
	    "\"roomStats\":{\"60f7b1b9e1234567890abcde\":5},"
	    "\"channelUsage\":{\"broadcast\":5,\"register\":5,\"unregister\":5},\"instances\":2}");
	check_get(&site, "/api/ws/stats?formId=60F7B1B9E1234567890ABCDE", 200,
	    "{\"formId\":\"60f7b1b9e1234567890abcde\",\"activeConnections\":5}");
	registry_remove(registry, &two, at(1));
	check_get(&site, "/api/ws/stats?formId=60f7b1b9e1234567890abcde", 200,
	    "{\"formId\":\"60f7b1b9e1234567890abcde\",\"activeConnections\":2}");
	check_get(&site, "/api/ws/stats?formId=60f7b1b9e1234567890abcdf", 200,
	    "{\"formId\":\"60f7b1b9e1234567890abcdf\",\"activeConnections\":0}");
	registry_remove(registry, &one, at(1));
	registry_free(&registry);
}

TEST(page_stats_wants_a_valid_id)
{
	struct registry *registry = registry_new();
	struct site site = site_of(registry);
	static const char *const targets[] = {"/api/ws/stats?formId=", "/api/ws/stats?formId=x",
	    "/api/ws/stats?formId=60f7b1b9e1234567890abcd",
	    "/api/ws/stats?formId=60f7b1b9e1234567890abcdee",
	    "/api/ws/stats?formId=60f7b1b9e1234567890abcdg"};
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		check_get(&site, targets[i], 400, "{\"error\":\"Invalid form ID format\"}");
	registry_free(&registry);
}

TEST(page_health_says_what_is_wrong)
{
	struct registry *registry = registry_new();
	struct site site = site_of(registry);
	check_get(&site, "/healthz", 200, "{\"status\":\"ok\"}");
	registry_expect(registry, "ingestd", at(0));
	check_get(&site, "/readyz", 503,
	    "{\"ready\":false,\"checks\":{\"ingestd\":{\"ok\":false,"
	    "\"why\":\"has not connected to statsd "
	    "yet\",\"since\":\"2026-03-01T09:30:00.000Z\"}}}");
	struct reporter *one = reporter_with(registry, "ingestd", "ingestd", "", 0, at(0));
	/* Nobody waits for this one. */
	struct reporter *two = reporter_with(registry, "other", "other", "", 0, at(0));
	feed(registry, &two, "{\"type\":\"report\",\"values\":[],\"unwell\":\"x\"}", REPORT_VALUES,
	    at(0));
	check_get(&site, "/readyz", 200, "{\"ready\":true,\"checks\":{\"ingestd\":{\"ok\":true}}}");
	feed(registry, &one, "{\"type\":\"report\",\"values\":[],\"unwell\":\"no \\\"source\\\"\"}",
	    REPORT_VALUES, at(0));
	check_get(&site, "/readyz", 503,
	    "{\"ready\":false,\"checks\":{\"ingestd\":{\"ok\":false,\"why\":\"no \\\"source\\\"\","
	    "\"since\":\"2026-03-01T09:30:00.000Z\"}}}");
	check_get(&site, "/api/ready", 200,
	    "{\"at\":\"2026-03-01T09:30:00.000Z\",\"webSocket\":false,\"ready\":false,\"checks\":{"
	    "\"ingestd\":{\"ok\":false,\"why\":\"no \\\"source\\\"\","
	    "\"since\":\"2026-03-01T09:30:00.000Z\"}}}");
	registry_remove(registry, &one, at(1));
	registry_remove(registry, &two, at(1));
	registry_free(&registry);
}

static void
add_rows(struct registry *registry, struct reporter **reporter, const char *daemon,
    const char *instance, const struct row *rows, const uint64_t *values, size_t count,
    size_t want_conflicts)
{
	struct identity identity = {.pid = 1, .started_ms = 1500};
	size_t conflicts;
	const char *why = "";
	strncpy(identity.daemon, daemon, sizeof(identity.daemon) - 1);
	strncpy(identity.instance, instance, sizeof(identity.instance) - 1);
	strncpy(identity.version, "1\"\\\n2", sizeof(identity.version) - 1);
	*reporter = registry_add(registry, &identity, rows, count, at(0), &conflicts, &why);
	CHECK(*reporter != NULL);
	CHECK_INT(conflicts, want_conflicts);
	reporter_report(*reporter, values, NULL, at(0));
}

static const uint64_t bounds[] = {100, 2500, 1000000};
static const struct row one_rows[] = {
    {"dune_a_z_total", "code=\"2\"", "Z \\ and\nline.", KIND_COUNTER, NULL, 0},
    {"dune_a_b", "", "B.", KIND_GAUGE, NULL, 0},
    {"dune_a_z_total", "code=\"1\"", "Z \\ and\nline.", KIND_COUNTER, NULL, 0},
    {"dune_a_t_seconds_total", "", "T.", KIND_COUNTER_US, NULL, 0},
    {"dune_a_l_seconds", "", "L.", KIND_GAUGE_MS, NULL, 0},
    {"shared", "", "First.", KIND_GAUGE, NULL, 0},
    {"dune_a_h_seconds", "stage=\"x\"", "H.", KIND_HISTOGRAM, bounds, ARRAY_SIZE(bounds)},
};
static const uint64_t one_values[] = {UINT64_C(1) << 60, 5, 7, 1000001, 42, 1, 2, 0, 5, 1, 7000300};
static const struct row two_rows[] = {
    {"dune_a_b", "", "B.", KIND_GAUGE, NULL, 0},
    {"shared", "", "Second.", KIND_GAUGE, NULL, 0},
    {"dune_a_l_seconds", "x=\"y\"", "L.", KIND_COUNTER, NULL, 0},
    {"dune_up", "", "Mine.", KIND_GAUGE, NULL, 0},
    {"dune_a_h_seconds", "", "H.", KIND_HISTOGRAM, bounds, 1},
};
static const uint64_t two_values[] = {6, 2, 3, 4, 1, 1, 5};

TEST(page_prometheus_groups_scales_and_escapes)
{
	static const char want[] =
	    "# HELP dune_build_info 1, with the version of the daemon as a label.\n"
	    "# TYPE dune_build_info gauge\n"
	    "dune_build_info{daemon=\"a\",version=\"1\\\"\\\\\\n2\"} 1\n"
	    "dune_build_info{daemon=\"a\",process=\"a.2\",version=\"1\\\"\\\\\\n2\"} 1\n"
	    "# HELP dune_start_time_seconds When the daemon started, in seconds since the epoch.\n"
	    "# TYPE dune_start_time_seconds gauge\n"
	    "dune_start_time_seconds{daemon=\"a\"} 1.500\n"
	    "dune_start_time_seconds{daemon=\"a\",process=\"a.2\"} 1.500\n"
	    "# HELP dune_up 1 while the daemon reports to statsd, else 0.\n"
	    "# TYPE dune_up gauge\n"
	    "dune_up{daemon=\"z\"} 0\n"
	    "dune_up{daemon=\"a\"} 1\n"
	    "# HELP dune_ready 1 while the daemon reports and says that it is well (/readyz), else "
	    "0.\n"
	    "# TYPE dune_ready gauge\n"
	    "dune_ready{daemon=\"z\"} 0\n"
	    "# HELP dune_a_b B.\n"
	    "# TYPE dune_a_b gauge\n"
	    "dune_a_b 5\n"
	    "dune_a_b{process=\"a.2\"} 6\n"
	    "# HELP dune_a_h_seconds H.\n"
	    "# TYPE dune_a_h_seconds histogram\n"
	    "dune_a_h_seconds_bucket{stage=\"x\",le=\"0.0001\"} 2\n"
	    "dune_a_h_seconds_bucket{stage=\"x\",le=\"0.0025\"} 2\n"
	    "dune_a_h_seconds_bucket{stage=\"x\",le=\"1.0\"} 7\n"
	    "dune_a_h_seconds_bucket{stage=\"x\",le=\"+Inf\"} 8\n"
	    "dune_a_h_seconds_sum{stage=\"x\"} 7.000300\n"
	    "dune_a_h_seconds_count{stage=\"x\"} 8\n"
	    "dune_a_h_seconds_bucket{process=\"a.2\",le=\"0.0001\"} 1\n"
	    "dune_a_h_seconds_bucket{process=\"a.2\",le=\"+Inf\"} 2\n"
	    "dune_a_h_seconds_sum{process=\"a.2\"} 0.000005\n"
	    "dune_a_h_seconds_count{process=\"a.2\"} 2\n"
	    "# HELP dune_a_l_seconds L.\n"
	    "# TYPE dune_a_l_seconds gauge\n"
	    "dune_a_l_seconds 0.042\n"
	    "# HELP dune_a_t_seconds_total T.\n"
	    "# TYPE dune_a_t_seconds_total counter\n"
	    "dune_a_t_seconds_total 1.000001\n"
	    "# HELP dune_a_z_total Z \\\\ and\\nline.\n"
	    "# TYPE dune_a_z_total counter\n"
	    "dune_a_z_total{code=\"2\"} 1152921504606846976\n"
	    "dune_a_z_total{code=\"1\"} 7\n"
	    "# HELP shared First.\n"
	    "# TYPE shared gauge\n"
	    "shared{daemon=\"a\"} 1\n"
	    "shared{daemon=\"a\",process=\"a.2\"} 2\n"
	    "# HELP process_cpu_seconds_total ";
	struct registry *registry = registry_new();
	struct process process = {.cpu_us = 1};
	struct reporter *one, *two;
	struct answer answer;
	registry_expect(registry, "z", at(0));
	add_rows(registry, &one, "a", "a", one_rows, one_values, ARRAY_SIZE(one_rows), 0);
	add_rows(registry, &two, "a", "a.2", two_rows, two_values, ARRAY_SIZE(two_rows), 3);
	answer_init(&answer);
	page_prometheus(&answer, registry, &process, at(0));
	CHECK_STRING(answer.type, "text/plain; version=0.0.4; charset=utf-8");
	CHECK(buf_length(&answer.body) > sizeof(want));
	buf_consume(&answer.body, 0);
	answer.body.end = answer.body.start + sizeof(want) - 1;
	CHECK_BODY(&answer, want);
	answer_free(&answer);
	registry_remove(registry, &one, at(0));
	registry_remove(registry, &two, at(0));
	registry_free(&registry);
}

TEST(routes_metrics_are_private_unless_told)
{
	struct registry *registry = registry_new();
	struct site site = site_of(registry);
	struct answer answer = get(&site, "/metrics", false, at(0));
	CHECK_INT(answer.status, 200);
	CHECK(body_has(&answer, "process_open_fds 9\n"));
	answer_free(&answer);
	answer = get(&site, "/metrics", true, at(0));
	CHECK_INT(answer.status, 404);
	answer_free(&answer);
	site.public_metrics = true;
	answer = get(&site, "/metrics", true, at(0));
	CHECK_INT(answer.status, 200);
	answer_free(&answer);
	registry_free(&registry);
}

TEST(routes_methods_and_paths)
{
	struct registry *registry = registry_new();
	struct site site = site_of(registry);
	static const char *const unknown[] = {"/x", "/api", "/api/ws/stats/", "/metrics/x", "//",
	    "/forms", "/healthz/", "/web/app.js", "/../etc/passwd"};
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		check_get(&site, unknown[i], 404, "{\"error\":\"Not found\"}");
	static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "get", "BREW"};
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		struct answer answer = request_as(
		    &site, methods[i], "/healthz", NULL, false, at(0));
		CHECK_INT(answer.status, 405);
		CHECK_STRING(answer.allow, "GET, HEAD");
		answer_free(&answer);
	}
	struct answer answer = request_as(&site, "HEAD", "/healthz", NULL, false, at(0));
	CHECK_INT(answer.status, 200);
	answer_free(&answer);
	registry_free(&registry);
}

TEST(routes_the_page)
{
	struct registry *registry = registry_new();
	struct site site = site_of(registry);
	struct answer answer = get(&site, "/", true, at(0));
	CHECK_INT(answer.status, 200);
	CHECK(answer.page);
	CHECK(body_has(&answer, "<!doctype html>"));
	struct answer again = request_as(&site, "GET", "/", answer.etag, true, at(0));
	CHECK_INT(again.status, 304);
	CHECK_INT(again.file_length, 0);
	answer_free(&again);
	again = request_as(&site, "GET", "/app.js", answer.etag, true, at(0));
	CHECK_INT(again.status, 200);
	CHECK_STRING(again.type, "text/javascript; charset=utf-8");
	answer_free(&again);
	answer_free(&answer);
	answer = get(&site, "/forms/60f7b1b9e1234567890abcdE", false, at(0));
	CHECK_INT(answer.status, 200);
	answer_free(&answer);
	answer = get(&site, "/forms/60f7b1b9e1234567890abcd/", false, at(0));
	CHECK_INT(answer.status, 404);
	CHECK(answer.page && !answer.etag);
	answer_free(&answer);
	registry_free(&registry);
}
