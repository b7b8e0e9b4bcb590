/* SPDX-License-Identifier: MIT */
#include "statsd/rooms.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

static struct form_id
form(unsigned n)
{
	struct form_id id = {{0}};
	id.bytes[10] = (uint8_t)(n >> 8);
	id.bytes[11] = (uint8_t)n;
	return id;
}

static void
set(struct rooms *rooms, const void *source, unsigned n, uint64_t clients)
{
	struct form_id id = form(n);
	CHECK_INT(rooms_set(rooms, source, &id, clients), 0);
}

static uint64_t
clients(const struct rooms *rooms, unsigned n)
{
	struct form_id id = form(n);
	return rooms_clients(rooms, &id);
}

TEST(rooms_of_two_sources_are_summed)
{
	struct rooms *rooms = rooms_new();
	int a, b;
	set(rooms, &a, 1, 3);
	set(rooms, &b, 1, 4);
	set(rooms, &b, 2, 5);
	CHECK_INT(rooms_count(rooms), 2);
	CHECK_INT(clients(rooms, 1), 7);
	set(rooms, &a, 1, 1);
	CHECK_INT(clients(rooms, 1), 5);
	rooms_forget(rooms, &b);
	CHECK_INT(rooms_count(rooms), 1);
	CHECK_INT(clients(rooms, 1), 1);
	CHECK_INT(clients(rooms, 2), 0);
	set(rooms, &a, 1, 0);
	CHECK_INT(rooms_count(rooms), 0);
	rooms_free(&rooms);
	CHECK(rooms == NULL);
}

TEST(rooms_zero_of_nothing_is_nothing)
{
	struct rooms *rooms = rooms_new();
	int a, b;
	set(rooms, &a, 1, 0);
	CHECK_INT(rooms_count(rooms), 0);
	set(rooms, &a, 1, 2);
	set(rooms, &b, 1, 0);
	CHECK_INT(clients(rooms, 1), 2);
	rooms_free(&rooms);
}

/* Random differences of several sources against a plain table. */
TEST(rooms_agree_with_a_table)
{
	enum { SOURCES = 4, FORMS = 50, STEPS = 20000 };
	static uint64_t table[SOURCES][FORMS];
	static char sources[SOURCES];
	struct rooms *rooms = rooms_new();
	srand(7);
	for (int step = 0; step < STEPS; step++) {
		unsigned s = (unsigned)rand() % SOURCES, f = (unsigned)rand() % FORMS;
		uint64_t n = (uint64_t)rand() % 3;
		if (rand() % 1000 == 0) {
			rooms_forget(rooms, &sources[s]);
			for (unsigned i = 0; i < FORMS; i++)
				table[s][i] = 0;
			continue;
		}
		set(rooms, &sources[s], f, n);
		table[s][f] = n;
	}
	size_t there = 0;
	for (unsigned f = 0; f < FORMS; f++) {
		uint64_t sum = 0;
		for (unsigned s = 0; s < SOURCES; s++)
			sum += table[s][f];
		CHECK_INT(clients(rooms, f), sum);
		there += sum > 0;
	}
	CHECK_INT(rooms_count(rooms), there);
	rooms_free(&rooms);
}

TEST(rooms_are_bounded)
{
	struct rooms *rooms = rooms_new();
	struct form_id id = {{0}};
	int a;
	for (unsigned n = 0; n < ROOMS_MAX; n++) {
		id.bytes[0] = (uint8_t)(n >> 16);
		id.bytes[1] = (uint8_t)(n >> 8);
		id.bytes[2] = (uint8_t)n;
		if (rooms_set(rooms, &a, &id, 1) < 0)
			unit_fail(__FILE__, __LINE__, "full at %u", n);
	}
	id.bytes[5] = 1;
	CHECK_INT(rooms_set(rooms, &a, &id, 1), -1);
	CHECK_INT(rooms_set(rooms, &a, &id, 0), 0);
	CHECK_INT(rooms_count(rooms), ROOMS_MAX);
	rooms_free(&rooms);
}
