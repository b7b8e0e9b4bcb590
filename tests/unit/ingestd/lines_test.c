/* SPDX-License-Identifier: MIT */
#include "ingestd/lines.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static void
feed(struct lines *lines, const char *text, size_t length)
{
	while (length > 0) {
		size_t room;
		uint8_t *to = lines_room(lines, length, &room);

		memcpy(to, text, room);
		lines_commit(lines, room);
		text += room;
		length -= room;
		if (length > 0) {
			struct line line;

			CHECK_INT(lines_next(lines, &line), LINES_MORE);
		}
	}
}

static void
check_line(struct lines *lines, const char *text, uint64_t number, uint64_t end)
{
	struct line line;

	CHECK_INT(lines_next(lines, &line), LINES_ONE);
	CHECK_BYTES(line.text, line.length, text, strlen(text));
	CHECK_INT(line.number, number);
	CHECK_INT(line.end_offset, end);
}

TEST(lines_are_cut_and_numbered)
{
	struct lines lines;
	struct line line;

	lines_init(&lines, 100);
	lines_reset(&lines, 1000, 7);
	feed(&lines, "ab\n\ncd", 6);
	check_line(&lines, "ab", 8, 1003);
	check_line(&lines, "", 9, 1004);
	CHECK_INT(lines_next(&lines, &line), LINES_MORE);
	CHECK(lines_unfinished(&lines));
	feed(&lines, "ef\n", 3);
	check_line(&lines, "cdef", 10, 1009);
	CHECK_INT(lines_next(&lines, &line), LINES_MORE);
	CHECK(!lines_unfinished(&lines));
	lines_free(&lines);
}

TEST(lines_one_byte_at_a_time)
{
	static const char text[] = "one\ntwo\r\n\nfour";
	struct lines lines;
	struct line line;
	int found = 0;

	lines_init(&lines, 10);
	for (size_t i = 0; i < strlen(text); i++) {
		feed(&lines, text + i, 1);
		while (lines_next(&lines, &line) == LINES_ONE)
			found++;
	}
	CHECK_INT(found, 3);
	CHECK_INT(lines.offset, 10);
	feed(&lines, "\n", 1);
	check_line(&lines, "four", 4, 15);
	lines_free(&lines);
}

TEST(lines_too_long_are_passed_over)
{
	struct lines lines;
	struct line line;
	char *big = malloc(100000);

	memset(big, 'x', 100000);
	lines_init(&lines, 1000);
	feed(&lines, "a\n", 2);
	check_line(&lines, "a", 1, 2);
	feed(&lines, big, 100000);
	CHECK_INT(lines_next(&lines, &line), LINES_MORE);
	CHECK(lines_unfinished(&lines));
	feed(&lines, "yz\nb\n", 5);
	CHECK_INT(lines_next(&lines, &line), LINES_LONG);
	CHECK_INT(line.number, 2);
	CHECK_INT(line.end_offset, 100005);
	check_line(&lines, "b", 3, 100007);
	lines_free(&lines);
	free(big);
}

/* The longest line that passes has as many bytes as the maximum, with its newline. */
TEST(lines_at_the_limit)
{
	struct lines lines;
	struct line line;

	lines_init(&lines, 5);
	feed(&lines, "abcd\n", 5);
	check_line(&lines, "abcd", 1, 5);
	feed(&lines, "abcde", 5);
	CHECK_INT(lines_next(&lines, &line), LINES_MORE);
	feed(&lines, "\n", 1);
	CHECK_INT(lines_next(&lines, &line), LINES_LONG);
	lines_free(&lines);
}

TEST(lines_start_anew)
{
	struct lines lines;

	lines_init(&lines, 100);
	feed(&lines, "half", 4);
	lines_reset(&lines, 0, 0);
	CHECK(!lines_unfinished(&lines));
	feed(&lines, "a\n", 2);
	check_line(&lines, "a", 1, 2);
	lines_free(&lines);
}
