/* SPDX-License-Identifier: MIT */
#include "statsd/report_read.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/json_read.h"
#include "lib/mem.h"
#include "statsd/metric.h"

/* A metric of a schema is 9 tokens, and 2 more with bounds; a value 1; a room is 2 in its 29
 * bytes or more. */
#define TOKENS_MIN (64 + 11 * REGISTRY_MAX_METRICS + REGISTRY_MAX_NUMBERS)
#define BYTES_PER_TOKEN 14
#define TYPE_SIZE 32
#define KIND_SIZE 16
/* A longer text is cut to UNWELL_SIZE, rather than the daemon cut off for it. */
#define UNWELL_READ 4096
#define TIME_SIZE 32

struct reading {
	struct registry *registry;
	struct reporter **reporter;
	struct json_doc doc;
	struct moment now;
	size_t *conflicts;
	const char **error;
};

static enum report_frame
bad(struct reading *r, const char *error)
{
	*r->error = error;
	return REPORT_BAD;
}

static int
member_string(struct reading *r, int object, const char *name, char *out, size_t size)
{
	return json_string(&r->doc, json_get(&r->doc, object, name), out, size) < 0 ? -1 : 0;
}

/* Names go into labels and paths of the page: letters, digits, '-', '_', '.', not empty. */
static bool
name_valid(const char *name)
{
	return *name &&
	    strspn(name,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-_.") == strlen(name);
}

/* What queries it answers, if any; names that are not known here mean nothing. */
static bool
serves(struct reading *r, const char *name)
{
	int list = json_get(&r->doc, 0, "serves");
	if (json_type(&r->doc, list) != JSON_ARRAY)
		return false;
	JSON_FOR_EACH (value, &r->doc, list) {
		if (json_string_is(&r->doc, value, name))
			return true;
	}
	return false;
}

static int
identity_read(struct reading *r, struct identity *identity)
{
	char started[TIME_SIZE];
	if (member_string(r, 0, "daemon", identity->daemon, sizeof(identity->daemon)) < 0 ||
	    member_string(r, 0, "instance", identity->instance, sizeof(identity->instance)) < 0 ||
	    member_string(r, 0, "version", identity->version, sizeof(identity->version)) < 0 ||
	    member_string(r, 0, "startedAt", started, sizeof(started)) < 0 ||
	    clock_parse_rfc3339(started, strlen(started), &identity->started_ms) < 0 ||
	    json_i64(&r->doc, json_get(&r->doc, 0, "pid"), &identity->pid) < 0)
		return -1;
	identity->serves_forms = serves(r, "forms");
	return name_valid(identity->daemon) && name_valid(identity->instance) ? 0 : -1;
}

static int
number_read(struct reading *r, int value, uint64_t *number)
{
	int64_t read;
	if (json_i64(&r->doc, value, &read) < 0 || read < 0)
		return -1;
	*number = (uint64_t)read;
	return 0;
}

/* The bounds of a histogram: -1 when they are not as docs/protocol.md says. */
static int
bounds_read(struct reading *r, int list, struct row *row)
{
	uint64_t bounds[REGISTRY_MAX_BOUNDS];
	int count = json_size(&r->doc, list);
	size_t read = 0;
	if (json_type(&r->doc, list) != JSON_ARRAY || count < 1 || count > REGISTRY_MAX_BOUNDS)
		return -1;
	JSON_FOR_EACH (value, &r->doc, list) {
		if (number_read(r, value, &bounds[read]) < 0 ||
		    (read > 0 && bounds[read] <= bounds[read - 1]))
			return -1;
		read++;
	}
	row->bounds = mem_dup(bounds, read * sizeof(bounds[0]));
	row->bound_count = read;
	return 0;
}

/* `row` is zero. */
static int
row_read(struct reading *r, int value, struct row *row)
{
	char name[METRIC_NAME_MAX + 1], labels[METRIC_LABELS_MAX + 1], help[METRIC_HELP_MAX + 1];
	char kind[KIND_SIZE];
	if (member_string(r, value, "name", name, sizeof(name)) < 0 ||
	    member_string(r, value, "labels", labels, sizeof(labels)) < 0 ||
	    member_string(r, value, "help", help, sizeof(help)) < 0 ||
	    member_string(r, value, "kind", kind, sizeof(kind)) < 0 ||
	    metric_kind_parse(kind, &row->kind) < 0 || !metric_name_valid(name) ||
	    !metric_labels_valid(labels))
		return -1;
	if (row->kind == KIND_HISTOGRAM &&
	    bounds_read(r, json_get(&r->doc, value, "bounds"), row) < 0)
		return -1;
	row->name = mem_strdup(name);
	row->labels = mem_strdup(labels);
	row->help = mem_strdup(help);
	return 0;
}

/* Whether some earlier row is the same series: a name with the same labels. */
static bool
row_repeats(const struct row *rows, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (strcmp(rows[i].name, rows[index].name) == 0 &&
		    strcmp(rows[i].labels, rows[index].labels) == 0)
			return true;
	}
	return false;
}

/* How many rows were read into `rows`; *good says whether these are all of them. */
static size_t
rows_read(struct reading *r, int metrics, struct row *rows, bool *good)
{
	size_t count = 0;
	*good = false;
	JSON_FOR_EACH (value, &r->doc, metrics) {
		rows[count] = (struct row){0};
		if (row_read(r, value, &rows[count]) < 0)
			return count;
		if (row_repeats(rows, count++))
			return count;
	}
	*good = true;
	return count;
}

static void
rows_free(struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		MEM_FREE(&rows[i].name);
		MEM_FREE(&rows[i].labels);
		MEM_FREE(&rows[i].help);
		MEM_FREE(&rows[i].bounds);
	}
	MEM_FREE(&rows);
}

static enum report_frame
schema_read(struct reading *r)
{
	struct identity identity;
	int metrics = json_get(&r->doc, 0, "metrics");
	if (*r->reporter)
		return bad(r, "a second schema");
	if (identity_read(r, &identity) < 0)
		return bad(r, "a schema that does not say whose it is");
	if (json_type(&r->doc, metrics) != JSON_ARRAY ||
	    json_size(&r->doc, metrics) > REGISTRY_MAX_METRICS)
		return bad(r, "a schema without metrics, or with too many");

	bool good;
	struct row *rows = mem_array(NULL, REGISTRY_MAX_METRICS, sizeof(*rows));
	size_t count = rows_read(r, metrics, rows, &good);
	if (good)
		*r->reporter = registry_add(
		    r->registry, &identity, rows, count, r->now, r->conflicts, r->error);
	rows_free(rows, count);
	if (!good)
		return bad(r, "a schema with a malformed or repeated metric");
	return *r->reporter ? REPORT_SCHEMA : REPORT_REFUSED;
}

/* The value of one metric, which is one number or the list of a histogram's. */
static int
value_read(struct reading *r, const struct metric *metric, int value, uint64_t *numbers)
{
	if (metric->bound_count == 0)
		return number_read(r, value, numbers);
	if (json_type(&r->doc, value) != JSON_ARRAY ||
	    (size_t)json_size(&r->doc, value) != metric_numbers(metric))
		return -1;
	JSON_FOR_EACH (number, &r->doc, value) {
		if (number_read(r, number, numbers++) < 0)
			return -1;
	}
	return 0;
}

static enum report_frame
values_read(struct reading *r)
{
	uint64_t values[REGISTRY_MAX_NUMBERS];
	char unwell[UNWELL_READ];
	const struct metric *metric = (*r->reporter)->metrics;
	size_t count = 0;
	bool hands_on;
	int array = json_get(&r->doc, 0, "values"), why = json_get(&r->doc, 0, "unwell");
	if (json_type(&r->doc, array) != JSON_ARRAY ||
	    (size_t)json_size(&r->doc, array) != (*r->reporter)->metric_count)
		return bad(r, "as many values as the schema has metrics were due");
	JSON_FOR_EACH (value, &r->doc, array) {
		if (value_read(r, metric, value, &values[count]) < 0)
			return bad(r, "a value that is no whole number of 0 or more");
		count += metric_numbers(metric++);
	}
	bool well = json_type(&r->doc, why) == JSON_NULL;
	if (!well && json_string(&r->doc, why, unwell, sizeof(unwell)) < 0)
		return bad(r, "unwell is neither null nor a short text");
	reporter_report(*r->reporter, values, well ? NULL : unwell, r->now);
	if (json_bool(&r->doc, json_get(&r->doc, 0, "handsOn"), &hands_on) == 0)
		(*r->reporter)->hands_on = hands_on;
	return REPORT_VALUES;
}

static enum report_frame
rooms_read(struct reading *r)
{
	int rooms = json_get(&r->doc, 0, "rooms");
	if (json_type(&r->doc, rooms) != JSON_OBJECT)
		return bad(r, "rooms are due");
	JSON_FOR_EACH (key, &r->doc, rooms) {
		char hex[FORM_ID_HEX + 1];
		struct form_id form;
		int64_t clients;
		int length = json_string(&r->doc, key, hex, sizeof(hex));
		if (length < 0 || form_id_parse(&form, hex, (size_t)length) < 0 ||
		    json_i64(&r->doc, key + 1, &clients) < 0 || clients < 0)
			return bad(r, "a room that is no form's id with a count");
		if (reporter_set_room(r->registry, *r->reporter, &form, (uint64_t)clients) < 0)
			return bad(r, "too many rooms");
	}
	return REPORT_ROOMS;
}

static enum report_frame
frame_read(struct reading *r)
{
	static const struct {
		const char *type;
		enum report_frame (*read)(struct reading *r);
	} types[] = {{"report", values_read}, {"report:rooms", rooms_read}};
	char type[TYPE_SIZE];
	if (member_string(r, 0, "type", type, sizeof(type)) < 0)
		return bad(r, "no object with a type");
	if (strcmp(type, "report:schema") == 0)
		return schema_read(r);
	if (!*r->reporter)
		return bad(r, "the schema is due first");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(type, types[i].type) == 0)
			return types[i].read(r);
	}
	return REPORT_UNKNOWN;
}

enum report_frame
report_read(struct registry *registry, struct reporter **reporter, const char *json, size_t length,
    struct moment now, size_t *conflicts, const char **error)
{
	struct reading r = {
	    .registry = registry,
	    .reporter = reporter,
	    .now = now,
	    .conflicts = conflicts,
	    .error = error,
	};
	*conflicts = 0;
	if (json_parse(&r.doc, json, length, TOKENS_MIN + (int)(length / BYTES_PER_TOKEN), error) <
	    0)
		return REPORT_BAD;
	enum report_frame kind = frame_read(&r);
	json_free(&r.doc);
	return kind;
}
