/* SPDX-License-Identifier: MIT */
#include "statsd/report_read.h"

#include <stdio.h>
#include <string.h>

#include "lib/mem.h"
#include "tests/unit/statsd/fixture.h"
#include "tests/unit/unit.h"

#define HEAD                                                                                    \
	"{\"type\":\"report:schema\",\"daemon\":\"wsfand\",\"instance\":\"wsfand\",\"pid\":12," \
	"\"version\":\"0.1.0\",\"startedAt\":\"2026-03-01T09:30:00.000Z\",\"metrics\":["
#define METRIC(name, labels, kind) \
	"{\"name\":\"" name "\",\"labels\":\"" labels "\",\"kind\":\"" kind "\",\"help\":\"H.\"}"
#define SCHEMA                                                \
	HEAD METRIC("dune_wsfand_a", "", "gauge") "," METRIC( \
	    "dune_wsfand_b_total", "", "counter") "]}"

#define HISTOGRAM(bounds)                                                                        \
	HEAD METRIC("a", "", "gauge") ",{\"name\":\"h\",\"labels\":\"\",\"kind\":\"histogram\"," \
				      "\"help\":\"H.\",\"bounds\":" bounds "}]}"

TEST(report_values_land_in_their_rows)
{
	struct registry *registry = registry_new();
	struct reporter *reporter = NULL;
	feed(registry, &reporter, SCHEMA, REPORT_SCHEMA, at(0));
	CHECK_STRING(reporter->daemon->name, "wsfand");
	CHECK_INT(reporter->pid, 12);
	CHECK(!reporter_fresh(reporter, at(0)));
	feed(registry, &reporter, "{\"type\":\"report\",\"values\":[4,17],\"unwell\":null}",
	    REPORT_VALUES, at(10));
	CHECK_INT(registry_sum(registry, "dune_wsfand_a"), 4);
	CHECK_INT(registry_sum(registry, "dune_wsfand_b_total"), 17);
	CHECK(reporter_fresh(reporter, at(10 + REGISTRY_STALE_MS - 1)));
	CHECK(!reporter_fresh(reporter, at(10 + REGISTRY_STALE_MS)));
	registry_remove(registry, &reporter, at(20));
	CHECK(reporter == NULL);
	CHECK_INT(registry_sum(registry, "dune_wsfand_a"), 0);
	registry_free(&registry);
}

TEST(report_of_a_histogram)
{
	static const char *const bad[] = {
	    "{\"type\":\"report\",\"values\":[4,[1,2,3]],\"unwell\":null}",
	    "{\"type\":\"report\",\"values\":[4,[1,2,3,4,5]],\"unwell\":null}",
	    "{\"type\":\"report\",\"values\":[4,[1,2,3,-4]],\"unwell\":null}",
	    "{\"type\":\"report\",\"values\":[4,7],\"unwell\":null}",
	    "{\"type\":\"report\",\"values\":[[4],[1,2,3,4]],\"unwell\":null}",
	};
	struct registry *registry = registry_new();
	struct reporter *reporter = NULL;
	feed(registry, &reporter, HISTOGRAM("[100,2500]"), REPORT_SCHEMA, at(0));
	const struct metric *metric = &reporter->metrics[1];
	CHECK_INT(metric_numbers(metric), 4);
	CHECK_INT(metric->counts[3], 0);
	feed(registry, &reporter, "{\"type\":\"report\",\"values\":[4,[1,2,3,40]],\"unwell\":null}",
	    REPORT_VALUES, at(1));
	CHECK_INT(metric->bounds[1], 2500);
	CHECK_INT(metric->counts[0], 1);
	CHECK_INT(metric->counts[2], 3);
	CHECK_INT(metric->counts[3], 40);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		feed(registry, &reporter, bad[i], REPORT_BAD, at(2));
	registry_remove(registry, &reporter, at(3));
	registry_free(&registry);
}

TEST(report_rooms_are_differences)
{
	struct registry *registry = registry_new();
	struct reporter *reporter = NULL;
	feed(registry, &reporter, SCHEMA, REPORT_SCHEMA, at(0));
	feed(registry, &reporter,
	    "{\"type\":\"report:rooms\",\"rooms\":{\"60f7b1b9e1234567890abcde\":3,"
	    "\"60F7B1B9E1234567890ABCDF\":1}}",
	    REPORT_ROOMS, at(1));
	CHECK_INT(rooms_count(registry_rooms(registry)), 2);
	feed(registry, &reporter,
	    "{\"type\":\"report:rooms\",\"rooms\":{\"60f7b1b9e1234567890abcdf\":0}}", REPORT_ROOMS,
	    at(2));
	CHECK_INT(rooms_count(registry_rooms(registry)), 1);
	feed(registry, &reporter, "{\"type\":\"report:rooms\",\"rooms\":{}}", REPORT_ROOMS, at(2));
	registry_remove(registry, &reporter, at(3));
	CHECK_INT(rooms_count(registry_rooms(registry)), 0);
	registry_free(&registry);
}

TEST(report_frames_that_are_none)
{
	static const char *const before_schema[] = {
	    "",
	    "x",
	    "[]",
	    "{}",
	    "{\"type\":1}",
	    "{\"type\":\"report\",\"values\":[]}",
	    "{\"type\":\"report:rooms\",\"rooms\":{}}",
	    "{\"type\":\"report:schema\"}",
	    HEAD "1]}",
	    HEAD "{}]}",
	    HEAD METRIC("a b", "", "gauge") "]}",
	    HEAD METRIC("a", "x", "gauge") "]}",
	    HEAD METRIC("a", "", "histogram") "]}",
	    HISTOGRAM("[]"),
	    HISTOGRAM("7"),
	    HISTOGRAM("[1,1]"),
	    HISTOGRAM("[2,1]"),
	    HISTOGRAM("[-1]"),
	    HISTOGRAM("[1.5]"),
	    HEAD METRIC("a", "", "gauge") "," METRIC("a", "", "gauge") "]}",
	    "{\"type\":\"report:schema\",\"daemon\":\"a b\",\"instance\":\"x\",\"pid\":1,"
	    "\"version\":\"1\",\"startedAt\":\"2026-03-01T09:30:00.000Z\",\"metrics\":[]}",
	    "{\"type\":\"report:schema\",\"daemon\":\"a\",\"instance\":\"x\",\"pid\":1,"
	    "\"version\":\"1\",\"startedAt\":\"yesterday\",\"metrics\":[]}",
	};
	static const char *const behind_schema[] = {
	    SCHEMA,
	    "{\"type\":\"report\"}",
	    "{\"type\":\"report\",\"values\":[1],\"unwell\":null}",
	    "{\"type\":\"report\",\"values\":[1,2,3],\"unwell\":null}",
	    "{\"type\":\"report\",\"values\":[1,-2],\"unwell\":null}",
	    "{\"type\":\"report\",\"values\":[1,2.5],\"unwell\":null}",
	    "{\"type\":\"report\",\"values\":[1,\"2\"],\"unwell\":null}",
	    "{\"type\":\"report\",\"values\":[1,2]}",
	    "{\"type\":\"report\",\"values\":[1,2],\"unwell\":7}",
	    "{\"type\":\"report:rooms\"}",
	    "{\"type\":\"report:rooms\",\"rooms\":[]}",
	    "{\"type\":\"report:rooms\",\"rooms\":{\"60f7\":3}}",
	    "{\"type\":\"report:rooms\",\"rooms\":{\"60f7b1b9e1234567890abcde\":-1}}",
	    "{\"type\":\"report:rooms\",\"rooms\":{\"60f7b1b9e1234567890abcde\":\"1\"}}",
	};
	struct registry *registry = registry_new();
	struct reporter *reporter = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(before_schema); i++) {
		feed(registry, &reporter, before_schema[i], REPORT_BAD, at(0));
		CHECK(reporter == NULL);
	}
	feed(registry, &reporter, SCHEMA, REPORT_SCHEMA, at(0));
	for (size_t i = 0; i < ARRAY_SIZE(behind_schema); i++)
		feed(registry, &reporter, behind_schema[i], REPORT_BAD, at(0));
	feed(registry, &reporter, "{\"type\":\"report:later\"}", REPORT_UNKNOWN, at(0));
	registry_remove(registry, &reporter, at(1));
	registry_free(&registry);
}

TEST(report_the_same_instance_twice_is_refused)
{
	struct registry *registry = registry_new();
	struct reporter *first = NULL, *second = NULL;
	feed(registry, &first, SCHEMA, REPORT_SCHEMA, at(0));
	feed(registry, &second, SCHEMA, REPORT_REFUSED, at(0));
	registry_remove(registry, &first, at(1));
	feed(registry, &second, SCHEMA, REPORT_SCHEMA, at(2));
	registry_remove(registry, &second, at(3));
	registry_free(&registry);
}

TEST(report_a_schema_may_be_large_but_not_too_large)
{
	struct registry *registry = registry_new();
	struct reporter *reporter = NULL;
	for (size_t count = REGISTRY_MAX_METRICS; count <= REGISTRY_MAX_METRICS + 1; count++) {
		size_t size = 128 * (count + 4), used;
		char *json = mem_alloc(size);
		used = (size_t)snprintf(json, size, "%s", HEAD);
		for (size_t i = 0; i < count; i++)
			used += (size_t)snprintf(json + used, size - used,
			    "%s{\"name\":\"m%zu\",\"labels\":\"\",\"kind\":\"gauge\",\"help\":"
			    "\"\"}",
			    i ? "," : "", i);
		snprintf(json + used, size - used, "]}");
		feed(registry, &reporter, json,
		    count <= REGISTRY_MAX_METRICS ? REPORT_SCHEMA : REPORT_BAD, at(0));
		registry_remove(registry, &reporter, at(0));
		MEM_FREE(&json);
	}
	registry_free(&registry);
}

/* Many short values in one frame are many tokens in few bytes. */
TEST(report_of_a_large_schema)
{
	char json[4 * REGISTRY_MAX_METRICS + 64];
	char names[REGISTRY_MAX_METRICS][8];
	struct row rows[REGISTRY_MAX_METRICS];
	struct registry *registry = registry_new();
	struct identity identity = {.daemon = "d", .instance = "d", .version = "1"};
	size_t conflicts,
	    used = (size_t)snprintf(json, sizeof(json), "{\"type\":\"report\",\"values\":[");
	const char *why = "";
	for (size_t i = 0; i < REGISTRY_MAX_METRICS; i++) {
		snprintf(names[i], sizeof(names[i]), "m%zu", i);
		rows[i] = (struct row){
		    .name = names[i], .labels = "", .help = "", .kind = KIND_GAUGE};
		used += (size_t)snprintf(
		    json + used, sizeof(json) - used, "%s%zu", i ? "," : "", i % 10);
	}
	snprintf(json + used, sizeof(json) - used, "],\"unwell\":null}");
	struct reporter *reporter = registry_add(
	    registry, &identity, rows, REGISTRY_MAX_METRICS, at(0), &conflicts, &why);
	feed(registry, &reporter, json, REPORT_VALUES, at(0));
	CHECK_INT(registry_sum(registry, "m1019"), 9);
	registry_remove(registry, &reporter, at(0));
	registry_free(&registry);
}
