/* SPDX-License-Identifier: MIT */
#include "analyticsd/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct store_row
row_of(const char *id, const char *record)
{
	return (struct store_row){.form = 1,
	    .id = (const uint8_t *)id,
	    .id_length = strlen(id),
	    .record = (const uint8_t *)record,
	    .record_length = strlen(record)};
}

static int64_t
append(struct ledger *ledger, const char *id, const char *record)
{
	struct store_row row = row_of(id, record);

	return ledger_append(ledger, &row);
}

static void
commit(struct store *store, struct ledger *ledger)
{
	CHECK(store->ops->begin(store) == 0);
	CHECK(ledger_write(ledger) == 0);
	CHECK(store->ops->commit(store) == 0);
	ledger_committed(ledger);
	CHECK_INT(ledger_pending(ledger), 0);
}

static void
expect(struct ledger *ledger, const char *id, int64_t seq, const char *record)
{
	struct store_row row;

	CHECK_INT(ledger_find(ledger, id, strlen(id), &row), seq > 0);
	if (seq == 0)
		return;
	CHECK_INT(row.seq, seq);
	CHECK_BYTES(row.record, row.record_length, record, strlen(record));
}

TEST(ledger_shows_what_is_not_committed)
{
	struct store *store = store_memory_new();
	struct ledger *ledger = ledger_new(store);
	struct store_row row;

	CHECK_INT(append(ledger, "b", "one"), 1);
	CHECK_INT(append(ledger, "a", "two"), 2);
	expect(ledger, "b", 1, "one");
	expect(ledger, "c", 0, NULL);
	commit(store, ledger);
	expect(ledger, "a", 2, "two");
	CHECK_INT(append(ledger, "c", "three"), 3);
	CHECK_INT(ledger_find(ledger, "a", 1, &row), 1);
	row.record = (const uint8_t *)"new";
	row.record_length = 3;
	ledger_update(ledger, &row);
	expect(ledger, "a", 2, "new");
	commit(store, ledger);
	expect(ledger, "a", 2, "new");
	expect(ledger, "b", 1, "one");
	expect(ledger, "c", 3, "three");
	CHECK(ledger_get(ledger, 4, &row) == -1 && errno == EBADMSG);
	ledger_free(&ledger);
	store->ops->free(&store);
}

TEST(ledger_buries_and_takes_the_id_again)
{
	struct store *store = store_memory_new();
	struct ledger *ledger = ledger_new(store);
	struct store_row row;

	append(ledger, "a", "one");
	commit(store, ledger);
	CHECK_INT(ledger_find(ledger, "a", 1, &row), 1);
	ledger_bury(ledger, &row);
	expect(ledger, "a", 0, NULL);
	CHECK_INT(append(ledger, "a", "two"), 2);
	expect(ledger, "a", 2, "two");
	/* Buried in the same transaction in which it came. */
	append(ledger, "b", "three");
	CHECK_INT(ledger_find(ledger, "b", 1, &row), 1);
	ledger_bury(ledger, &row);
	expect(ledger, "b", 0, NULL);
	commit(store, ledger);
	expect(ledger, "a", 2, "two");
	expect(ledger, "b", 0, NULL);
	CHECK(ledger_get(ledger, 1, &row) == 0);
	CHECK(row.id == NULL);
	CHECK(ledger_get(ledger, 3, &row) == 0);
	CHECK(row.id == NULL);
	ledger_delete(ledger, 1);
	CHECK(ledger_get(ledger, 1, &row) == -1);
	commit(store, ledger);
	CHECK(ledger_get(ledger, 1, &row) == -1);
	ledger_free(&ledger);
	store->ops->free(&store);
}

TEST(ledger_finds_again_what_came_in_the_order_of_ids)
{
	struct store *store = store_memory_new();
	struct ledger *ledger = ledger_new(store);
	char id[8];

	for (int commits = 0; commits < 2; commits++) {
		for (int i = 0; i < 1000; i++) {
			struct store_row row;

			snprintf(id, sizeof(id), "%d%04d", commits, i);
			expect(ledger, id, 0, NULL);
			CHECK_INT(append(ledger, id, id), commits * 1000 + i + 1);
			if (i % 100 != 50)
				continue;
			snprintf(id, sizeof(id), "%d%04d", commits, i - 20);
			expect(ledger, id, commits * 1000 + i - 19, id);
			CHECK_INT(ledger_find(ledger, id, strlen(id), &row), 1);
			ledger_bury(ledger, &row);
			expect(ledger, id, 0, NULL);
			snprintf(id, sizeof(id), "%d%04d-", commits, i - 20);
			expect(ledger, id, 0, NULL);
		}
		commit(store, ledger);
	}
	expect(ledger, "00029", 30, "00029");
	expect(ledger, "00030", 0, NULL);
	expect(ledger, "10999", 2000, "10999");
	ledger_free(&ledger);
	store->ops->free(&store);
}

TEST(ledger_writes_the_same_again_after_a_failure)
{
	struct store *store = store_memory_new();
	struct ledger *ledger = ledger_new(store);

	append(ledger, "a", "one");
	store_memory_fail(store, ENOSPC);
	for (int i = 0; i < 3; i++) {
		CHECK(store->ops->begin(store) == 0);
		CHECK(ledger_write(ledger) == 0);
		CHECK(store->ops->commit(store) == -1);
		store->ops->rollback(store);
		expect(ledger, "a", 1, "one");
	}
	store_memory_fail(store, 0);
	commit(store, ledger);
	expect(ledger, "a", 1, "one");
	ledger_free(&ledger);
	store->ops->free(&store);
}

/* An insert that fails behind the first row. */
static const struct store_ops *whole_ops;

struct cut {
	store_next_row *next;
	void *owner;
	int left;
};

static const struct store_row *
next_of_cut(void *owner)
{
	struct cut *cut = owner;

	return cut->left-- > 0 ? cut->next(cut->owner) : NULL;
}

static int
insert_one(struct store *store, store_next_row *next, void *owner)
{
	struct cut cut = {.next = next, .owner = owner, .left = 1};

	CHECK(whole_ops->insert_rows(store, next_of_cut, &cut) == 0);
	errno = ENOSPC;
	return -1;
}

static void
fail_in_the_middle(struct store *store)
{
	struct ledger *ledger = ledger_new(store);
	struct store_ops broken = *store->ops;
	struct store_row row;

	append(ledger, "a", "one");
	append(ledger, "b", "two");
	commit(store, ledger);
	CHECK_INT(ledger_find(ledger, "a", 1, &row), 1);
	ledger_bury(ledger, &row);
	append(ledger, "c", "three");
	CHECK_INT(append(ledger, "d", "four"), 4);
	CHECK_INT(ledger_find(ledger, "d", 1, &row), 1);
	ledger_bury(ledger, &row);
	ledger_delete(ledger, 4);
	append(ledger, "a", "five");
	whole_ops = store->ops;
	broken.insert_rows = insert_one;
	store->ops = &broken;
	for (int i = 0; i < 3; i++) {
		CHECK(store->ops->begin(store) == 0);
		CHECK(ledger_write(ledger) == -1 && errno == ENOSPC);
		store->ops->rollback(store);
		CHECK_INT(store->ops->row_by_seq(store, 3, &row), 0);
		expect(ledger, "a", 5, "five");
		expect(ledger, "c", 3, "three");
	}
	store->ops = whole_ops;
	commit(store, ledger);
	expect(ledger, "a", 5, "five");
	expect(ledger, "b", 2, "two");
	expect(ledger, "c", 3, "three");
	expect(ledger, "d", 0, NULL);
	CHECK(ledger_get(ledger, 1, &row) == 0 && row.id == NULL);
	CHECK(ledger_get(ledger, 4, &row) == -1);
	ledger_free(&ledger);
	store->ops->free(&store);
}

TEST(ledger_writes_the_same_again_after_a_failure_in_the_middle)
{
	fail_in_the_middle(store_memory_new());
	fail_in_the_middle(store_sqlite_open(unit_directory()));
}

TEST(ledger_goes_on_where_the_store_ends)
{
	struct store *store = store_memory_new();
	struct ledger *ledger = ledger_new(store);

	append(ledger, "m", "one");
	append(ledger, "z", "two");
	commit(store, ledger);
	ledger_free(&ledger);
	ledger = ledger_new(store);
	expect(ledger, "m", 1, "one");
	expect(ledger, "z", 2, "two");
	expect(ledger, "zz", 0, NULL);
	CHECK_INT(append(ledger, "a", "three"), 3);
	ledger_free(&ledger);
	store->ops->free(&store);
}
