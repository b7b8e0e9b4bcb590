/* SPDX-License-Identifier: MIT */
#include "lib/table.h"

#include <stdint.h>
#include <string.h>

#include "lib/form_id.h"
#include "tests/unit/unit.h"

struct entry {
	struct form_id id;
	UT_hash_handle hh;
};

static struct form_id
numbered(uint32_t number)
{
	struct form_id id = {{0}};

	memcpy(id.bytes, &number, sizeof(number));
	return id;
}

static void
add(struct entry **table, struct entry *entry, uint32_t number)
{
	entry->id = numbered(number);
	HASH_ADD(hh, *table, id, sizeof(entry->id), entry);
}

/* Ids that uthash's own hash, which everybody knows, would all put into one bucket: put first into
 * an empty table they would stop it from growing. */
TEST(table_grows_whatever_ids_come_first)
{
	enum { CHOSEN = 100, OTHERS = 15000, LOW_BITS = 0x3fff };
	static struct entry entries[CHOSEN + OTHERS];
	struct entry *table = NULL, *found = NULL;
	struct form_id id = numbered(1);
	size_t count = 0;

	for (uint32_t number = 1; count < CHOSEN; number++) {
		unsigned hash;
		struct form_id other = numbered(number);

		HASH_JEN(&other, sizeof(other), hash);
		if ((hash & LOW_BITS) == 0)
			add(&table, &entries[count++], number);
	}
	for (uint32_t number = 0; number < OTHERS; number++)
		add(&table, &entries[count++], UINT32_MAX - number);
	CHECK_INT(table->hh.tbl->noexpand, 0);
	CHECK(table->hh.tbl->num_buckets > OTHERS / 16);
	id = numbered(UINT32_MAX - 7);
	HASH_FIND(hh, table, &id, sizeof(id), found);
	CHECK(found == &entries[CHOSEN + 7]);
	HASH_CLEAR(hh, table);
}
