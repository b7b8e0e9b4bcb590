/* SPDX-License-Identifier: MIT */
#include "statsd/metric.h"

#include <string.h>

#include "tests/unit/unit.h"

TEST(metric_names)
{
	CHECK(metric_name_valid("dune_wsfand_frames_total"));
	CHECK(metric_name_valid("_:9"));
	CHECK(!metric_name_valid(""));
	CHECK(!metric_name_valid("9a"));
	CHECK(!metric_name_valid("a-b"));
	CHECK(!metric_name_valid("a b"));
	CHECK(!metric_name_valid("a\n"));
	char longest[METRIC_NAME_MAX + 2];
	memset(longest, 'a', sizeof(longest));
	longest[METRIC_NAME_MAX + 1] = '\0';
	CHECK(!metric_name_valid(longest));
	longest[METRIC_NAME_MAX] = '\0';
	CHECK(metric_name_valid(longest));
}

TEST(metric_labels)
{
	static const struct {
		const char *labels;
		bool valid;
	} cases[] = {
	    {"", true},
	    {"code=\"1001\"", true},
	    {"code=\"1001\",by=\"client\"", true},
	    {"code=\"\"", true},
	    {"code=\"a,b=\\\"c\\\"\"", true},
	    {"code=\"a\\\\\"", true},
	    {"code=\"a\\n\"", true},
	    {"code=\"ü\"", true},
	    {"code", false},
	    {"code=1001", false},
	    {"code=\"1001", false},
	    {"code=\"1001\",", false},
	    {",code=\"1001\"", false},
	    {"code=\"1001\" ", false},
	    {"code=\"1001\"by=\"client\"", false},
	    {"code=\"\\x\"", false},
	    {"code=\"\\", false},
	    {"code=\"a\nb\"", false},
	    {"9code=\"1\"", false},
	    {"=\"1\"", false},
	    {"code=\"1\",code=\"2\"", false},
	    {"daemon=\"x\"", false},
	    {"a=\"1\",process=\"x\"", false},
	    {"le=\"1\"", false},
	    {"code=\"1\"} 5", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (metric_labels_valid(cases[i].labels) != cases[i].valid)
			unit_fail(__FILE__, __LINE__, "%s", cases[i].labels);
	}
}

TEST(metric_kinds)
{
	enum counter_kind kind = KIND_COUNTER;
	CHECK_INT(metric_kind_parse("gauge_ms", &kind), 0);
	CHECK_INT(kind, KIND_GAUGE_MS);
	CHECK_STRING(metric_kind_type(kind), "gauge");
	CHECK_INT(metric_kind_parse("counter_us", &kind), 0);
	CHECK_STRING(metric_kind_type(kind), "counter");
	CHECK_INT(metric_kind_parse("summary", &kind), -1);
	CHECK_INT(metric_kind_parse("", &kind), -1);
}
