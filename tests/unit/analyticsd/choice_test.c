/* SPDX-License-Identifier: MIT */
#include "analyticsd/field_choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyticsd/hash.h"
#include "lib/mem.h"
#include "tests/unit/analyticsd/support.h"
#include "tests/unit/unit.h"

static struct option_ref
option(const char *id)
{
	return (struct option_ref){id, strlen(id), hash_bytes(id, strlen(id))};
}

static void
put(struct choice *choice, const char *id)
{
	struct option_ref ref = option(id);

	choice_add(choice, &ref);
}

static bool
drop(struct choice *choice, const char *id)
{
	struct option_ref ref = option(id);

	return choice_remove(choice, &ref);
}

static void
check_choice(int line, const struct choice *choice, const char *want)
{
	struct json_writer w;
	struct buf buf;

	buf_init(&buf, 1 << 16);
	json_write_begin(&w, &buf);
	choice_write(choice, &w);
	CHECK(json_write_end(&w) == 0 && buf_append(&buf, "", 1) == 0);
	unit_check_string(__FILE__, line, (const char *)buf_bytes(&buf), want);
	buf_free(&buf);
}

#define CHECK_CHOICE(choice, want) check_choice(__LINE__, choice, want)

TEST(choice_order_and_other)
{
	struct choice c = {0};
	struct option_ref options[] = {option("b"), option("a")};
	char oversize[202] = "";

	CHECK(choice_set_options(&c, options, 2));
	memset(oversize, 'x', 201);
	put(&c, "z");
	put(&c, "a");
	put(&c, "A");
	put(&c, oversize);
	CHECK_CHOICE(&c, "{\"b\":0,\"a\":1,\"A\":1,\"z\":1,\"_other\":1}");
	put(&c, "_other");
	CHECK_CHOICE(&c, "{\"b\":0,\"a\":1,\"A\":1,\"z\":1,\"_other\":2}");
	CHECK(drop(&c, oversize) && drop(&c, "z"));
	CHECK_CHOICE(&c, "{\"b\":0,\"a\":1,\"A\":1,\"_other\":1}");
	CHECK(drop(&c, "_other") && drop(&c, "a"));
	CHECK_CHOICE(&c, "{\"b\":0,\"a\":0,\"A\":1}");
	CHECK(!drop(&c, "a") && !drop(&c, "z") && !drop(&c, oversize));
	choice_free(&c);
	CHECK_CHOICE(NULL, "{}");
}

TEST(choice_option_that_is_called_other)
{
	struct choice c = {0};
	struct option_ref options[] = {option("_other"), option("a")};
	char oversize[202] = "";

	memset(oversize, 'x', 201);
	CHECK(choice_set_options(&c, options, 2));
	put(&c, oversize);
	put(&c, "_other");
	CHECK_CHOICE(&c, "{\"_other\":2,\"a\":0}");
	choice_free(&c);
}

TEST(choice_beyond_256_others)
{
	struct choice c = {0};
	char id[16];

	for (int i = 0; i < 300; i++) {
		snprintf(id, sizeof(id), "id%03d", i);
		for (int n = 0; n < 2; n++)
			put(&c, id);
	}
	CHECK_INT(c.overflow, 88);
	CHECK(drop(&c, "id299"));
	CHECK_INT(c.overflow, 87);
	/* A place that is given up stays kept while others wait: what is counted as
	 * `_other` must be taken back as that. */
	CHECK(drop(&c, "id000") && drop(&c, "id000"));
	CHECK_INT(c.dead, 1);
	put(&c, "id000");
	CHECK_INT(c.dead, 0);
	for (int i = 1; i < 64; i++) {
		snprintf(id, sizeof(id), "id%03d", i);
		CHECK(drop(&c, id) && drop(&c, id));
	}
	CHECK_INT(c.dead, 63);
	CHECK(drop(&c, "id000") == false);
	choice_free(&c);
	/* When nobody waits any more the dead go. */
	for (int i = 0; i < 257; i++) {
		snprintf(id, sizeof(id), "id%03d", i);
		put(&c, id);
		put(&c, id);
	}
	put(&c, "id256");
	CHECK(drop(&c, "id003") && drop(&c, "id003"));
	CHECK_INT(c.dead, 1);
	CHECK(drop(&c, "id256"));
	CHECK(!drop(&c, "id256"));
	CHECK(drop(&c, "id256"));
	CHECK_INT(c.dead, 0);
	CHECK_INT(c.bag.count, 255);
	put(&c, "new");
	CHECK_INT(c.overflow, 0);
	choice_free(&c);
}

TEST(choice_takes_new_options)
{
	struct choice c = {0};
	struct option_ref first[] = {option("a"), option("b")},
			  second[] = {option("c"), option("b")};
	struct option_ref turned[] = {option("b"), option("a")};
	char id[16];

	CHECK(choice_set_options(&c, first, 2));
	CHECK(choice_has_options(&c, first, 2) && !choice_has_options(&c, turned, 2));
	put(&c, "a");
	put(&c, "b");
	put(&c, "c");
	CHECK(choice_set_options(&c, second, 2));
	CHECK_CHOICE(&c, "{\"c\":1,\"b\":1,\"a\":1}");
	CHECK(choice_set_options(&c, NULL, 0));
	CHECK_CHOICE(&c, "{\"a\":1,\"b\":1,\"c\":1}");
	CHECK(choice_set_options(&c, first, 2));
	for (int i = 0; i < 300; i++) {
		snprintf(id, sizeof(id), "id%03d", i);
		put(&c, id);
	}
	/* Another order of the same options changes no count; others cannot be told now. */
	CHECK(choice_set_options(&c, turned, 2));
	CHECK(c.overflow > 0);
	CHECK(!choice_set_options(&c, second, 2));
	choice_reset(&c);
	CHECK_CHOICE(&c, "{\"c\":0,\"b\":0}");
	choice_free(&c);
}

/* Of 400 ids, whatever comes and goes: counts are right for those that have a place, and all add
 * up. */
TEST(choice_adds_up_at_random)
{
	struct dice dice = dice_new();

	for (int round = 0; round < 20; round++) {
		struct choice c = {0};
		uint64_t truth[400] = {0}, total = 0;
		char id[16];

		for (int step = 0; step < 20000; step++) {
			unsigned n = dice_roll(&dice, round % 2 ? 250 : 400);

			snprintf(id, sizeof(id), "%u", n);
			if (dice_roll(&dice, 100) < (step < 10000 ? 60 : 45)) {
				put(&c, id);
				truth[n]++;
				total++;
			} else if (truth[n] > 0) {
				bool exact = drop(&c, id);

				truth[n]--;
				total--;
				if (exact)
					continue;
				CHECK(round % 2 == 0);
				choice_free(&c);
				for (unsigned i = 0; i < 400; i++) {
					snprintf(id, sizeof(id), "%u", i);
					for (uint64_t times = truth[i]; times > 0; times--)
						put(&c, id);
				}
			}
		}
		uint64_t sum = c.overflow;
		for (uint32_t i = 0; i < c.bag.count; i++) {
			size_t length;
			const char *bytes = bag_bytes(&c.bag, i, &length);
			unsigned n;

			CHECK(length < sizeof(id));
			memcpy(id, bytes, length);
			id[length] = '\0';
			n = (unsigned)strtoul(id, NULL, 10);
			CHECK_INT(c.bag.entries[i].count, truth[n]);
			sum += c.bag.entries[i].count;
		}
		CHECK_INT(sum, total);
		choice_free(&c);
	}
}
