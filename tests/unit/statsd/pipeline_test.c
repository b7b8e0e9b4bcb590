/* SPDX-License-Identifier: MIT */
#include "statsd/page_pipeline.h"

#include <stdio.h>

#include "tests/unit/statsd/fixture.h"
#include "tests/unit/unit.h"

static void
nothing(void *owner UNUSED)
{
}

static struct answer
ask(struct registry *registry, const char *target)
{
	static struct process process;
	struct site site = {.registry = registry, .process = &process, .before = nothing};
	return get(&site, target, true, at(0));
}

static void
check_has(struct registry *registry, const char *text)
{
	struct answer answer = ask(registry, "/api/pipeline");
	CHECK_INT(answer.status, 200);
	if (!body_has(&answer, text))
		CHECK_BODY(&answer, text);
	answer_free(&answer);
}

TEST(pipeline_of_nobody)
{
	struct registry *registry = registry_new();
	struct answer answer = ask(registry, "/api/pipeline");
	CHECK_BODY(&answer,
	    "{\"at\":\"2026-03-01T09:30:00.000Z\",\"webSocket\":true,\"ready\":true,"
	    "\"daemons\":[],\"connections\":0,\"rooms\":0,\"topRooms\":[]}");
	CHECK(!answer.stream);
	answer_free(&answer);
	registry_free(&registry);
}

TEST(pipeline_figures_are_sums_but_lags)
{
	struct registry *registry = registry_new();
	struct reporter *one = reporter_with(registry, "ingestd", "ingestd",
	    "dune_ingestd_lag_seconds dune_ingestd_outbox_events dune_ingestd_other", 3, at(0));
	struct reporter *two = reporter_with(registry, "ingestd", "ingestd.2",
	    "dune_ingestd_lag_seconds dune_ingestd_outbox_events", 4, at(0));
	check_has(registry, "\"figures\":{\"lagSeconds\":4,\"waiting\":7}");
	registry_remove(registry, &one, at(1));
	registry_remove(registry, &two, at(1));
	check_has(registry, "\"figures\":{}");
	registry_free(&registry);
}

TEST(pipeline_units)
{
	static const char schema[] =
	    "{\"type\":\"report:schema\",\"daemon\":\"analyticsd\",\"instance\":\"analyticsd\","
	    "\"pid\":1,\"version\":\"1\",\"startedAt\":\"2026-03-01T09:30:00.000Z\",\"metrics\":["
	    "{\"name\":\"dune_analyticsd_commit_seconds\",\"labels\":\"\","
	    "\"kind\":\"histogram\",\"help\":\"H.\",\"bounds\":[100,2500]},"
	    "{\"name\":\"dune_analyticsd_applied_lag_seconds\",\"labels\":\"\","
	    "\"kind\":\"gauge_ms\",\"help\":\"H.\"}]}";
	struct registry *registry = registry_new();
	struct reporter *reporter = NULL;
	feed(registry, &reporter, schema, REPORT_SCHEMA, at(0));
	feed(registry, &reporter,
	    "{\"type\":\"report\",\"values\":[[0,0,3,1500000],250],\"unwell\":null}", REPORT_VALUES,
	    at(0));
	check_has(registry, "\"figures\":{\"commitSeconds\":1.5,\"lagSeconds\":0.25}");
	registry_remove(registry, &reporter, at(1));
	registry_free(&registry);
}

TEST(pipeline_top_rooms)
{
	struct registry *registry = registry_new();
	struct reporter *reporter = reporter_with(registry, "wsfand", "wsfand", "x", 0, at(0));
	char json[256];
	/* 1 to 25 clients in an order of its own, and 25 twice. */
	for (unsigned n = 0; n < 26; n++) {
		snprintf(json, sizeof(json), "{\"type\":\"report:rooms\",\"rooms\":{\"%024x\":%u}}",
		    n, n == 25 ? 25 : 1 + (n * 7) % 25);
		feed(registry, &reporter, json, REPORT_ROOMS, at(0));
	}
	check_has(registry,
	    "\"rooms\":26,\"topRooms\":[{\"formId\":\"000000000000000000000007\",\"clients\":25},"
	    "{\"formId\":\"000000000000000000000019\",\"clients\":25},"
	    "{\"formId\":\"00000000000000000000000e\",\"clients\":24},"
	    "{\"formId\":\"000000000000000000000015\",\"clients\":23},"
	    "{\"formId\":\"000000000000000000000003\",\"clients\":22},"
	    "{\"formId\":\"00000000000000000000000a\",\"clients\":21},"
	    "{\"formId\":\"000000000000000000000011\",\"clients\":20},"
	    "{\"formId\":\"000000000000000000000018\",\"clients\":19},"
	    "{\"formId\":\"000000000000000000000006\",\"clients\":18},"
	    "{\"formId\":\"00000000000000000000000d\",\"clients\":17}]");
	registry_remove(registry, &reporter, at(1));
	registry_free(&registry);
}

TEST(pipeline_event)
{
	struct registry *registry = registry_new();
	struct answer answer = ask(registry, "/api/pipeline/events");
	CHECK_STRING(answer.type, "text/event-stream");
	CHECK_STRING(answer.stream, "/api/pipeline/events");
	CHECK_BODY(&answer,
	    "data: {\"at\":\"2026-03-01T09:30:00.000Z\",\"webSocket\":true,\"ready\":true,"
	    "\"daemons\":[],\"connections\":0,\"rooms\":0,\"topRooms\":[]}\n\n");
	answer_free(&answer);
	registry_free(&registry);
}
