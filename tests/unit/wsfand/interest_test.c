/* SPDX-License-Identifier: MIT */
#include "wsfand/interest.h"

#include "tests/unit/unit.h"

static struct form_id
room(uint8_t n)
{
	return (struct form_id){{[10] = n, [11] = 7}};
}

static void
set(struct interest *interest, uint8_t n, uint32_t viewers)
{
	struct form_id id = room(n);

	interest_set(interest, &id, viewers);
}

/* The next news are these, or (viewers < 0) there are none. */
static void
expect(struct interest *interest, uint64_t now, enum interest_kind kind, uint8_t n, int viewers)
{
	struct interest_news news;
	struct form_id id = room(n);
	bool some = interest_next(interest, now, &news);

	CHECK_INT(some, viewers >= 0);
	if (!some)
		return;
	CHECK_INT(news.kind, kind);
	CHECK(form_id_equal(&news.id, &id));
	CHECK_INT(news.viewers, viewers);
}

static void
expect_none(struct interest *interest, uint64_t now)
{
	expect(interest, now, INTEREST_OPENED, 0, -1);
}

TEST(interest_tells_each_once)
{
	struct interest interest;

	interest_init(&interest, 1000, true);
	CHECK_INT(interest_wait(&interest, 0), -1);
	set(&interest, 1, 1);
	set(&interest, 2, 5);
	CHECK_INT(interest_wait(&interest, 0), 0);
	expect(&interest, 0, INTEREST_OPENED, 1, 1);
	expect(&interest, 0, INTEREST_OPENED, 2, 5);
	expect_none(&interest, 0);
	set(&interest, 1, 0);
	expect(&interest, 1, INTEREST_CLOSED, 1, 0);
	expect_none(&interest, 9999);
	CHECK_INT(interest_wait(&interest, 9999), -1);
	interest_free(&interest);
}

TEST(interest_numbers_rest)
{
	struct interest interest;

	interest_init(&interest, 1000, true);
	set(&interest, 1, 1);
	expect(&interest, 0, INTEREST_OPENED, 1, 1);
	set(&interest, 1, 2);
	set(&interest, 1, 3);
	expect_none(&interest, 999);
	CHECK_INT(interest_wait(&interest, 400), 600);
	expect(&interest, 1000, INTEREST_VIEWERS, 1, 3);
	set(&interest, 1, 4);
	set(&interest, 1, 3);
	expect_none(&interest, 5000);
	set(&interest, 1, 2);
	expect(&interest, 5001, INTEREST_VIEWERS, 1, 2);
	interest_free(&interest);
}

TEST(interest_unheard_rooms_leave_nothing)
{
	struct interest interest;

	interest_init(&interest, 1000, true);
	for (int round = 0; round < 1000; round++) {
		set(&interest, (uint8_t)round, 1);
		set(&interest, (uint8_t)round, 0);
	}
	expect_none(&interest, 0);
	CHECK_INT(interest_wait(&interest, 0), -1);
	CHECK(interest.table == NULL);
	interest_free(&interest);
}

TEST(interest_closing_does_not_rest)
{
	struct interest interest;

	interest_init(&interest, 1000, true);
	set(&interest, 1, 1);
	expect(&interest, 0, INTEREST_OPENED, 1, 1);
	set(&interest, 1, 0);
	expect(&interest, 1, INTEREST_CLOSED, 1, 0);
	set(&interest, 1, 1);
	expect(&interest, 2, INTEREST_OPENED, 1, 1);
	/* Closed and opened again, unheard: it is another room, and owed a snapshot. */
	for (int i = 0; i < 3; i++) {
		set(&interest, 1, 0);
		set(&interest, 1, 1);
	}
	expect(&interest, 3, INTEREST_CLOSED, 1, 0);
	expect(&interest, 3, INTEREST_OPENED, 1, 1);
	expect_none(&interest, 3);
	set(&interest, 1, 0);
	set(&interest, 1, 1);
	set(&interest, 1, 0);
	expect(&interest, 4, INTEREST_CLOSED, 1, 0);
	expect_none(&interest, 9999);
	CHECK(interest.table == NULL);
	interest_free(&interest);
}

TEST(interest_without_edges_and_again)
{
	struct interest interest;
	struct interest_news news;

	interest_init(&interest, 0, false);
	set(&interest, 2, 1);
	CHECK(interest_next(&interest, 0, &news));
	set(&interest, 2, 0);
	set(&interest, 2, 1);
	expect_none(&interest, 0);
	set(&interest, 2, 0);
	CHECK(interest_next(&interest, 0, &news));
	set(&interest, 1, 1);
	CHECK(interest_next(&interest, 0, &news));
	set(&interest, 1, 0);
	CHECK(interest_next(&interest, 0, &news));
	CHECK(interest.table == NULL);
	interest_again(&interest, &news);
	expect(&interest, 0, INTEREST_CLOSED, 1, 0);
	CHECK(interest.table == NULL);
	interest_free(&interest);
}

static void
remember(void *owner, const struct interest_memory *memory)
{
	/* The other clock stands 500 later. */
	interest_remember(owner, 2500, memory);
}

/* What one knows, the other knows: told and true, resting, to be told, lapsed. */
TEST(interest_goes_over)
{
	struct interest old, new;

	interest_init(&old, 1000, true);
	interest_init(&new, 1000, true);
	set(&old, 1, 1);
	set(&old, 2, 5);
	expect(&old, 0, INTEREST_OPENED, 1, 1);
	expect(&old, 1500, INTEREST_OPENED, 2, 5);
	expect_none(&old, 1500);
	set(&old, 2, 6);
	set(&old, 1, 0);
	set(&old, 1, 3);
	set(&old, 4, 9);
	interest_each(&old, 2000, remember, &new);
	interest_free(&old);
	expect(&new, 2500, INTEREST_CLOSED, 1, 0);
	expect(&new, 2500, INTEREST_OPENED, 4, 9);
	expect(&new, 2500, INTEREST_OPENED, 1, 3);
	expect_none(&new, 2500);
	CHECK_INT(interest_wait(&new, 2500), 500);
	expect_none(&new, 2999);
	expect(&new, 3000, INTEREST_VIEWERS, 2, 6);
	interest_free(&new);
}
