/* SPDX-License-Identifier: MIT */
#include "wsfand/crowd.h"

#include <stddef.h>

#include "lib/base.h"
#include "tests/unit/unit.h"

/* Whom the crowd names leaves; whose it was. */
static int
turn_out(struct crowd *crowd, struct crowd_member *members)
{
	struct crowd_member *eldest = crowd_eldest(crowd);

	if (!eldest)
		return -1;
	crowd_leave(crowd, eldest);
	return (int)(eldest - members);
}

TEST(crowd_names_the_eldest_of_the_largest_network)
{
	struct crowd_member members[12] = {{.group = NULL}};
	struct crowd crowd;

	crowd_init(&crowd);
	CHECK(crowd_eldest(&crowd) == NULL);
	crowd_enter(&crowd, &members[0], 7);
	for (int i = 1; i <= 8; i++)
		crowd_enter(&crowd, &members[i], 1000);
	crowd_enter(&crowd, &members[9], 8);
	/* Eight, then 7 to 4, then 3 and 2: more than any other has, to the last. */
	for (int i = 1; i <= 7; i++)
		CHECK_INT(turn_out(&crowd, members), i);
	/* One each: who has been there longest. */
	CHECK_INT(turn_out(&crowd, members), 0);
	crowd_leave(&crowd, &members[8]);
	crowd_leave(&crowd, &members[8]);
	CHECK_INT(turn_out(&crowd, members), 9);
	CHECK_INT(turn_out(&crowd, members), -1);
}

/* Those without a network are one each, however many they are. */
TEST(crowd_members_without_a_network_count_by_themselves)
{
	struct crowd_member members[20] = {{.group = NULL}};
	struct crowd crowd;

	crowd_init(&crowd);
	for (int i = 0; i < 17; i++)
		crowd_enter(&crowd, &members[i], 0);
	for (int i = 17; i < 20; i++)
		crowd_enter(&crowd, &members[i], 7);
	CHECK_INT(turn_out(&crowd, members), 17);
	CHECK_INT(turn_out(&crowd, members), 18);
	for (int i = 0; i < 17; i++)
		CHECK_INT(turn_out(&crowd, members), i);
	CHECK_INT(turn_out(&crowd, members), 19);
	CHECK(crowd_eldest(&crowd) == NULL);
}

/* One network with very many, and others that come and go in no order: the one gives way each time
 * that it has twice what any other has. */
TEST(crowd_under_a_flood)
{
	enum { FLOOD = 5000, OTHERS = 500 };
	static struct crowd_member members[FLOOD + OTHERS];
	struct crowd crowd;
	uint32_t random = 1;

	crowd_init(&crowd);
	for (int i = 0; i < FLOOD + OTHERS; i++)
		crowd_enter(&crowd, &members[i], i < FLOOD ? 7 : 100 + (uint64_t)i % 50);
	for (int step = 0; step < 20000; step++) {
		int gone = turn_out(&crowd, members), other;

		CHECK(gone >= 0 && gone < FLOOD);
		crowd_enter(&crowd, &members[gone], 7);
		random = random * 1664525 + 1013904223;
		other = FLOOD + (int)((random >> 8) % OTHERS);
		crowd_leave(&crowd, &members[other]);
		crowd_enter(&crowd, &members[other], 100 + (uint64_t)other % 50);
	}
	for (int i = 0; i < FLOOD + OTHERS; i++)
		crowd_leave(&crowd, &members[i]);
	CHECK(crowd_eldest(&crowd) == NULL && crowd.table == NULL);
}
