/* SPDX-License-Identifier: MIT */
#include "lib/buf.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

static void
check_invariant(const struct buf *buf)
{
	CHECK(buf->start <= buf->end);
	CHECK(buf->end <= buf->capacity);
	CHECK(buf->capacity <= buf->max);
}

TEST(buf_is_empty_at_first)
{
	struct buf buf;
	buf_init(&buf, 10);
	CHECK_INT(buf_length(&buf), 0);
	CHECK_INT(buf_room(&buf), 10);
	CHECK(buf.data == NULL);
	CHECK(buf_bytes(&buf) == NULL);
	CHECK_INT(buf_append(&buf, NULL, 0), 0);
	buf_clear(&buf);
	buf_free(&buf);
}

TEST(buf_appends_all_or_nothing)
{
	struct buf buf;
	buf_init(&buf, 5);
	CHECK_INT(buf_append(&buf, "abc", 3), 0);
	errno = 0;
	CHECK_INT(buf_append(&buf, "def", 3), -1);
	CHECK_INT(errno, ENOBUFS);
	CHECK_BYTES(buf_bytes(&buf), buf_length(&buf), "abc", 3);
	CHECK_INT(buf_append(&buf, "de", 2), 0);
	CHECK_INT(buf_room(&buf), 0);
	buf_consume(&buf, 2);
	CHECK_INT(buf_append(&buf, "fg", 2), 0);
	CHECK_BYTES(buf_bytes(&buf), buf_length(&buf), "cdefg", 5);
	CHECK(buf_reserve(&buf, 1) == NULL);
	buf_free(&buf);
}

TEST(buf_reserve_then_commit)
{
	struct buf buf;
	buf_init(&buf, 1000);
	uint8_t *place = buf_reserve(&buf, 600);
	memset(place, 'x', 600);
	buf_commit(&buf, 400);
	CHECK_INT(buf_length(&buf), 400);
	CHECK(buf_reserve(&buf, 601) == NULL);
	CHECK(buf_reserve(&buf, 600) != NULL);
	check_invariant(&buf);
	buf_free(&buf);
}

TEST(buf_releases_what_it_had_grown_to)
{
	static char big[100000];
	struct buf buf;
	buf_init(&buf, sizeof(big));
	CHECK_INT(buf_append(&buf, big, sizeof(big)), 0);
	buf_consume(&buf, sizeof(big));
	CHECK(buf.data == NULL);
	CHECK_INT(buf_append(&buf, big, 100), 0);
	buf_consume(&buf, 100);
	CHECK(buf.data != NULL);
	buf_free(&buf);
	CHECK_INT(buf_room(&buf), sizeof(big));
}

/* Against a model: a queue of counted bytes. */
TEST(buf_is_a_queue)
{
	struct buf buf;
	uint32_t state = 1;
	uint8_t in = 0, out = 0;
	buf_init(&buf, 3000);
	for (int i = 0; i < 100000; i++) {
		state = state * 1664525 + 1013904223;
		size_t size = (state >> 8) % 500;
		if (state >> 31) {
			uint8_t bytes[500];
			for (size_t k = 0; k < size; k++)
				bytes[k] = (uint8_t)(in + k);
			bool fits = size <= buf_room(&buf);
			CHECK_INT(buf_append(&buf, bytes, size), fits ? 0 : -1);
			if (fits)
				in = (uint8_t)(in + size);
		} else {
			if (size > buf_length(&buf))
				size = buf_length(&buf);
			for (size_t k = 0; k < size; k++)
				CHECK_INT(buf_bytes(&buf)[k], (uint8_t)(out + k));
			buf_consume(&buf, size);
			out = (uint8_t)(out + size);
		}
		check_invariant(&buf);
	}
	buf_free(&buf);
}
