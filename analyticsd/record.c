/* SPDX-License-Identifier: MIT */
/* The compact record of a response (response.h):
 *     version, submittedAt (signed; absent: flag), duration + 1, number of answers,
 *     then of each: kind, field id, value. */
#include <math.h>

#include "analyticsd/codec.h"
#include "analyticsd/field.h"
#include "analyticsd/response.h"
#include "analyticsd/response_store.h"

#define RECORD_VERSION 1
#define FLAG_TIME 1

/* The kinds as they stand in a record; never change them, add. */
enum record_kind { RECORD_OTHER, RECORD_STRING, RECORD_INTEGER, RECORD_DOUBLE, RECORD_OPTIONS };

static void
encode_answer(struct encoder *e, const struct answer *answer)
{
	static const uint8_t kinds[] = {
	    [VALUE_STRING] = RECORD_STRING,
	    [VALUE_NUMBER] = RECORD_DOUBLE,
	    [VALUE_OPTIONS] = RECORD_OPTIONS,
	    [VALUE_OTHER] = RECORD_OTHER,
	};
	bool integer = answer->kind == VALUE_NUMBER && answer->whole;

	encode_byte(e, integer ? RECORD_INTEGER : kinds[answer->kind]);
	encode_bytes(e, answer->field, answer->field_length);
	switch (answer->kind) {
	case VALUE_STRING:
		encode_bytes(e, answer->text, answer->text_length);
		break;
	case VALUE_NUMBER:
		if (integer)
			encode_signed(e, answer->integer);
		else
			encode_double(e, answer->number);
		break;
	case VALUE_OPTIONS:
		encode_varint(e, answer->option_count);
		for (size_t i = 0; i < answer->option_count; i++)
			encode_bytes(e, answer->options[i].id, answer->options[i].length);
		break;
	case VALUE_OTHER:
		break;
	}
}

int
response_to_record(const struct response *response, struct buf *record)
{
	struct encoder e = {.buf = record};
	bool timed = response->submitted_ms != RESPONSE_NO_TIME;

	buf_clear(record);
	encode_byte(&e, RECORD_VERSION);
	encode_byte(&e, timed ? FLAG_TIME : 0);
	if (timed)
		encode_signed(&e, response->submitted_ms);
	encode_varint(&e, (uint64_t)(response->duration_ms + 1));
	encode_varint(&e, response->answer_count);
	for (size_t i = 0; i < response->answer_count; i++)
		encode_answer(&e, &response->answers[i]);
	return e.failed ? -1 : 0;
}

static void
decode_options(struct decoder *d, struct response *response, struct answer *answer)
{
	size_t first = response->option_count;
	size_t count = decode_bounded(d, RESPONSE_MAX_OPTIONS);

	answer->kind = VALUE_OPTIONS;
	response_begin_options(response);
	for (size_t i = 0; i < count && !d->failed; i++) {
		size_t length;
		const char *id = decode_bytes(d, SIZE_MAX, &length);

		response_add_option(response, first, id, length);
	}
	answer->option_count = response->option_count - first;
	if (answer->option_count != count)
		d->failed = true;
}

static void
decode_value(struct decoder *d, struct response *response, struct answer *answer, unsigned kind)
{
	switch (kind) {
	case RECORD_OTHER:
		answer->kind = VALUE_OTHER;
		break;
	case RECORD_STRING:
		answer->kind = VALUE_STRING;
		answer->text = decode_bytes(d, RESPONSE_MAX_TEXT, &answer->text_length);
		break;
	case RECORD_INTEGER:
		answer->kind = VALUE_NUMBER;
		answer->whole = true;
		answer->integer = decode_signed(d);
		answer->number = (double)answer->integer;
		break;
	case RECORD_DOUBLE:
		answer->kind = VALUE_NUMBER;
		answer->number = decode_double(d);
		if (!isfinite(answer->number))
			d->failed = true;
		break;
	case RECORD_OPTIONS:
		decode_options(d, response, answer);
		break;
	default:
		d->failed = true;
		break;
	}
}

int
response_from_record(struct response *response, const void *record, size_t length)
{
	struct decoder d = {.at = record, .end = (const uint8_t *)record + length};

	response_clear(response);
	if (decode_byte(&d) != RECORD_VERSION)
		return -1;
	if (decode_byte(&d) & FLAG_TIME)
		response->submitted_ms = decode_signed(&d);
	response->duration_ms = (int64_t)decode_bounded(&d, RESPONSE_MAX_DURATION_MS + 1) - 1;
	size_t count = decode_bounded(&d, RESPONSE_MAX_ANSWERS);
	for (size_t i = 0; i < count && !d.failed; i++) {
		unsigned kind = decode_byte(&d);
		size_t field_length;
		const char *field = decode_bytes(&d, FIELD_MAX_ID, &field_length);

		struct answer *answer = field_id_valid(field, field_length)
		    ? response_add_answer(response, field, field_length)
		    : NULL;
		if (answer == NULL)
			return -1;
		decode_value(&d, response, answer, kind);
	}
	if (d.failed || d.at != d.end)
		return -1;
	response_finish(response);
	return 0;
}
