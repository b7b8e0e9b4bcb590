/* SPDX-License-Identifier: MIT */
#include "analyticsd/field_choice.h"

#include <stdlib.h>
#include <string.h>

#include "analyticsd/hash.h"
#include "lib/mem.h"

void
choice_free(struct choice *choice)
{
	bag_free(&choice->bag);
	*choice = (struct choice){0};
}

static uint32_t
choice_others(const struct choice *choice)
{
	return choice->bag.count - choice->option_count;
}

void
choice_add(struct choice *choice, const struct option_ref *option)
{
	if (option->length > CHOICE_MAX_ID) {
		choice->oversize++;
		return;
	}
	int index = bag_find(&choice->bag, option->id, option->length, option->hash);
	if (index < 0) {
		if (choice_others(choice) >= CHOICE_MAX_OTHERS) {
			choice->overflow++;
			return;
		}
		index = (int)bag_insert(&choice->bag, option->id, option->length, option->hash);
	} else if ((uint32_t)index >= choice->option_count &&
	    choice->bag.entries[index].count == 0) {
		choice->dead--;
	}
	choice->bag.entries[index].count++;
}

/* Everything has a place of its own again: the dead need none any more. */
static void
choice_bury(struct choice *choice)
{
	for (uint32_t i = choice->bag.count; choice->dead > 0 && i-- > choice->option_count;) {
		if (choice->bag.entries[i].count == 0) {
			bag_remove(&choice->bag, i);
			choice->dead--;
		}
	}
}

static bool
choice_settle(struct choice *choice)
{
	if (choice->overflow == 0) {
		choice_bury(choice);
		return true;
	}
	return choice->dead < CHOICE_MAX_DEAD && choice->overflow > choice->dead;
}

bool
choice_remove(struct choice *choice, const struct option_ref *option)
{
	if (option->length > CHOICE_MAX_ID) {
		if (choice->oversize == 0)
			return false;
		choice->oversize--;
		return true;
	}
	int index = bag_find(&choice->bag, option->id, option->length, option->hash);
	if (index < 0) {
		if (choice->overflow == 0)
			return false;
		choice->overflow--;
		return choice_settle(choice);
	}
	struct bag_entry *entry = &choice->bag.entries[index];
	if (entry->count == 0)
		return false;
	if (--entry->count > 0 || (uint32_t)index < choice->option_count)
		return true;
	choice->dead++;
	return choice_settle(choice);
}

bool
choice_has_options(const struct choice *choice, const struct option_ref *options, size_t count)
{
	if (choice->option_count != count)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		size_t length;
		const char *id = bag_bytes(&choice->bag, i, &length);

		if (length != options[i].length || memcmp(id, options[i].id, length) != 0)
			return false;
	}
	return true;
}

bool
choice_set_options(struct choice *choice, const struct option_ref *options, size_t count)
{
	struct choice old = *choice;
	bool same = old.option_count == count;

	*choice = (struct choice){
	    .option_count = (uint32_t)count,
	    .overflow = old.overflow,
	    .oversize = old.oversize,
	};
	for (size_t i = 0; i < count; i++) {
		const struct option_ref *option = &options[i];
		unsigned index = bag_insert(&choice->bag, option->id, option->length, option->hash);
		int before = bag_find(&old.bag, option->id, option->length, option->hash);

		same = same && before >= 0 && (uint32_t)before < old.option_count;
		if (before < 0)
			continue;
		choice->bag.entries[index].count = old.bag.entries[before].count;
		old.bag.entries[before].count = 0;
	}
	bool fits = true;
	for (uint32_t i = 0; i < old.bag.count && fits; i++) {
		size_t length;
		const char *id = bag_bytes(&old.bag, i, &length);
		bool dead = old.overflow > 0 && i >= old.option_count;

		if (old.bag.entries[i].count == 0 && !(dead && same))
			continue;
		fits = choice_others(choice) < CHOICE_MAX_OTHERS;
		if (!fits)
			break;
		unsigned index = bag_insert(&choice->bag, id, length, old.bag.entries[i].hash);
		choice->bag.entries[index].count = old.bag.entries[i].count;
		choice->dead += old.bag.entries[i].count == 0;
	}
	bag_free(&old.bag);
	return fits && (same || choice->overflow == 0);
}

void
choice_reset(struct choice *choice)
{
	while (choice->bag.count > choice->option_count)
		bag_remove(&choice->bag, choice->bag.count - 1);
	for (uint32_t i = 0; i < choice->option_count; i++)
		choice->bag.entries[i].count = 0;
	choice->overflow = choice->oversize = 0;
	choice->dead = 0;
}

static int
others_compare(const void *a, const void *b, void *bag)
{
	return bag_compare(bag, *(const uint16_t *)a, *(const uint16_t *)b);
}

static void
choice_write_entry(const struct choice *choice, unsigned index, int other, struct json_writer *w)
{
	size_t length;
	const char *id = bag_bytes(&choice->bag, index, &length);
	uint64_t count = choice->bag.entries[index].count;

	/* An option that bears the name itself shares its place with the rest. */
	if ((int)index == other)
		count += choice->overflow + choice->oversize;
	json_key_n(w, id, length);
	json_put_u64(w, count);
}

void
choice_write(const struct choice *choice, struct json_writer *w)
{
	uint16_t others[CHOICE_MAX_OTHERS];
	size_t count = 0;

	json_object_begin(w);
	if (choice == NULL) {
		json_object_end(w);
		return;
	}
	int other = bag_find(&choice->bag, CHOICE_OTHER, strlen(CHOICE_OTHER),
	    hash_bytes(CHOICE_OTHER, strlen(CHOICE_OTHER)));
	for (uint32_t i = 0; i < choice->option_count; i++)
		choice_write_entry(choice, i, other, w);
	for (uint32_t i = choice->option_count; i < choice->bag.count; i++)
		if (choice->bag.entries[i].count > 0 && (int)i != other)
			others[count++] = (uint16_t)i;
	qsort_r(others, count, sizeof(others[0]), others_compare, (void *)&choice->bag);
	for (size_t i = 0; i < count; i++)
		choice_write_entry(choice, others[i], other, w);

	uint64_t rest = choice->overflow + choice->oversize;
	bool in_definition = other >= 0 && (uint32_t)other < choice->option_count;
	if (other >= 0 && !in_definition)
		rest += choice->bag.entries[other].count;
	if (!in_definition && rest > 0) {
		json_key(w, CHOICE_OTHER);
		json_put_u64(w, rest);
	}
	json_object_end(w);
}

size_t
choice_memory(const struct choice *choice)
{
	return sizeof(*choice) + bag_memory(&choice->bag);
}

void
choice_encode(const struct choice *choice, struct encoder *e)
{
	encode_varint(e, choice->option_count);
	encode_varint(e, choice_others(choice));
	for (uint32_t i = 0; i < choice->bag.count; i++) {
		size_t length;
		const char *id = bag_bytes(&choice->bag, i, &length);

		encode_bytes(e, id, length);
		encode_varint(e, choice->bag.entries[i].count);
	}
	encode_varint(e, choice->overflow);
	encode_varint(e, choice->oversize);
}

void
choice_decode(struct choice *choice, struct decoder *d)
{
	choice->option_count = (uint32_t)decode_bounded(d, CHOICE_MAX_OPTIONS);
	uint32_t count = choice->option_count + (uint32_t)decode_bounded(d, CHOICE_MAX_OTHERS);
	for (uint32_t i = 0; i < count && !d->failed; i++) {
		size_t length;
		const char *id = decode_bytes(d, CHOICE_MAX_ID, &length);
		uint32_t hash = hash_bytes(id, length);

		if (d->failed || bag_find(&choice->bag, id, length, hash) >= 0) {
			d->failed = true;
			break;
		}
		unsigned index = bag_insert(&choice->bag, id, length, hash);
		choice->bag.entries[index].count = decode_varint(d);
		choice->dead += i >= choice->option_count && choice->bag.entries[i].count == 0;
	}
	choice->overflow = decode_varint(d);
	choice->oversize = decode_varint(d);
	bool full = !d->failed && choice_others(choice) == CHOICE_MAX_OTHERS;
	if ((choice->overflow > 0 && !full) || (choice->dead > 0 && choice->overflow == 0))
		d->failed = true;
	/* A failed aggregate is only freed; let its invariants hold all the same. */
	if (d->failed)
		choice->option_count = MIN(choice->option_count, choice->bag.count);
}
