/* SPDX-License-Identifier: MIT */
#include "wsfand/deflate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "lib/base.h"
#include "tests/unit/unit.h"
#include "wsfand/inflate.h"
#include "wsfand/message.h"

#define SIZE 50000

/* Words from a small set, so that matches are near and far. */
static void
fill(uint8_t *data, size_t length)
{
	for (size_t at = 0; at < length;) {
		char word[16];
		int n = snprintf(word, sizeof(word), "word%d ", rand() % 300);

		memcpy(data + at, word, MIN((size_t)n, length - at));
		at += MIN((size_t)n, length - at);
	}
}

/* As a client would that has no larger window than was agreed on. */
static size_t
inflate_within(uint8_t *out, size_t size, const uint8_t *data, size_t length, int window)
{
	static const uint8_t tail[] = {0x00, 0x00, 0xff, 0xff};
	z_stream stream;

	memset(&stream, 0, sizeof(stream));
	CHECK_INT(inflateInit2(&stream, -window), Z_OK);
	stream.next_out = out;
	stream.avail_out = (uInt)size;
	stream.next_in = (Bytef *)data;
	stream.avail_in = (uInt)length;
	CHECK_INT(inflate(&stream, Z_SYNC_FLUSH), Z_OK);
	stream.next_in = (Bytef *)tail;
	stream.avail_in = sizeof(tail);
	CHECK_INT(inflate(&stream, Z_SYNC_FLUSH), Z_OK);
	CHECK_INT(stream.avail_in, 0);
	inflateEnd(&stream);
	return size - stream.avail_out;
}

TEST(deflate_round_trips)
{
	static uint8_t data[SIZE], back[SIZE + 1];
	static const size_t lengths[] = {300, 1000, 4096, 40000, SIZE};

	srand(1);
	for (unsigned window = 8; window <= 15; window++) {
		for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
			const uint8_t *out, *again;
			size_t length, got;

			fill(data, lengths[i]);
			length = deflate_bytes(&out, data, lengths[i], window);
			CHECK(length > 0 && length < lengths[i]);
			got = inflate_within(back, sizeof(back), out, length, (int)window);
			CHECK_INT(got, lengths[i]);
			CHECK(memcmp(back, data, got) == 0);
			again = out;
			CHECK_INT(inflate_message(&again, &length, SIZE), INFLATED);
			CHECK_INT(length, lengths[i]);
			CHECK(memcmp(again, data, length) == 0);
		}
	}
}

TEST(deflate_what_cannot_be_compressed)
{
	static uint8_t data[4096];
	const uint8_t *out;

	srand(2);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)rand();
	for (size_t length = 0; length < sizeof(data); length += 97)
		CHECK_INT(deflate_bytes(&out, data, length, 15), 0);
	CHECK_INT(deflate_bytes(&out, data, 1, 9), 0);
}

/* Whatever comes: bounded, and no byte outside. */
TEST(inflate_bounds)
{
	static uint8_t data[SIZE];
	const uint8_t *out, *in;
	size_t length, compressed;

	memset(data, ' ', sizeof(data));
	compressed = deflate_bytes(&out, data, sizeof(data), 15);
	for (size_t max = 125; max < SIZE; max += 4999) {
		in = out;
		length = compressed;
		CHECK_INT(inflate_message(&in, &length, max), INFLATED_TOO_LONG);
	}
	in = out;
	length = compressed;
	CHECK_INT(inflate_message(&in, &length, SIZE), INFLATED);
	CHECK_INT(length, SIZE);
	in = out;
	length = compressed - 3;
	CHECK(inflate_message(&in, &length, SIZE) != INFLATED);
	in = (const uint8_t *)"";
	length = 1;
	CHECK_INT(inflate_message(&in, &length, 125), INFLATED);
	CHECK_INT(length, 0);
	/* RFC 7692, 7.2.3.1 and 7.2.3.4: an open block, and a final one. */
	in = (const uint8_t *)"\xf2\x48\xcd\xc9\xc9\x07";
	length = 7;
	CHECK_INT(inflate_message(&in, &length, 125), INFLATED);
	CHECK(length == 5 && memcmp(in, "Hello", 5) == 0);
	in = (const uint8_t *)"\xf3\x48\xcd\xc9\xc9\x07\x00";
	length = 8;
	CHECK_INT(inflate_message(&in, &length, 125), INFLATED);
	CHECK(length == 5 && memcmp(in, "Hello", 5) == 0);
}

TEST(message_forms)
{
	char text[2000];
	struct message *message, *form, *other;

	message_compress_from(256);
	memset(text, 'x', sizeof(text));
	message = message_new(MESSAGE_METRICS, text, sizeof(text));
	CHECK(message_form(message, 0) == message);
	form = message_form(message, 15);
	CHECK(form != message && form->length < 100);
	CHECK_INT(form->bytes[0], 0xc1);
	CHECK_INT(form->kind, MESSAGE_METRICS);
	/* Once and for all. */
	CHECK(message_form(message, 15) == form && message_form(form, 15) == form);
	other = message_form(message, 9);
	CHECK(other != form && message_form(message, 9) == other);
	CHECK(message_form(message, 15) == form);
	/* A form outlives the plain one where somebody holds it. */
	message_ref(form);
	message_unref(&message);
	CHECK_INT(form->references, 1);
	message_unref(&form);

	message = message_new(MESSAGE_EVENT, text, 255);
	CHECK(message_form(message, 15) == message);
	message_unref(&message);
	message = message_new(MESSAGE_EVENT, text, 256);
	CHECK(message_form(message, 15) != message);
	message_unref(&message);
	message = message_new(MESSAGE_PONG, text, 100);
	message_compress_from(0);
	CHECK(message_form(message, 15) == message);
	message_unref(&message);
	srand(3);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)rand();
	message = message_new(MESSAGE_EVENT, text, sizeof(text));
	CHECK(message_form(message, 15) == message);
	CHECK(message_form(message, 9) == message && message->hopeless == 0x82);
	message_unref(&message);
	message_compress_from(256);
}
