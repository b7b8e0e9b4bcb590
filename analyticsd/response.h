/* SPDX-License-Identifier: MIT */
/* response: what one response document says, taken out of BSON, and its compact record.
 *
 * The record is what the store keeps per response (docs/architecture.md, "Why a record per
 * response"): enough to take the response back from its form and to count it anew when the
 * form's definition changes. It knows nothing of the form. A response and a record read the
 * same way, through struct response.
 *
 * Rules (docs/counting.md): an entry whose fieldId is no id (1..50 of A-Za-z0-9_-) or that is a
 * second one for its field is left out; a value that is none of the kinds below is kept as
 * VALUE_OTHER (it counts as invalid); text beyond RESPONSE_MAX_TEXT bytes is not read (cut at a
 * character); at most RESPONSE_MAX_ANSWERS entries and RESPONSE_MAX_OPTIONS options each. */
#ifndef ANALYTICSD_RESPONSE_H
#define ANALYTICSD_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bson/bson.h>

#include "lib/base.h"
#include "lib/buf.h"
#include "lib/form_id.h"

#define RESPONSE_MAX_ANSWERS 1024
#define RESPONSE_MAX_OPTIONS 1024
#define RESPONSE_MAX_TEXT 65536
#define RESPONSE_MAX_DURATION_MS \
	(INT64_C(3652) * 86400 * 1000) /* ten years; more is not believed */
#define RESPONSE_MAX_ID 1024 /* bytes of an encoded _id */

enum value_kind { VALUE_STRING, VALUE_NUMBER, VALUE_OPTIONS, VALUE_OTHER };

struct option_ref;

/* One answer; its bytes lie in the document or record it was read from. */
struct answer {
	const char *field; /* not terminated */
	size_t field_length;
	uint32_t field_hash; /* hash_bytes() of it */
	enum value_kind kind;
	/* VALUE_NUMBER: finite. `whole`: it is also the integer, exactly, even beyond 2^53. */
	bool whole;
	double number;
	int64_t integer;
	const char *text; /* VALUE_STRING */
	size_t text_length;
	/* VALUE_OPTIONS: an array of strings, each once. */
	const struct option_ref *options;
	size_t option_count;
};

struct option_ref {
	const char *id;
	size_t length;
	uint32_t hash;
};

/* What stands in a response already (fields, options of one answer): a table of 1 + their index. */
struct seen {
	uint16_t *slots;
	uint32_t slot_count, slot_capacity;
};

/* Parts that are left out of a response: response_parts.def. */
#define PART(name, counter, text) PART_##name,
enum response_part {
#include "analyticsd/response_parts.def"
	RESPONSE_PARTS
};
#undef PART

struct response {
	struct form_id form;
	int64_t submitted_ms; /* RESPONSE_NO_TIME when the document has none */
	int64_t duration_ms; /* of filling it in; -1: unknown */
	struct answer *answers;
	size_t answer_count;
	unsigned left_out; /* of the document: bits 1 << PART_… */
	/* storage, reused from one response to the next */
	size_t answer_capacity, option_count, option_capacity;
	struct option_ref *options;
	struct seen seen_fields, seen_options;
};

#define RESPONSE_NO_TIME INT64_MIN

/* Zero-initialise a struct response once, use it for many, free it at the end. */
void response_free(struct response *response);

/* The _id, of whatever BSON type, as bytes that are equal when the ids are: the type and then
 * the value as it stands in BSON. 0; -1: there is none, or it is over RESPONSE_MAX_ID, as *why (a
 * literal) says. */
MUST_CHECK int response_id(const bson_t *doc, struct buf *id, const char **why);

/* 0; -1: malformed, and *why is a literal ("no formId", "answers is no array"). Views into
 * `doc`. */
MUST_CHECK int response_from_bson(struct response *response, const bson_t *doc, const char **why);

/* The compact record: appended to `record` (cleared first; its max decides how long one may be:
 * -1). */
MUST_CHECK int response_to_record(const struct response *response, struct buf *record);

/* Views into `record`. -1: corrupt. The form is not in the record: the caller sets
 * response->form. */
MUST_CHECK int response_from_record(struct response *response, const void *record, size_t length);

#endif
