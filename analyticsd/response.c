/* SPDX-License-Identifier: MIT */
#include "analyticsd/response.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyticsd/bson_key.h"
#include "analyticsd/field.h"
#include "analyticsd/hash.h"
#include "analyticsd/response_store.h"
#include "lib/mem.h"
#include "lib/utf8.h"

#define WHOLE_LIMIT 9007199254740992.0 /* 2^53 */

int
response_id(const bson_t *doc, struct buf *id, const char **why)
{
	bson_iter_t iter;

	buf_clear(id);
	*why = "no _id";
	if (!bson_iter_init_find(&iter, doc, "_id"))
		return -1;
	*why = "its _id is too long";
	const uint8_t *value = (const uint8_t *)bson_iter_key(&iter) + bson_iter_key_len(&iter) + 1;
	size_t length = (size_t)(iter.raw + iter.next_off - value);
	uint8_t type = (uint8_t)bson_iter_type(&iter);
	if (length >= RESPONSE_MAX_ID)
		return -1;
	if (buf_append(id, &type, 1) < 0 || buf_append(id, value, length) < 0) {
		buf_clear(id);
		return -1;
	}
	return 0;
}

static void
leave_out(struct response *response, enum response_part part)
{
	response->left_out |= 1U << part;
}

static void
answer_set_double(struct answer *answer, double value)
{
	answer->kind = isfinite(value) ? VALUE_NUMBER : VALUE_OTHER;
	answer->number = value == 0 ? 0 : value; /* no -0 */
	answer->whole = fabs(value) <= WHOLE_LIMIT && trunc(value) == value;
	answer->integer = answer->whole ? (int64_t)value : 0;
}

static void
answer_set_integer(struct answer *answer, int64_t value)
{
	answer->kind = VALUE_NUMBER;
	answer->number = (double)value;
	answer->whole = true;
	answer->integer = value;
}

static double
decimal_value(const bson_iter_t *iter)
{
	bson_decimal128_t decimal;
	char text[BSON_DECIMAL128_STRING];

	if (!bson_iter_decimal128(iter, &decimal))
		return NAN;
	bson_decimal128_to_string(&decimal, text);
	return strtod(text, NULL);
}

static void
answer_set_text(struct response *response, struct answer *answer, const bson_iter_t *iter)
{
	uint32_t length;

	answer->kind = VALUE_STRING;
	answer->text = bson_iter_utf8(iter, &length);
	answer->text_length = length;
	if (length > RESPONSE_MAX_TEXT) {
		leave_out(response, PART_TEXT);
		answer->text_length = RESPONSE_MAX_TEXT;
		/* At most three bytes belong to a character that is cut. */
		for (int i = 0;
		     i < 3 && ((unsigned char)answer->text[answer->text_length] & 0xc0) == 0x80;
		     i++)
			answer->text_length--;
	}
}

static void
answer_set_options(struct response *response, struct answer *answer, const bson_iter_t *list)
{
	size_t first = response->option_count;
	bson_iter_t element;
	uint32_t length;

	answer->kind = VALUE_OPTIONS;
	if (!bson_iter_recurse(list, &element)) {
		answer->kind = VALUE_OTHER;
		return;
	}
	response_begin_options(response);
	for (int i = 0; bson_iter_next(&element); i++) {
		if (i == RESPONSE_MAX_OPTIONS) {
			leave_out(response, PART_OPTIONS);
			break;
		}
		const char *id = BSON_ITER_HOLDS_UTF8(&element) ? bson_iter_utf8(&element, &length)
								: NULL;

		if (id == NULL || !utf8_valid(id, length)) {
			answer->kind = VALUE_OTHER;
			response->option_count = first;
			return;
		}
		response_add_option(response, first, id, length);
	}
	answer->option_count = response->option_count - first;
}

static void
answer_set_value(struct response *response, struct answer *answer, const bson_iter_t *iter)
{
	switch (bson_iter_type(iter)) {
	case BSON_TYPE_UTF8:
		answer_set_text(response, answer, iter);
		break;
	case BSON_TYPE_DOUBLE:
		answer_set_double(answer, bson_iter_double(iter));
		break;
	case BSON_TYPE_INT32:
		answer_set_integer(answer, bson_iter_int32(iter));
		break;
	case BSON_TYPE_INT64:
		answer_set_integer(answer, bson_iter_int64(iter));
		break;
	case BSON_TYPE_DECIMAL128:
		answer_set_double(answer, decimal_value(iter));
		break;
	case BSON_TYPE_ARRAY:
		answer_set_options(response, answer, iter);
		break;
	default:
		answer->kind = VALUE_OTHER;
		break;
	}
}

static void
response_take_answer(struct response *response, const bson_iter_t *element)
{
	bson_iter_t child, field = {0}, value = {0};
	uint32_t length;

	if (!BSON_ITER_HOLDS_DOCUMENT(element) || !bson_iter_recurse(element, &child)) {
		leave_out(response, PART_ENTRY);
		return;
	}
	while (bson_iter_next(&child)) {
		const char *key = bson_iter_key_unsafe(&child);

		if (field.raw == NULL && key_is(key, "fieldId"))
			field = child;
		else if (value.raw == NULL && key_is(key, "value"))
			value = child;
	}
	const char *id = field.raw != NULL && BSON_ITER_HOLDS_UTF8(&field)
	    ? bson_iter_utf8(&field, &length)
	    : NULL;
	if (id == NULL || !field_id_valid(id, length)) {
		leave_out(response, PART_FIELD_ID);
		return;
	}
	struct answer *answer = response_add_answer(response, id, length);
	if (answer == NULL) {
		leave_out(response, PART_REPEATED);
		return;
	}
	answer->kind = VALUE_OTHER;
	if (value.raw != NULL)
		answer_set_value(response, answer, &value);
	if (answer->kind == VALUE_OTHER)
		leave_out(response, PART_VALUE);
}

static const char *
response_take_answers(struct response *response, const bson_iter_t *list)
{
	bson_iter_t element;

	if (!BSON_ITER_HOLDS_ARRAY(list))
		return "answers is no array";
	if (!bson_iter_recurse(list, &element))
		return "answers is corrupt";
	for (int i = 0; bson_iter_next(&element); i++) {
		if (i == RESPONSE_MAX_ANSWERS) {
			leave_out(response, PART_ANSWERS);
			break;
		}
		response_take_answer(response, &element);
	}
	if (element.err_off != 0)
		leave_out(response, PART_ENTRY);
	return NULL;
}

static double
duration_value(const bson_iter_t *iter)
{
	switch (bson_iter_type(iter)) {
	case BSON_TYPE_DOUBLE:
		return bson_iter_double(iter);
	case BSON_TYPE_INT32:
		return bson_iter_int32(iter);
	case BSON_TYPE_INT64:
		return (double)bson_iter_int64(iter);
	case BSON_TYPE_DECIMAL128:
		return decimal_value(iter);
	default:
		return NAN;
	}
}

/* Is it there, and not null? */
static bool
is_said(const bson_iter_t *iter)
{
	return iter->raw != NULL && !BSON_ITER_HOLDS_NULL(iter) &&
	    bson_iter_type(iter) != BSON_TYPE_UNDEFINED;
}

/* From startedAt to submittedAt, where both are there, even where that is of no use; else
 * durationMs. */
static void
response_take_meta(struct response *response, const bson_iter_t *meta)
{
	double duration = NAN;
	int64_t started;
	bool has_start = false, useless = false;
	bson_iter_t child;

	if (!is_said(meta))
		return;
	if (!BSON_ITER_HOLDS_DOCUMENT(meta) || !bson_iter_recurse(meta, &child)) {
		leave_out(response, PART_META);
		return;
	}
	while (bson_iter_next(&child)) {
		const char *key = bson_iter_key_unsafe(&child);

		if (key_is(key, "durationMs") && !isfinite(duration)) {
			duration = duration_value(&child);
			useless = useless || (is_said(&child) && !isfinite(duration));
		} else if (key_is(key, "startedAt") && BSON_ITER_HOLDS_DATE_TIME(&child)) {
			started = bson_iter_date_time(&child);
			has_start = true;
		} else if (key_is(key, "startedAt")) {
			useless = useless || is_said(&child);
		}
	}
	int64_t taken = -1;
	if (has_start && response->submitted_ms != RESPONSE_NO_TIME) {
		if (__builtin_sub_overflow(response->submitted_ms, started, &taken))
			taken = -1;
	} else if (duration >= 0 && duration <= (double)RESPONSE_MAX_DURATION_MS) {
		taken = llround(duration);
	}
	bool told = isfinite(duration) || (has_start && response->submitted_ms != RESPONSE_NO_TIME);
	if (taken >= 0 && taken <= RESPONSE_MAX_DURATION_MS)
		response->duration_ms = taken;
	else
		useless = useless || told;
	if (useless)
		leave_out(response, PART_META);
}

int
response_from_bson(struct response *response, const bson_t *doc, const char **why)
{
	bson_iter_t iter, form = {0}, answers = {0}, submitted = {0}, meta = {0};

	response_clear(response);
	*why = "the document is corrupt";
	if (!bson_iter_init(&iter, doc))
		return -1;
	while (bson_iter_next(&iter)) {
		const char *key = bson_iter_key_unsafe(&iter);

		if (form.raw == NULL && key_is(key, "formId"))
			form = iter;
		else if (answers.raw == NULL && key_is(key, "answers"))
			answers = iter;
		else if (submitted.raw == NULL && key_is(key, "submittedAt"))
			submitted = iter;
		else if (meta.raw == NULL && key_is(key, "meta"))
			meta = iter;
	}
	if (iter.err_off != 0)
		return -1;
	*why = form.raw == NULL ? "no formId" : "formId is no ObjectId";
	if (form.raw == NULL || !BSON_ITER_HOLDS_OID(&form))
		return -1;
	memcpy(response->form.bytes, bson_iter_oid(&form)->bytes, FORM_ID_BYTES);
	*why = "submittedAt is no date";
	if (submitted.raw != NULL && !BSON_ITER_HOLDS_DATE_TIME(&submitted))
		return -1;
	if (submitted.raw != NULL)
		response->submitted_ms = bson_iter_date_time(&submitted);
	*why = answers.raw == NULL ? "no answers" : response_take_answers(response, &answers);
	if (*why != NULL)
		return -1;
	if (meta.raw != NULL)
		response_take_meta(response, &meta);
	response_finish(response);
	return 0;
}
