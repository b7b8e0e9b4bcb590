/* SPDX-License-Identifier: MIT */
#include "wsfand/ratelimit.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/base.h"
#include "tests/unit/unit.h"
#include "wsfand/address_count.h"
#include "wsfand/gcra.h"

static const struct siphash_key key = {UINT64_C(0x1234567890abcdef), 42};

TEST(gcra_of_all)
{
	struct gcra gcra = gcra_make(2, 3), off = gcra_make(0, 3), none = gcra_make(3, 0);
	uint64_t full_ns = 0, second = GCRA_NS_PER_SECOND;

	for (int i = 0; i < 3; i++)
		CHECK_INT(gcra_take(&gcra, &full_ns, 100 * second), 0);
	CHECK_INT(gcra_take(&gcra, &full_ns, 100 * second), 1);
	CHECK_INT(gcra_take(&gcra, &full_ns, 100 * second + second / 2), 0);
	CHECK_INT(gcra_take(&gcra, &full_ns, 100 * second + second / 2), 1);
	for (int i = 0; i < 3; i++)
		CHECK_INT(gcra_take(&gcra, &full_ns, 1000 * second), 0);
	CHECK_INT(gcra_take(&gcra, &full_ns, 1000 * second), 1);
	full_ns = 0;
	for (int i = 0; i < 100; i++)
		CHECK_INT(gcra_take(&off, &full_ns, 1) + gcra_take(&none, &full_ns, 1), 0);
}

TEST(ratelimit_bursts_and_refills)
{
	struct ratelimit *limit = ratelimit_new(20, 40, key);

	for (int i = 0; i < 40; i++)
		CHECK_INT(ratelimit_take(limit, 7, 1000), 0);
	CHECK_INT(ratelimit_take(limit, 7, 1000), 1);
	CHECK_INT(ratelimit_take(limit, 8, 1000), 0);
	CHECK_INT(ratelimit_take(limit, 7, 1049), 1);
	CHECK_INT(ratelimit_take(limit, 7, 1050), 0);
	CHECK_INT(ratelimit_take(limit, 7, 1050), 1);
	/* Half a second is ten tokens, a long time no more than the burst. */
	for (int i = 0; i < 10; i++)
		CHECK_INT(ratelimit_take(limit, 7, 1550), 0);
	CHECK_INT(ratelimit_take(limit, 7, 1550), 1);
	for (int i = 0; i < 40; i++)
		CHECK_INT(ratelimit_take(limit, 7, 1000000000), 0);
	CHECK_INT(ratelimit_take(limit, 7, 1000000000), 1);
	ratelimit_free(&limit);
	CHECK(limit == NULL);
}

/* Waiting as long as one was told is enough, a moment less is not. */
TEST(ratelimit_tells_how_long)
{
	static const struct {
		uint32_t rate, burst, spent, wait;
	} cases[] = {{1, 1, 1, 1}, {1, 5, 5, 1}, {2, 1, 1, 1}, {1000000, 1, 1, 1}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ratelimit *limit = ratelimit_new(cases[i].rate, cases[i].burst, key);

		for (uint32_t n = 0; n < cases[i].spent; n++)
			CHECK_INT(ratelimit_take(limit, 7, 500), 0);
		CHECK_INT(ratelimit_take(limit, 7, 500), cases[i].wait);
		CHECK_INT(ratelimit_take(limit, 7, 500 + cases[i].wait * 1000), 0);
		ratelimit_free(&limit);
	}
}

TEST(ratelimit_may_be_off)
{
	struct ratelimit *off = ratelimit_new(0, 40, key), *none = ratelimit_new(20, 0, key),
			 *on = ratelimit_new(1, 1, key);

	for (int i = 0; i < 1000; i++) {
		CHECK_INT(ratelimit_take(off, 7, 5), 0);
		CHECK_INT(ratelimit_take(none, 7, 5), 0);
	}
	/* Peers without an address. */
	for (int i = 0; i < 1000; i++)
		CHECK_INT(ratelimit_take(on, 0, 5), 0);
	CHECK_INT(ratelimit_take(on, 7, 5), 0);
	CHECK_INT(ratelimit_take(on, 7, 5), 1);
	ratelimit_free(&off);
	ratelimit_free(&none);
	ratelimit_free(&on);
}

/* A million networks, one connection each, 100 a millisecond, while one hammers: memory does
 * not grow, none of the million is refused, and the one gets no more than its rate. */
TEST(ratelimit_under_a_flood)
{
	struct ratelimit *limit = ratelimit_new(20, 40, key);
	size_t before = mallinfo2().uordblks;
	uint32_t hammered = 0, refused = 0;

	for (uint64_t n = 0; n < 1000000; n++) {
		uint64_t now_ms = n / 100;

		refused += ratelimit_take(limit, 1000 + n * 77, now_ms) > 0;
		if (n % 10 == 0)
			hammered += ratelimit_take(limit, 7, now_ms) == 0;
	}
	CHECK_INT(refused, 0);
	CHECK(hammered >= 40 + 199 && hammered <= 40 + 200);
	CHECK(mallinfo2().uordblks <= before + 64);
	ratelimit_free(&limit);
}

/* Even where so many come at once that buckets in use must make room, nobody else suffers. */
TEST(ratelimit_when_all_are_in_use)
{
	struct ratelimit *limit = ratelimit_new(1, 2, key);
	uint32_t refused = 0;

	for (uint64_t n = 1; n <= 1000000; n++)
		refused += ratelimit_take(limit, n, n / 1000) > 0;
	CHECK_INT(refused, 0);
	ratelimit_free(&limit);
}

TEST(address_count_counts)
{
	struct address_count *count = address_count_new(2, key);

	CHECK(address_count_enter(count, 7));
	CHECK(address_count_enter(count, 7));
	CHECK(!address_count_enter(count, 7));
	CHECK(address_count_enter(count, 8));
	CHECK_INT(address_count_of(count, 7), 2);
	CHECK_INT(address_count_networks(count), 2);
	address_count_leave(count, 7);
	CHECK(address_count_enter(count, 7));
	CHECK(!address_count_enter(count, 7));
	address_count_leave(count, 7);
	address_count_leave(count, 7);
	address_count_leave(count, 7);
	address_count_leave(count, 99);
	CHECK_INT(address_count_of(count, 7), 0);
	CHECK_INT(address_count_networks(count), 1);
	for (int i = 0; i < 10; i++)
		CHECK(address_count_enter(count, 0));
	CHECK_INT(address_count_networks(count), 1);
	address_count_free(&count);
	CHECK(count == NULL);
}

TEST(address_count_may_be_off)
{
	struct address_count *count = address_count_new(0, key);

	address_count_leave(count, 7);
	for (int i = 0; i < 100; i++)
		CHECK(address_count_enter(count, 7));
	CHECK_INT(address_count_of(count, 7), 0);
	address_count_leave(count, 7);
	address_count_free(&count);
}

/* Against plain counters, with many comings and goings at every size. */
TEST(address_count_is_exact)
{
	enum { NETWORKS = 3000, MOST = 5 };
	static uint32_t model[NETWORKS + 1];
	struct address_count *count = address_count_new(MOST, key);
	uint32_t random = 1;
	size_t networks = 0;

	for (int step = 0; step < 400000; step++) {
		random = random * 1664525 + 1013904223;
		uint32_t network = 1 + (random >> 8) % NETWORKS;
		/* It grows and shrinks in turns. */
		bool enters = (random >> 24) % 8 < (step / 50000 % 2 == 0 ? 5u : 2u);
		if (enters) {
			CHECK(address_count_enter(count, network) == (model[network] < MOST));
			networks += model[network] == 0;
			model[network] += model[network] < MOST;
		} else if (model[network] > 0) {
			address_count_leave(count, network);
			networks -= --model[network] == 0;
		}
		CHECK_INT(address_count_of(count, network), model[network]);
		CHECK_INT(address_count_networks(count), networks);
	}
	for (uint32_t network = 1; network <= NETWORKS; network++) {
		CHECK_INT(address_count_of(count, network), model[network]);
		for (; model[network] > 0; model[network]--)
			address_count_leave(count, network);
	}
	CHECK_INT(address_count_networks(count), 0);
	address_count_free(&count);
}

static void
put_into(void *owner, uint64_t network, uint64_t ahead_ns)
{
	/* The other clock stands elsewhere. */
	ratelimit_put(owner, network, ahead_ns, 5000);
}

TEST(ratelimit_goes_over)
{
	const struct siphash_key other_key = {7, 8};
	struct ratelimit *old = ratelimit_new(20, 40, key), *new = ratelimit_new(20, 40, other_key);

	for (int i = 0; i < 40; i++)
		CHECK_INT(ratelimit_take(old, 7, 1000), 0);
	CHECK_INT(ratelimit_take(old, 8, 1000), 0);
	/* By then a token has come back, and all of the second's. */
	ratelimit_each(old, 1050, put_into, new);
	CHECK_INT(ratelimit_take(new, 7, 5000), 0);
	CHECK_INT(ratelimit_take(new, 7, 5000), 1);
	for (int i = 0; i < 40; i++)
		CHECK_INT(ratelimit_take(new, 8, 5000), 0);
	CHECK_INT(ratelimit_take(new, 8, 5000), 1);
	ratelimit_free(&old);
	ratelimit_free(&new);
}
