/* SPDX-License-Identifier: MIT */
/* What wsfand reads of a producer's frame, against what the whole document says. */
#include "wsfand/frame_read.h"

#include <limits.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/json_read.h"
#include "tests/fuzz/fuzz.h"

#define MAX_BYTES 65536
/* With escapes in them they may be so long. */
#define LONGEST_ESCAPED 127
#define OTHERS_TOKENS 32

/* The text of a string that will do for a type or an id; -1: it will not. */
static int
read_text(const struct json_doc *doc, int value, char out[static MAX_BYTES])
{
	size_t raw_length = 0;
	const char *raw = json_raw(doc, value, &raw_length);
	int length = json_string(doc, value, out, MAX_BYTES);

	if (length > LONGEST_ESCAPED && memchr(raw, '\\', raw_length) != NULL)
		return -1;
	return length;
}

static int64_t
read_at(const struct json_doc *doc)
{
	int value = json_get(doc, 0, "at");
	size_t length = 0;
	const char *raw = json_raw(doc, value, &length);
	int64_t at_ms;

	if (json_type(doc, value) != JSON_STRING ||
	    clock_parse_rfc3339(raw + 1, length - 2, &at_ms) < 0)
		return 0;
	return at_ms;
}

static bool
read_others(const struct json_doc *doc, struct frame *want)
{
	int64_t viewers;

	if (doc->count > OTHERS_TOKENS ||
	    json_i64(doc, json_get(doc, 0, "viewers"), &viewers) < 0 || viewers < 0 ||
	    viewers > UINT32_MAX)
		return false;
	want->others = true;
	want->viewers = (uint32_t)viewers;
	return true;
}

/* The slow way. False: the frame is to be refused. */
static bool
read_slowly(const struct json_doc *doc, struct frame *want)
{
	static char type[MAX_BYTES], form[MAX_BYTES];
	int type_length = read_text(doc, json_get(doc, 0, "type"), type);
	int form_length = read_text(doc, json_get(doc, 0, "formId"), form);

	*want = (struct frame){.kind = MESSAGE_EVENT};
	if (json_type(doc, 0) != JSON_OBJECT || type_length < 0 || form_length < 0 ||
	    form_id_parse(&want->form, form, (size_t)form_length) < 0)
		return false;
	if (strcmp(type, "room:others") == 0)
		return read_others(doc, want);
	if (strncmp(type, "room:", 5) == 0)
		return false;
	if (strcmp(type, "analytics:update") == 0)
		want->kind = MESSAGE_ANALYTICS;
	else if (strcmp(type, "metrics:update") == 0)
		want->kind = MESSAGE_METRICS;
	want->at_ms = read_at(doc);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_doc doc;
	struct frame got, want;
	const char *problem;

	if (size >= MAX_BYTES)
		return 0;
	problem = frame_read(&got, data, size);
	FUZZ_CHECK(problem == NULL || *problem != '\0');
	if (json_parse(&doc, (const char *)data, size, INT_MAX, NULL) < 0) {
		FUZZ_CHECK(problem != NULL);
		return 0;
	}
	FUZZ_CHECK(read_slowly(&doc, &want) == (problem == NULL));
	json_free(&doc);
	if (problem != NULL)
		return 0;
	FUZZ_CHECK(form_id_equal(&got.form, &want.form) && got.others == want.others);
	FUZZ_CHECK(got.others ? got.viewers == want.viewers
			      : got.kind == want.kind && got.at_ms == want.at_ms);
	return 0;
}
