/* SPDX-License-Identifier: MIT */
/* The small ones: mem, clock, form_id, backoff, frame, siphash. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/backoff.h"
#include "lib/clock.h"
#include "lib/form_id.h"
#include "lib/frame.h"
#include "lib/mem.h"
#include "lib/siphash.h"
#include "tests/unit/lib/capture.h"
#include "tests/unit/unit.h"

TEST(mem_gives_memory)
{
	int *numbers = mem_array(NULL, 4, sizeof(*numbers));
	numbers[3] = 7;
	numbers = mem_array(numbers, 400, sizeof(*numbers));
	CHECK_INT(numbers[3], 7);
	MEM_FREE(&numbers);
	CHECK(numbers == NULL);
	MEM_FREE(&numbers);

	char *text = mem_printf("%s-%d", "a", 5), *copy = mem_strdup(text);
	CHECK_STRING(copy, "a-5");
	MEM_FREE(&text);
	MEM_FREE(&copy);
	void *nothing = mem_alloc(0);
	CHECK(nothing != NULL);
	MEM_FREE(&nothing);
	char *zeros = mem_zalloc(100);
	CHECK_INT(zeros[99], 0);
	MEM_FREE(&zeros);
}

static void
overflow(void)
{
	mem_array(NULL, SIZE_MAX / 2, 3);
}

TEST(mem_dies_when_a_size_overflows)
{
	static struct captured got;
	capture(&got, overflow);
	CHECK_INT(got.status, 111);
	CHECK(strstr(got.err, "fatal: unable to allocate") != NULL);
}

static void
check_time(int64_t ms, const char *want)
{
	char text[CLOCK_RFC3339_SIZE];
	clock_rfc3339(ms, text);
	CHECK_STRING(text, want);
}

TEST(clock_writes_rfc3339)
{
	check_time(0, "1970-01-01T00:00:00.000Z");
	check_time(-1, "1969-12-31T23:59:59.999Z");
	check_time(-1000, "1969-12-31T23:59:59.000Z");
	check_time(1772357400123, "2026-03-01T09:30:00.123Z");
	check_time(951782400000, "2000-02-29T00:00:00.000Z");
	check_time(INT64_MAX, "9999-12-31T23:59:59.999Z");
	check_time(INT64_MIN, "0000-01-01T00:00:00.000Z");
}

TEST(clock_stands_where_it_is_set)
{
	clock_set_wall(1234);
	CHECK_INT(clock_wall_ms(), 1234);
	clock_set_wall(-1);
	CHECK(clock_wall_ms() > 1700000000000);
	uint64_t before = clock_monotonic_ns();
	CHECK(clock_monotonic_ns() >= before);
	CHECK(clock_monotonic_ms() >= before / 1000000);
}

TEST(clock_takes_an_offset)
{
	setenv("DUNE_TEST_WALL_OFFSET_MS", "-1000000000000", 1);
	CHECK(clock_wall_ms() < 1700000000000);
}

TEST(form_id_reads_either_case_and_writes_lower)
{
	static const char text[] = "60F7b1b9E1234567890aBcDe";
	struct form_id id, other;
	char out[FORM_ID_HEX + 1];
	CHECK_INT(form_id_parse(&id, text, 24), 0);
	CHECK_BYTES(id.bytes, 12, "\x60\xf7\xb1\xb9\xe1\x23\x45\x67\x89\x0a\xbc\xde", 12);
	form_id_format(&id, out);
	CHECK_STRING(out, "60f7b1b9e1234567890abcde");
	CHECK_INT(form_id_parse(&other, out, 24), 0);
	CHECK(form_id_equal(&id, &other));
	other.bytes[11]++;
	CHECK(!form_id_equal(&id, &other));
}

TEST(form_id_refuses_the_rest)
{
	struct form_id id;
	CHECK_INT(form_id_parse(&id, "60f7b1b9e1234567890abcde", 23), -1);
	CHECK_INT(form_id_parse(&id, "60f7b1b9e1234567890abcdef", 25), -1);
	CHECK_INT(form_id_parse(&id, "", 0), -1);
	char text[] = "60f7b1b9e1234567890abcde";
	for (int byte = 0; byte < 256; byte++) {
		bool hex = byte != 0 && strchr("0123456789abcdefABCDEF", byte) != NULL;
		text[5] = (char)byte;
		CHECK_INT(form_id_parse(&id, text, 24), hex ? 0 : -1);
	}
}

TEST(backoff_doubles_up_to_its_maximum)
{
	struct backoff backoff = BACKOFF(50, 2000);
	static const unsigned steps[] = {50, 100, 200, 400, 800, 1600, 2000, 2000};
	for (int round = 0; round < 200; round++) {
		for (size_t i = 0; i < 8; i++) {
			unsigned wait = backoff_next(&backoff);
			CHECK(wait >= steps[i] / 2 && wait <= steps[i]);
		}
		backoff_reset(&backoff);
	}
}

TEST(backoff_has_jitter)
{
	struct backoff backoff = BACKOFF(1000, 1000);
	unsigned first = backoff_next(&backoff);
	bool differs = false;
	for (int i = 0; i < 50; i++)
		differs |= backoff_next(&backoff) != first;
	CHECK(differs);
}

TEST(frame_header_is_big_endian)
{
	uint8_t header[FRAME_HEADER];
	frame_put_header(header, 0x01020304);
	CHECK_BYTES(header, 4, "\1\2\3\4", 4);
}

static long
parse(const char *bytes, size_t length, size_t *payload)
{
	return frame_parse((const uint8_t *)bytes, length, 100, payload);
}

TEST(frame_waits_for_all_of_it)
{
	static const char bytes[] = "\0\0\0\2{}rest";
	size_t payload = 0;
	for (size_t length = 0; length < 6; length++)
		CHECK_INT(parse(bytes, length, &payload), 0);
	CHECK_INT(parse(bytes, 6, &payload), 6);
	CHECK_INT(parse(bytes, 10, &payload), 6);
	CHECK_INT(payload, 2);
}

TEST(frame_refuses_lengths)
{
	size_t payload;
	CHECK_INT(parse("\0\0\0\0", 4, &payload), -1);
	CHECK_INT(parse("\0\0\0\145", 4, &payload), -1);
	CHECK_INT(parse("\0\0\0\144", 4, &payload), 0);
	CHECK_INT(parse("\377\377\377\377", 4, &payload), -1);
	CHECK_INT(parse("\200\0\0\1", 4, &payload), -1);
}

/* The vectors of the reference implementation: key 00..0f, message 00, 00 01, … */
TEST(siphash_is_siphash)
{
	static const uint8_t bytes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
	struct siphash_key key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};

	CHECK(siphash_bytes(&key, bytes, 0) == UINT64_C(0x726fdb47dd0e0e31));
	CHECK(siphash_bytes(&key, bytes, 8) == UINT64_C(0x93f5f5799a932462));
	CHECK(siphash_bytes(&key, bytes, 15) == UINT64_C(0xa129ca6149be45e5));
	CHECK(siphash_number(&key, UINT64_C(0x0706050403020100)) == UINT64_C(0x93f5f5799a932462));
}
