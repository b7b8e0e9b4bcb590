/* SPDX-License-Identifier: MIT */
#include "statsd/registry.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/statsd/fixture.h"
#include "tests/unit/unit.h"

#define UNWELL(text) "{\"type\":\"report\",\"values\":[],\"unwell\":\"" text "\"}"
#define WELL "{\"type\":\"report\",\"values\":[],\"unwell\":null}"

static const struct daemon *
only_daemon(const struct registry *registry)
{
	return LIST_FIRST(registry_daemons(registry), struct daemon, in_registry);
}

static void
judged(const struct registry *registry, struct moment now, const char *why, uint64_t since_ms)
{
	struct verdict verdict;
	daemon_judge(only_daemon(registry), now, &verdict);
	CHECK_STRING(verdict.why, why);
	CHECK_INT(verdict.well, *why == '\0');
	if (!verdict.well)
		CHECK_INT(verdict.since_ms, at(since_ms).wall_ms);
}

TEST(registry_judges_a_daemon_through_its_life)
{
	struct registry *registry = registry_new();
	registry_expect(registry, "wsfand", at(100));
	judged(registry, at(5000), "has not connected to statsd yet", 100);
	struct reporter *r = reporter_with(registry, "wsfand", "wsfand", "", 0, at(6000));
	judged(registry, at(6500), "", 0);
	feed(registry, &r, UNWELL("no source"), REPORT_VALUES, at(7000));
	feed(registry, &r, UNWELL("still no source"), REPORT_VALUES, at(8000));
	judged(registry, at(8000), "still no source", 7000);
	feed(registry, &r, WELL, REPORT_VALUES, at(9000));
	judged(registry, at(9000), "", 0);
	/* A question may bear a time from just before the report that it brought about. */
	judged(registry, at(8999), "", 0);
	feed(registry, &r, UNWELL("again"), REPORT_VALUES, at(10000));
	judged(registry, at(10000), "again", 10000);
	judged(registry, at(14000), "connected, but its reports have stopped", 10000);
	CHECK(!daemon_up(only_daemon(registry), at(14000)));
	registry_remove(registry, &r, at(15000));
	judged(registry, at(20000), "not connected to statsd any more", 15000);
	registry_free(&registry);
}

TEST(registry_names_the_instance_that_is_unwell_longest)
{
	struct registry *registry = registry_new();
	struct reporter *one = reporter_with(registry, "wsfand", "wsfand", "", 0, at(0));
	struct reporter *two = reporter_with(registry, "wsfand", "wsfand.2", "", 0, at(0));
	feed(registry, &two, UNWELL("full"), REPORT_VALUES, at(100));
	feed(registry, &one, UNWELL("draining"), REPORT_VALUES, at(200));
	judged(registry, at(300), "wsfand.2: full", 100);
	CHECK_INT(registry_reporters(registry), 2);
	registry_remove(registry, &two, at(400));
	judged(registry, at(400), "draining", 200);
	registry_remove(registry, &one, at(400));
	registry_free(&registry);
}

#define HANDS_ON "{\"type\":\"report\",\"values\":[],\"unwell\":null,\"handsOn\":true}"

/* Its connection may end meanwhile, which the registry does not see. */
TEST(registry_keeps_what_was_told_until_the_successor_reports)
{
	struct registry *registry = registry_new();
	struct identity identity = {.daemon = "wsfand", .instance = "wsfand", .version = "2"};
	struct reporter *old = reporter_with(registry, "wsfand", "wsfand", "", 0, at(0)), *new;
	size_t conflicts;
	const char *why = "";
	registry_expect(registry, "wsfand", at(0));
	feed(registry, &old, HANDS_ON, REPORT_VALUES, at(10));
	feed(registry, &old, WELL, REPORT_VALUES, at(20));
	CHECK(registry_add(registry, &identity, NULL, 0, at(20), &conflicts, &why) == NULL);
	feed(registry, &old, HANDS_ON, REPORT_VALUES, at(30));
	new = registry_add(registry, &identity, NULL, 0, at(40), &conflicts, &why);
	CHECK(new != NULL);
	judged(registry, at(50), "", 0);
	feed(registry, &new, WELL, REPORT_VALUES, at(60));
	registry_remove(registry, &old, at(60));
	judged(registry, at(70), "", 0);
	registry_remove(registry, &new, at(80));
	judged(registry, at(90), "not connected to statsd any more", 80);
	registry_free(&registry);
}

TEST(registry_sums_over_instances)
{
	struct registry *registry = registry_new();
	struct reporter *one = reporter_with(
	    registry, "wsfand", "wsfand", "dune_wsfand_x y", 3, at(0));
	struct reporter *two = reporter_with(
	    registry, "wsfand", "wsfand.2", "dune_wsfand_x", 4, at(0));
	CHECK_INT(registry_sum(registry, "dune_wsfand_x"), 7);
	CHECK_INT(registry_sum(registry, "y"), 3);
	CHECK_INT(registry_sum(registry, "z"), 0);
	registry_remove(registry, &one, at(1));
	CHECK_INT(registry_sum(registry, "dune_wsfand_x"), 4);
	CHECK_INT(registry_sum(registry, "y"), 0);
	registry_remove(registry, &two, at(1));
	registry_free(&registry);
}

TEST(registry_bounds_the_reporters)
{
	struct registry *registry = registry_new();
	struct reporter *reporters[REGISTRY_MAX_REPORTERS];
	struct identity identity = {.daemon = "d", .instance = "one-more", .version = "1"};
	size_t conflicts;
	const char *why = "";
	for (int i = 0; i < REGISTRY_MAX_REPORTERS; i++) {
		char name[16];
		snprintf(name, sizeof(name), "d.%d", i);
		reporters[i] = reporter_with(registry, "d", name, "", 0, at(0));
	}
	CHECK(registry_add(registry, &identity, NULL, 0, at(0), &conflicts, &why) == NULL);
	CHECK_STRING(why, "too many reporters or metrics");
	for (int i = 0; i < REGISTRY_MAX_REPORTERS; i++)
		registry_remove(registry, &reporters[i], at(1));
	registry_free(&registry);
}

TEST(registry_bounds_the_names_of_daemons)
{
	struct registry *registry = registry_new();
	struct identity identity = {.instance = "i", .version = "1"};
	size_t conflicts, taken = 0;
	const char *why = "";
	for (int i = 0; i < REGISTRY_MAX_DAEMONS + 5; i++) {
		snprintf(identity.daemon, sizeof(identity.daemon), "d%d", i);
		struct reporter *reporter = registry_add(
		    registry, &identity, NULL, 0, at(0), &conflicts, &why);
		taken += reporter != NULL;
		registry_remove(registry, &reporter, at(1));
	}
	CHECK_INT(taken, REGISTRY_MAX_DAEMONS);
	registry_free(&registry);
}
