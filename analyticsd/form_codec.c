/* SPDX-License-Identifier: MIT */
/* A form's state as bytes: version, then what struct form holds, then 8 bytes of checksum
 * over all before. Every count is checked against its bound before anything is allocated,
 * so that bytes that pass the checksum by chance still do no harm. */
#include <string.h>

#include "analyticsd/definition.h"
#include "analyticsd/form_state.h"
#include "analyticsd/hash.h"
#include "lib/mem.h"

/* 2: words with digits in them count. Goes up, too, when only what is counted changes. */
#define STATE_VERSION 2
#define OLDEST_VERSION 1
#define CHECKSUM_BYTES 8
#define ZONE_MAX 255
#define FLAG_DEFINED 1
#define FLAG_DELETED 2

static void
encode_text(struct encoder *e, const char *text)
{
	encode_bytes(e, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

static void
encode_checksum(struct encoder *e, size_t origin)
{
	size_t length = buf_length(e->buf) - origin;
	uint64_t sum = hash_bytes64(buf_bytes(e->buf) + origin, length);

	for (int i = 0; i < CHECKSUM_BYTES; i++)
		encode_byte(e, (uint8_t)(sum >> 8 * i));
}

int
form_encode(const struct form *form, struct buf *out)
{
	struct encoder e = {.buf = out};
	size_t origin = buf_length(out);

	encode_byte(&e, STATE_VERSION);
	encode_byte(&e, (form->defined ? FLAG_DEFINED : 0) | (form->deleted ? FLAG_DELETED : 0));
	encode_text(&e, form->title);
	encode_text(&e, form->zone);
	encode_signed(&e, form->updated_ms);
	encode_varint(&e, form->total);
	encode_varint(&e, form->timed);
	encode_varint(&e, form->duration_ms);
	encode_varint(&e, form->strays);
	recent_encode(&form->recent, &e);
	encode_varint(&e, form->declared_count);
	encode_varint(&e, form->field_count - form->declared_count);
	for (uint32_t i = 0; i < form->field_count; i++)
		field_encode(&form->fields[i], &e);
	if (!e.failed)
		encode_checksum(&e, origin);
	return e.failed ? -1 : 0;
}

static char *
decode_text(struct decoder *d, size_t max)
{
	size_t length;
	const char *bytes = decode_bytes(d, max, &length);

	if (length == 0)
		return NULL;
	if (memchr(bytes, '\0', length) != NULL)
		d->failed = true;
	char *text = mem_alloc(length + 1);
	memcpy(text, bytes, length);
	text[length] = '\0';
	return text;
}

static void
decode_fields(struct form *form, struct decoder *d)
{
	uint32_t declared = (uint32_t)decode_bounded(d, DEFINITION_MAX_FIELDS);
	uint32_t count = declared + (uint32_t)decode_bounded(d, FORM_MAX_UNDECLARED);

	for (uint32_t i = 0; i < count && !d->failed; i++) {
		struct field *field = form_append(form);

		*field = (struct field){0};
		field_decode(field, d);
		if (field->declared != (i < declared))
			d->failed = true;
		if (!field->declared && field_answers(field) == 0)
			form->dead++;
	}
	form->declared_count = MIN(declared, form->field_count);
	form_index(form);
	/* No id twice: each must be found where it stands. */
	for (uint32_t i = 0; i < form->field_count && !d->failed; i++) {
		const struct field *field = &form->fields[i];

		if (form_find(form, field->id, field->id_length, field->hash) != (int)i)
			d->failed = true;
	}
	bool full = form->field_count - form->declared_count == FORM_MAX_UNDECLARED;
	if ((form->strays > 0 && !full) || (form->dead > 0 && form->strays == 0))
		d->failed = true;
}

static bool
checksum_fits(const uint8_t *data, size_t length)
{
	uint64_t sum = 0;

	if (length < CHECKSUM_BYTES)
		return false;
	for (int i = 0; i < CHECKSUM_BYTES; i++)
		sum |= (uint64_t)data[length - CHECKSUM_BYTES + (size_t)i] << 8 * i;
	return sum == hash_bytes64(data, length - CHECKSUM_BYTES);
}

struct form *
form_decode(const struct form_id *id, const void *data, size_t length)
{
	if (!checksum_fits(data, length))
		return NULL;
	const uint8_t *end = (const uint8_t *)data + length - CHECKSUM_BYTES;
	struct decoder d = {.at = data, .end = end};
	struct form *form = form_new(id);

	unsigned version = decode_byte(&d), flags = decode_byte(&d);
	if (version < OLDEST_VERSION || version > STATE_VERSION ||
	    flags > (FLAG_DEFINED | FLAG_DELETED))
		d.failed = true;
	form->outdated = version < STATE_VERSION;
	form->defined = flags & FLAG_DEFINED;
	form->deleted = flags & FLAG_DELETED;
	form->title = decode_text(&d, DEFINITION_MAX_TITLE);
	form->zone = decode_text(&d, ZONE_MAX);
	form->updated_ms = decode_signed(&d);
	form->total = decode_varint(&d);
	form->timed = decode_varint(&d);
	form->duration_ms = decode_varint(&d);
	form->strays = decode_varint(&d);
	recent_decode(&form->recent, &d);
	decode_fields(form, &d);
	if (d.failed || d.at != d.end)
		form_free(&form);
	return form;
}

struct form *
form_copy(const struct form *form)
{
	struct form *copy = NULL;
	struct buf state;

	buf_init(&state, FORM_MAX_STATE);
	if (form_encode(form, &state) == 0)
		copy = form_decode(&form->id, buf_bytes(&state), buf_length(&state));
	buf_free(&state);
	return copy;
}
