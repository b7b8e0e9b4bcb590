/* SPDX-License-Identifier: MIT */
#include "tests/unit/statsd/fixture.h"

#include <stdio.h>
#include <string.h>

#include "lib/http_head.h"
#include "lib/mem.h"
#include "tests/unit/unit.h"

#define BEGIN_MONOTONIC_MS 5000000
#define BEGIN_WALL_MS INT64_C(1772357400000)

struct moment
at(uint64_t ms)
{
	return (struct moment){
	    .monotonic_ms = BEGIN_MONOTONIC_MS + ms,
	    .wall_ms = BEGIN_WALL_MS + (int64_t)ms,
	};
}

void
feed(struct registry *registry, struct reporter **reporter, const char *json,
    enum report_frame want, struct moment now)
{
	size_t conflicts;
	const char *error = "";
	enum report_frame got = report_read(
	    registry, reporter, json, strlen(json), now, &conflicts, &error);
	if (got != want)
		unit_fail(
		    __FILE__, __LINE__, "kind %d (%s), not %d: %.300s", got, error, want, json);
}

struct reporter *
reporter_with(struct registry *registry, const char *daemon, const char *instance,
    const char *names, uint64_t value, struct moment now)
{
	struct row rows[16];
	uint64_t values[16];
	struct identity identity = {.pid = 1};
	char *copy = mem_strdup(names), *rest = copy, *name;
	size_t count = 0, conflicts;
	const char *why = "";
	snprintf(identity.daemon, sizeof(identity.daemon), "%s", daemon);
	snprintf(identity.instance, sizeof(identity.instance), "%s", instance);
	snprintf(identity.version, sizeof(identity.version), "0.1.0");
	while ((name = strsep(&rest, " ")) && *name) {
		values[count] = value;
		rows[count++] = (struct row){
		    .name = name, .labels = "", .help = "Help.", .kind = KIND_GAUGE};
	}
	struct reporter *reporter = registry_add(
	    registry, &identity, rows, count, now, &conflicts, &why);
	MEM_FREE(&copy);
	if (!reporter)
		unit_fail(__FILE__, __LINE__, "no reporter: %s", why);
	reporter_report(reporter, values, NULL, now);
	return reporter;
}

struct test_request {
	struct request request;
	struct slice query;
	char value[256];
};

static const char *
query(const struct request *request, const char *name, size_t *length)
{
	struct test_request *test = container_of(request, struct test_request, request);
	int got = http_query_get(test->query, name, test->value, sizeof(test->value));
	*length = got < 0 ? 0 : (size_t)got;
	return got < 0 ? NULL : test->value;
}

struct answer
request_as(const struct site *site, const char *method, const char *target,
    const char *if_none_match, bool handed_over, struct moment now)
{
	char path[256];
	size_t length = strcspn(target, "?");
	snprintf(path, sizeof(path), "%.*s", (int)length, target);
	const char *rest = target + length + (target[length] == '?');
	struct test_request test = {
	    .request = {.method = method,
		.path = path,
		.if_none_match = if_none_match,
		.handed_over = handed_over,
		.query = query},
	    .query = {.bytes = rest, .length = strlen(rest)},
	};
	struct answer answer;
	answer_init(&answer);
	routes_answer(site, &test.request, now, &answer);
	return answer;
}

struct answer
get(const struct site *site, const char *target, bool handed_over, struct moment now)
{
	return request_as(site, "GET", target, NULL, handed_over, now);
}

static char *
body_text(const struct answer *answer)
{
	if (answer->file)
		return mem_printf("%.*s", (int)answer->file_length, (const char *)answer->file);
	return mem_printf(
	    "%.*s", (int)buf_length(&answer->body), (const char *)buf_bytes(&answer->body));
}

void
check_body(const char *file, int line, const struct answer *answer, const char *want)
{
	char *text = body_text(answer);
	unit_check_string(file, line, text, want);
	MEM_FREE(&text);
}

bool
body_has(const struct answer *answer, const char *want)
{
	char *text = body_text(answer);
	bool has = strstr(text, want) != NULL;
	MEM_FREE(&text);
	return has;
}
