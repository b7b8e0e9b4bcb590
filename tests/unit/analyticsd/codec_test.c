/* SPDX-License-Identifier: MIT */
#include "analyticsd/codec.h"

#include <string.h>

#include "analyticsd/hash.h"
#include "lib/mem.h"
#include "tests/unit/analyticsd/batch.h"
#include "tests/unit/unit.h"

TEST(codec_numbers)
{
	static const int64_t values[] = {
	    0, 1, -1, 63, -64, 64, 127, 128, 300, INT32_MIN, INT64_MAX, INT64_MIN};
	struct buf buf;

	buf_init(&buf, 1000);
	struct encoder e = {.buf = &buf};
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		encode_signed(&e, values[i]);
		encode_varint(&e, (uint64_t)values[i]);
	}
	encode_double(&e, -0.1);
	encode_bytes(&e, "ab", 2);
	CHECK(!e.failed);
	struct decoder d = {buf_bytes(&buf), buf_bytes(&buf) + buf_length(&buf), false};
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		CHECK_INT(decode_signed(&d), values[i]);
		CHECK_INT(decode_varint(&d), values[i]);
	}
	CHECK(decode_double(&d) == -0.1);
	size_t length;
	const char *bytes = decode_bytes(&d, 2, &length);
	CHECK_BYTES(bytes, length, "ab", 2);
	CHECK(!d.failed && d.at == d.end);
	decode_byte(&d);
	CHECK(d.failed);
	buf_free(&buf);
}

/* Each number takes a byte for 7 of its bits, fits exactly, and not into a byte less. */
TEST(codec_numbers_are_as_short_as_can_be)
{
	struct buf buf;

	for (unsigned bits = 0; bits <= 64; bits++) {
		uint64_t value = bits == 0 ? 0 : UINT64_MAX >> (64 - bits);
		size_t length = bits == 0 ? 1 : (bits + 6) / 7;

		buf_init(&buf, length);
		struct encoder e = {.buf = &buf};
		encode_varint(&e, value);
		CHECK(!e.failed);
		CHECK_INT(buf_length(&buf), length);
		struct decoder d = {buf_bytes(&buf), buf_bytes(&buf) + length, false};
		CHECK(decode_varint(&d) == value && !d.failed);
		encode_byte(&e, 0);
		CHECK(e.failed);
		buf_free(&buf);
		buf_init(&buf, length - 1);
		e = (struct encoder){.buf = &buf};
		encode_varint(&e, value);
		CHECK(e.failed);
		CHECK_INT(buf_length(&buf), 0);
		buf_free(&buf);
	}
}

TEST(codec_refuses)
{
	uint8_t endless[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02};
	struct decoder d = {endless, endless + sizeof(endless), false};
	size_t length;

	CHECK_INT(decode_varint(&d), 0);
	CHECK(d.failed);
	d = (struct decoder){endless, endless + 3, false};
	CHECK_INT(decode_varint(&d), 0);
	CHECK(d.failed);
	uint8_t small[] = {5, 'a', 'b'};
	d = (struct decoder){small, small + 3, false};
	CHECK_STRING(decode_bytes(&d, 10, &length), "");
	CHECK(d.failed && length == 0);
	d = (struct decoder){small, small + 3, false};
	CHECK_INT(decode_bounded(&d, 4), 0);
	CHECK(d.failed);
	d = (struct decoder){small, small + 3, false};
	CHECK(decode_double(&d) == 0 && d.failed);
	struct buf buf;
	buf_init(&buf, 4);
	struct encoder e = {.buf = &buf};
	encode_double(&e, 1);
	CHECK(e.failed);
	buf_free(&buf);
}

static struct form *
form_lived_in(struct dice *dice, const struct zone *zone, unsigned responses)
{
	struct form *form = form_empty();
	struct batch_definition definition;
	struct response response = {0};
	const char *why;

	batch_roll_definition(&definition, dice);
	bson_t *doc = batch_definition_bson(&definition);
	CHECK(form_define(form, doc, &why) == FORM_OK);
	bson_destroy(doc);
	for (unsigned i = 0; i < responses; i++) {
		struct batch_response model;

		batch_roll_response(&model, dice, INT64_C(1774742400000), 300);
		doc = batch_response_bson(&model);
		CHECK(response_from_bson(&response, doc, &why) == 0);
		form_add(form, &response, zone);
		bson_destroy(doc);
	}
	response_free(&response);
	return form;
}

static void
seal(uint8_t *data, size_t length)
{
	uint64_t sum = hash_bytes64(data, length - 8);

	for (int i = 0; i < 8; i++)
		data[length - 8 + (size_t)i] = (uint8_t)(sum >> 8 * i);
}

/* Whatever is decoded must bear being used. */
static void
use(struct form *form, struct dice *dice, const struct zone *zone)
{
	struct response response = {0};
	struct batch_response model;
	const char *why;

	for (int i = 0; i < 4; i++) {
		batch_roll_response(&model, dice, INT64_C(1774742400000), 300);
		bson_t *doc = batch_response_bson(&model);
		CHECK(response_from_bson(&response, doc, &why) == 0);
		form_add(form, &response, zone);
		if (i % 2 == 0 && form_remove(form, &response, zone) == FORM_REBUILD)
			form_reset(form);
		bson_destroy(doc);
	}
	char *data = data_of(form);
	MEM_FREE(&data);
	response_free(&response);
}

TEST(form_decode_of_damaged_bytes)
{
	struct dice dice = dice_new();
	struct zone *zone = zone_open("UTC");
	struct form_id id = {{0}};
	unsigned accepted = 0;

	for (int round = 0; round < 20; round++) {
		struct form *form = form_lived_in(&dice, zone, dice_roll(&dice, 60));
		struct buf buf;

		buf_init(&buf, 1 << 24);
		CHECK(form_encode(form, &buf) == 0);
		size_t length = buf_length(&buf);
		for (int i = 0; i < 500; i++) {
			uint8_t *copy = mem_dup(buf_bytes(&buf), length);
			size_t cut = dice_roll(&dice, 4)
			    ? length
			    : 8 + dice_roll(&dice, (unsigned)length - 8);

			for (unsigned n = 1 + dice_roll(&dice, 3); n > 0; n--)
				copy[dice_roll(&dice, (unsigned)cut)] =
				    (uint8_t)(dice_roll(&dice, 2) ? dice_next(&dice)
								  : dice_roll(&dice, 4));
			struct form *back = form_decode(&id, copy, cut);
			CHECK(back == NULL || memcmp(copy, buf_bytes(&buf), length) == 0);
			form_free(&back);
			/* Damage that the checksum does not show. */
			seal(copy, cut);
			back = form_decode(&id, copy, cut);
			if (back != NULL) {
				accepted++;
				use(back, &dice, zone);
			}
			form_free(&back);
			MEM_FREE(&copy);
		}
		buf_free(&buf);
		form_free(&form);
	}
	CHECK(accepted > 100);
	CHECK(form_decode(&id, "", 0) == NULL);
	zone_close(&zone);
}

TEST(form_encode_within_its_maximum)
{
	struct dice dice = dice_new();
	struct zone *zone = zone_open("UTC");
	struct form *form = form_lived_in(&dice, zone, 50);
	struct buf buf;

	buf_init(&buf, 100);
	CHECK(form_encode(form, &buf) == -1);
	buf_free(&buf);
	form_free(&form);
	zone_close(&zone);
}
