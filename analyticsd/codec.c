/* SPDX-License-Identifier: MIT */
#include "analyticsd/codec.h"

#include <string.h>

/* Room for so many bytes, which the caller then writes; or NULL. */
static uint8_t *
encode_place(struct encoder *e, size_t length)
{
	uint8_t *place = e->failed ? NULL : buf_reserve(e->buf, length);

	if (place == NULL)
		e->failed = true;
	else
		buf_commit(e->buf, length);
	return place;
}

void
encode_byte(struct encoder *e, uint8_t value)
{
	uint8_t *place = encode_place(e, 1);

	if (place != NULL)
		*place = value;
}

static size_t
varint_length(uint64_t value)
{
	unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);

	return (bits + 6) / 7;
}

void
encode_varint(struct encoder *e, uint64_t value)
{
	uint8_t *place = encode_place(e, varint_length(value));

	if (place == NULL)
		return;
	while (value >= 0x80) {
		*place++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*place = (uint8_t)value;
}

void
encode_signed(struct encoder *e, int64_t value)
{
	encode_varint(e, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

void
encode_double(struct encoder *e, double value)
{
	uint8_t *place = encode_place(e, sizeof(value));
	uint64_t bits;

	if (place == NULL)
		return;
	memcpy(&bits, &value, sizeof(bits));
	for (int i = 0; i < 8; i++)
		place[i] = (uint8_t)(bits >> 8 * i);
}

void
encode_bytes(struct encoder *e, const void *data, size_t length)
{
	encode_varint(e, length);
	uint8_t *place = length > 0 ? encode_place(e, length) : NULL;
	if (place != NULL)
		memcpy(place, data, length);
}

static void
decode_fail(struct decoder *d)
{
	d->failed = true;
	d->at = d->end;
}

uint8_t
decode_byte(struct decoder *d)
{
	if (d->at == d->end) {
		decode_fail(d);
		return 0;
	}
	return *d->at++;
}

uint64_t
decode_varint(struct decoder *d)
{
	uint64_t value = 0;

	for (int shift = 0; shift < 64; shift += 7) {
		uint8_t byte = decode_byte(d);

		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return d->failed ? 0 : value;
	}
	decode_fail(d);
	return 0;
}

int64_t
decode_signed(struct decoder *d)
{
	uint64_t value = decode_varint(d);

	return (int64_t)(value >> 1 ^ (value & 1 ? UINT64_MAX : 0));
}

double
decode_double(struct decoder *d)
{
	uint64_t bits = 0;
	double value;

	if (d->end - d->at < 8) {
		decode_fail(d);
		return 0;
	}
	for (int i = 0; i < 8; i++)
		bits |= (uint64_t)d->at[i] << 8 * i;
	d->at += 8;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

uint64_t
decode_bounded(struct decoder *d, uint64_t max)
{
	uint64_t value = decode_varint(d);

	if (value > max) {
		decode_fail(d);
		return 0;
	}
	return value;
}

const char *
decode_bytes(struct decoder *d, size_t max, size_t *length)
{
	const uint8_t *at;

	*length = decode_bounded(d, max);
	if (*length > (size_t)(d->end - d->at)) {
		decode_fail(d);
		*length = 0;
	}
	if (*length == 0)
		return "";
	at = d->at;
	d->at += *length;
	return (const char *)at;
}
