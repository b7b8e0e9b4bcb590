/* SPDX-License-Identifier: MIT */
#include "tests/mongo/compare.h"

#include <stdlib.h>
#include <string.h>

int
value_class(const bson_iter_t *v)
{
	if (!v)
		return 5;
	switch (bson_iter_type(v)) {
	case BSON_TYPE_MINKEY:
		return -1;
	case BSON_TYPE_UNDEFINED:
	case BSON_TYPE_NULL:
		return 5;
	case BSON_TYPE_INT32:
	case BSON_TYPE_INT64:
	case BSON_TYPE_DOUBLE:
	case BSON_TYPE_DECIMAL128:
		return 10;
	case BSON_TYPE_UTF8:
	case BSON_TYPE_SYMBOL:
		return 15;
	case BSON_TYPE_DOCUMENT:
		return 20;
	case BSON_TYPE_ARRAY:
		return 25;
	case BSON_TYPE_BINARY:
		return 30;
	case BSON_TYPE_OID:
		return 35;
	case BSON_TYPE_BOOL:
		return 40;
	case BSON_TYPE_DATE_TIME:
		return 45;
	case BSON_TYPE_TIMESTAMP:
		return 47;
	case BSON_TYPE_REGEX:
		return 50;
	case BSON_TYPE_DBPOINTER:
		return 55;
	case BSON_TYPE_CODE:
		return 60;
	case BSON_TYPE_CODEWSCOPE:
		return 65;
	case BSON_TYPE_MAXKEY:
		return 127;
	default:
		return 5;
	}
}

static long double
number_of(const bson_iter_t *v)
{
	char text[BSON_DECIMAL128_STRING];
	bson_decimal128_t dec;

	switch (bson_iter_type(v)) {
	case BSON_TYPE_INT32:
		return bson_iter_int32(v);
	case BSON_TYPE_INT64:
		/* A long double has 64 bits of mantissa on this machine, so this is exact. */
		return bson_iter_int64(v);
	case BSON_TYPE_DOUBLE:
		return bson_iter_double(v);
	default:
		bson_iter_decimal128(v, &dec);
		bson_decimal128_to_string(&dec, text);
		return strtold(text, NULL);
	}
}

bool
value_is_nan(const bson_iter_t *v)
{
	long double d;

	if (value_class(v) != 10)
		return false;
	d = number_of(v);
	return d != d;
}

static int
numbers_compare(const bson_iter_t *a, const bson_iter_t *b)
{
	long double x = number_of(a), y = number_of(b);

	if (x != x || y != y)
		return (x == x) - (y == y);
	return (x > y) - (x < y);
}

static int
bytes_compare(const void *a, size_t an, const void *b, size_t bn)
{
	size_t n = an < bn ? an : bn;
	int c = n ? memcmp(a, b, n) : 0;

	return c ? c : (an > bn) - (an < bn);
}

static const char *
text_of(const bson_iter_t *v, uint32_t *n)
{
	if (BSON_ITER_HOLDS_SYMBOL(v))
		return bson_iter_symbol(v, n);
	if (BSON_ITER_HOLDS_CODE(v))
		return bson_iter_code(v, n);
	return bson_iter_utf8(v, n);
}

static int
texts_compare(const bson_iter_t *a, const bson_iter_t *b)
{
	uint32_t an, bn;
	const char *at = text_of(a, &an), *bt = text_of(b, &bn);

	return bytes_compare(at, an, bt, bn);
}

/* Length first, then the subtype, then the bytes. */
static int
binaries_compare(const bson_iter_t *a, const bson_iter_t *b)
{
	bson_subtype_t as, bs;
	const uint8_t *ad, *bd;
	uint32_t an, bn;

	bson_iter_binary(a, &as, &an, &ad);
	bson_iter_binary(b, &bs, &bn, &bd);
	if (an != bn)
		return an > bn ? 1 : -1;
	if (as != bs)
		return (int)as > (int)bs ? 1 : -1;
	return an ? memcmp(ad, bd, an) : 0;
}

static int
containers_compare(const bson_iter_t *a, const bson_iter_t *b, bool names)
{
	bson_iter_t x, y;

	if (!bson_iter_recurse(a, &x) || !bson_iter_recurse(b, &y))
		return 0;
	for (;;) {
		bool more_x = bson_iter_next(&x), more_y = bson_iter_next(&y);
		int c;

		if (!more_x || !more_y)
			return (int)more_x - (int)more_y;
		c = value_class(&x) - value_class(&y);
		if (c)
			return c;
		if (names && (c = strcmp(bson_iter_key(&x), bson_iter_key(&y))))
			return c;
		if ((c = value_compare(&x, &y)))
			return c;
	}
}

static int
timestamps_compare(const bson_iter_t *a, const bson_iter_t *b)
{
	uint32_t at, ai, bt, bi;

	bson_iter_timestamp(a, &at, &ai);
	bson_iter_timestamp(b, &bt, &bi);
	if (at != bt)
		return at > bt ? 1 : -1;
	return (ai > bi) - (ai < bi);
}

static int
rare_compare(const bson_iter_t *a, const bson_iter_t *b)
{
	const char *ao, *bo;
	int c;

	switch (bson_iter_type(a)) {
	case BSON_TYPE_REGEX: {
		const char *ar = bson_iter_regex(a, &ao), *br = bson_iter_regex(b, &bo);

		c = strcmp(ar, br);
		return c ? c : strcmp(ao, bo);
	}
	case BSON_TYPE_CODEWSCOPE: {
		uint32_t an, bn, as, bs;
		const uint8_t *ad, *bd;
		const char *ac = bson_iter_codewscope(a, &an, &as, &ad);
		const char *bc = bson_iter_codewscope(b, &bn, &bs, &bd);

		c = bytes_compare(ac, an, bc, bn);
		return c ? c : bytes_compare(ad, as, bd, bs);
	}
	case BSON_TYPE_DBPOINTER: {
		uint32_t an, bn;
		const bson_oid_t *ai, *bi;

		bson_iter_dbpointer(a, &an, &ao, &ai);
		bson_iter_dbpointer(b, &bn, &bo, &bi);
		if (an != bn)
			return an > bn ? 1 : -1;
		c = bytes_compare(ao, an, bo, bn);
		return c ? c : bson_oid_compare(ai, bi);
	}
	default:
		return 0;
	}
}

int
value_compare(const bson_iter_t *a, const bson_iter_t *b)
{
	int ac = value_class(a), bc = value_class(b);

	if (ac != bc)
		return ac < bc ? -1 : 1;
	switch (ac) {
	case 10:
		return numbers_compare(a, b);
	case 15:
	case 60:
		return texts_compare(a, b);
	case 20:
		return containers_compare(a, b, true);
	case 25:
		return containers_compare(a, b, false);
	case 30:
		return binaries_compare(a, b);
	case 35:
		return bson_oid_compare(bson_iter_oid(a), bson_iter_oid(b));
	case 40:
		return (int)bson_iter_bool(a) - (int)bson_iter_bool(b);
	case 45: {
		int64_t x = bson_iter_date_time(a), y = bson_iter_date_time(b);

		return (x > y) - (x < y);
	}
	case 47:
		return timestamps_compare(a, b);
	case 50:
	case 55:
	case 65:
		return rare_compare(a, b);
	default: /* null, MinKey, MaxKey: one value each */
		return 0;
	}
}

int
docs_compare(const bson_t *a, const bson_t *b)
{
	bson_iter_t x, y;

	bson_iter_init(&x, a);
	bson_iter_init(&y, b);
	for (;;) {
		bool more_x = bson_iter_next(&x), more_y = bson_iter_next(&y);
		int c;

		if (!more_x || !more_y)
			return (int)more_x - (int)more_y;
		c = value_class(&x) - value_class(&y);
		if (c || (c = strcmp(bson_iter_key(&x), bson_iter_key(&y))) ||
		    (c = value_compare(&x, &y)))
			return c;
	}
}
