/* SPDX-License-Identifier: MIT */
#include "analyticsd/publish.h"

#include "tests/unit/unit.h"

#define INTERVAL 100

struct fixture {
	struct interest *interest;
	struct publish *publish;
	struct room *rooms[3];
};

static void
begin(struct fixture *f)
{
	f->interest = interest_new(2);
	f->publish = publish_new(f->interest, INTERVAL);
	for (size_t n = 0; n < ARRAY_SIZE(f->rooms); n++) {
		struct form_id id = {{(uint8_t)n}};
		f->rooms[n] = interest_opened(f->interest, 0, &id, 1);
	}
}

static void
end(struct fixture *f)
{
	interest_free(&f->interest);
	publish_free(&f->publish);
}

/* The next room is `room` with these news; NULL: there is none. */
static void
expect(struct fixture *f, uint64_t now, const struct room *room, unsigned news)
{
	unsigned got = 0;

	CHECK(publish_next(f->publish, now, &got) == room);
	if (room != NULL)
		CHECK_INT(got, news);
}

TEST(publish_first_change_goes_at_once)
{
	struct fixture f;

	begin(&f);
	CHECK_INT(publish_wait(f.publish, 1000), -1);
	publish_changed(f.publish, f.rooms[0]);
	publish_changed(f.publish, f.rooms[0]);
	CHECK_INT(publish_wait(f.publish, 1000), 0);
	expect(&f, 1000, f.rooms[0], KIND_ANALYTICS);
	expect(&f, 1000, NULL, 0);
	end(&f);
}

TEST(publish_further_changes_wait_and_come_together)
{
	struct fixture f;

	begin(&f);
	publish_changed(f.publish, f.rooms[0]);
	expect(&f, 1000, f.rooms[0], KIND_ANALYTICS);
	publish_changed(f.publish, f.rooms[0]);
	publish_changed(f.publish, f.rooms[0]);
	expect(&f, 1099, NULL, 0);
	CHECK_INT(publish_wait(f.publish, 1099), 1);
	expect(&f, 1100, f.rooms[0], KIND_ANALYTICS);
	expect(&f, 1100, NULL, 0);
	/* It cools again: the next change waits from there. */
	publish_changed(f.publish, f.rooms[0]);
	expect(&f, 1199, NULL, 0);
	expect(&f, 1200, f.rooms[0], KIND_ANALYTICS);
	end(&f);
}

TEST(publish_after_a_quiet_interval_it_is_at_once_again)
{
	struct fixture f;

	begin(&f);
	publish_changed(f.publish, f.rooms[0]);
	expect(&f, 1000, f.rooms[0], KIND_ANALYTICS);
	expect(&f, 1100, NULL, 0);
	CHECK_INT(publish_wait(f.publish, 1100), -1);
	publish_changed(f.publish, f.rooms[0]);
	expect(&f, 1101, f.rooms[0], KIND_ANALYTICS);
	end(&f);
}

TEST(publish_serves_rooms_in_the_order_of_their_ends)
{
	struct fixture f;

	begin(&f);
	publish_changed(f.publish, f.rooms[0]);
	expect(&f, 1000, f.rooms[0], KIND_ANALYTICS);
	publish_changed(f.publish, f.rooms[1]);
	expect(&f, 1050, f.rooms[1], KIND_ANALYTICS);
	/* The later one changes first. */
	publish_changed(f.publish, f.rooms[1]);
	publish_changed(f.publish, f.rooms[0]);
	CHECK_INT(publish_wait(f.publish, 1090), 10);
	expect(&f, 1110, f.rooms[0], KIND_ANALYTICS);
	expect(&f, 1110, NULL, 0);
	expect(&f, 1150, f.rooms[1], KIND_ANALYTICS);
	end(&f);
}

TEST(publish_metrics_and_snapshots_do_not_wait)
{
	struct fixture f;

	begin(&f);
	publish_changed(f.publish, f.rooms[0]);
	expect(&f, 1000, f.rooms[0], KIND_ANALYTICS);
	publish_changed(f.publish, f.rooms[0]);
	publish_tell(f.publish, f.rooms[0], KIND_METRICS);
	publish_snapshot(f.publish, f.rooms[0], 1);
	expect(&f, 1001, f.rooms[0], KIND_METRICS);
	CHECK_INT(publish_wanted(f.rooms[0], 0), 0);
	CHECK_INT(publish_wanted(f.rooms[0], 1), KIND_BOTH);
	CHECK_INT(publish_wanted(f.rooms[0], 1), 0);
	/* What was late still comes. */
	expect(&f, 1099, NULL, 0);
	expect(&f, 1100, f.rooms[0], KIND_ANALYTICS);
	end(&f);
}

TEST(publish_owes_a_link_in_order_and_once)
{
	struct fixture f;

	begin(&f);
	publish_owe(f.publish, f.rooms[1], 0, KIND_BOTH);
	publish_owe(f.publish, f.rooms[0], 0, KIND_ANALYTICS);
	publish_owe(f.publish, f.rooms[1], 0, KIND_ANALYTICS);
	CHECK(publish_owed(f.publish, 1) == NULL);
	CHECK(publish_owed(f.publish, 0) == f.rooms[1]);
	publish_paid(f.publish, f.rooms[1], 0, KIND_ANALYTICS);
	CHECK(publish_owed(f.publish, 0) == f.rooms[1]);
	CHECK_INT(f.rooms[1]->links[0].owed, KIND_METRICS);
	publish_paid(f.publish, f.rooms[1], 0, KIND_METRICS);
	CHECK(publish_owed(f.publish, 0) == f.rooms[0]);
	/* A room that closes is owed nothing. */
	CHECK(interest_closed(f.interest, 0, f.rooms[0]));
	CHECK(publish_owed(f.publish, 0) == NULL);
	end(&f);
}

TEST(publish_forgets_a_room_that_is_dropped)
{
	struct fixture f;

	begin(&f);
	publish_changed(f.publish, f.rooms[0]);
	expect(&f, 1000, f.rooms[0], KIND_ANALYTICS);
	publish_changed(f.publish, f.rooms[0]);
	publish_changed(f.publish, f.rooms[1]);
	for (size_t i = 0; i < 2; i++) {
		CHECK(interest_closed(f.interest, 0, f.rooms[i]));
		interest_drop(f.interest, &f.rooms[i]);
	}
	expect(&f, 2000, NULL, 0);
	CHECK_INT(publish_wait(f.publish, 2000), -1);
	end(&f);
}
