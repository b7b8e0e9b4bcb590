/* SPDX-License-Identifier: MIT */
#include "analyticsd/field.h"
#include "analyticsd/hash.h"
#include "lib/mem.h"

/* Which aggregates a field holds, as it stands in a saved state. */
enum aggregate { HAS_ONE = 1, HAS_SEVERAL = 2, HAS_NUMBER = 4, HAS_TEXT = 8, HAS_ALL = 15 };

static unsigned
field_aggregates(const struct field *field)
{
	return (field->one != NULL ? HAS_ONE : 0) | (field->several != NULL ? HAS_SEVERAL : 0) |
	    (field->number != NULL ? HAS_NUMBER : 0) | (field->text != NULL ? HAS_TEXT : 0);
}

void
field_encode(const struct field *field, struct encoder *e)
{
	encode_bytes(e, field->id, field->id_length);
	encode_byte(e, field->declared ? (uint8_t)(1 + field->type) : 0);
	for (int kind = 0; kind < FIELD_KINDS; kind++)
		encode_varint(e, field->seen[kind]);
	encode_byte(e, (uint8_t)field_aggregates(field));
	if (field->one != NULL)
		choice_encode(field->one, e);
	if (field->several != NULL)
		choice_encode(field->several, e);
	if (field->number != NULL)
		number_encode(field->number, e);
	if (field->text != NULL)
		text_encode(field->text, e);
}

static void
field_decode_aggregates(struct field *field, struct decoder *d, unsigned aggregates)
{
	if (aggregates & HAS_ONE) {
		field->one = mem_zalloc(sizeof(*field->one));
		choice_decode(field->one, d);
	}
	if (aggregates & HAS_SEVERAL) {
		field->several = mem_zalloc(sizeof(*field->several));
		choice_decode(field->several, d);
	}
	if (aggregates & HAS_NUMBER) {
		field->number = mem_zalloc(sizeof(*field->number));
		number_decode(field->number, d);
	}
	if (aggregates & HAS_TEXT) {
		field->text = mem_zalloc(sizeof(*field->text));
		text_decode(field->text, d);
	}
}

void
field_decode(struct field *field, struct decoder *d)
{
	size_t length;
	const char *id = decode_bytes(d, FIELD_MAX_ID, &length);

	if (!field_id_valid(id, length)) {
		d->failed = true;
		return;
	}
	field_init(field, id, length, hash_bytes(id, length));
	unsigned type = decode_byte(d);
	field->declared = type > 0;
	field->type = type > 0 && type <= FIELD_TYPES ? (enum field_type)(type - 1) : FIELD_TEXT;
	for (int kind = 0; kind < FIELD_KINDS; kind++)
		field->seen[kind] = decode_varint(d);
	unsigned aggregates = decode_byte(d);
	if (type > FIELD_TYPES || aggregates > HAS_ALL)
		d->failed = true;
	else
		field_decode_aggregates(field, d, aggregates);
}
