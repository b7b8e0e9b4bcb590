/* SPDX-License-Identifier: MIT */
#include "analyticsd/field_text.h"

#include <string.h>

#include "analyticsd/hash.h"
#include "analyticsd/words.h"

void
text_free(struct text *text)
{
	bag_free(&text->bag);
	*text = (struct text){0};
}

static uint64_t
least_count(const struct text *text)
{
	uint64_t least = UINT64_MAX;

	for (uint32_t i = 0; i < text->bag.count; i++)
		least = MIN(least, text->bag.entries[i].count);
	return least;
}

/* Throws out a word with the smallest count. Going round in a circle makes the search
 * cheap: a full round without a find raises `least`, which happens at most as often as
 * floor can rise, that is once for every KEYWORDS_MAX words added. */
static void
text_evict(struct text *text)
{
	uint32_t steps = 0;

	while (text->bag.entries[text->cursor % KEYWORDS_MAX].count > text->least) {
		text->cursor++;
		if (++steps == KEYWORDS_MAX)
			text->least = least_count(text);
	}
	/* The last word moves here and is looked at next. */
	text->cursor %= KEYWORDS_MAX;
	text->floor = MAX(text->floor, text->bag.entries[text->cursor].count);
	bag_remove(&text->bag, text->cursor);
}

void
text_add(struct text *text, const char *bytes, size_t length)
{
	const struct word *words;
	size_t count = words_of(bytes, length, &words);

	text->added += count;
	for (size_t i = 0; i < count; i++)
		bag_expect(&text->bag, words[i].hash);
	for (size_t i = 0; i < count; i++) {
		const struct word *word = &words[i];
		int found = bag_find(&text->bag, word->bytes, word->length, word->hash);

		if (found >= 0) {
			text->bag.entries[found].count++;
			continue;
		}
		if (text->bag.count == KEYWORDS_MAX)
			text_evict(text);
		unsigned index = bag_insert(&text->bag, word->bytes, word->length, word->hash);
		text->bag.entries[index].count = text->floor + 1;
	}
}

/* False: the word was never counted. */
static bool
text_remove_word(struct text *text, const struct word *word)
{
	int found = bag_find(&text->bag, word->bytes, word->length, word->hash);

	if (found < 0)
		return text->floor > 0;
	struct bag_entry *entry = &text->bag.entries[found];
	entry->count--;
	text->least = MIN(text->least, entry->count);
	if (entry->count == 0)
		bag_remove(&text->bag, (unsigned)found);
	return true;
}

bool
text_remove(struct text *text, const char *bytes, size_t length)
{
	const struct word *words;
	size_t count = words_of(bytes, length, &words);
	bool known = true;

	text->removed += count;
	for (size_t i = 0; i < count; i++)
		known = text_remove_word(text, &words[i]) && known;
	return known && (text->floor == 0 || text->removed <= text->added / 2);
}

/* The indices of the commonest words, commonest first, then by their bytes. */
static size_t
text_top(const struct text *text, uint32_t top[static KEYWORDS_SHOWN])
{
	const struct bag_entry *entries = text->bag.entries;
	size_t count = 0;

	for (uint32_t i = 0; i < text->bag.count; i++) {
		size_t at = count;

		while (at > 0 &&
		    (entries[i].count > entries[top[at - 1]].count ||
			(entries[i].count == entries[top[at - 1]].count &&
			    bag_compare(&text->bag, i, top[at - 1]) < 0)))
			at--;
		if (at == KEYWORDS_SHOWN)
			continue;
		count = MIN(count + 1, KEYWORDS_SHOWN);
		memmove(top + at + 1, top + at, (count - at - 1) * sizeof(top[0]));
		top[at] = i;
	}
	return count;
}

void
text_write(const struct text *text, struct json_writer *w)
{
	uint32_t top[KEYWORDS_SHOWN];
	size_t count = text != NULL ? text_top(text, top) : 0;

	json_key(w, "topKeywords");
	json_array_begin(w);
	for (size_t i = 0; i < count; i++) {
		size_t length;
		const char *word = bag_bytes(&text->bag, top[i], &length);

		json_object_begin(w);
		json_key(w, "keyword");
		json_put_string_n(w, word, length);
		json_key(w, "count");
		json_put_u64(w, text->bag.entries[top[i]].count);
		json_object_end(w);
	}
	json_array_end(w);
	if (text == NULL || text->floor == 0)
		return;
	json_key(w, "keywordsExact");
	json_put_bool(w, false);
	json_key(w, "keywordsError");
	json_put_u64(w, text->floor);
}

size_t
text_memory(const struct text *text)
{
	return sizeof(*text) + bag_memory(&text->bag);
}

void
text_encode(const struct text *text, struct encoder *e)
{
	encode_varint(e, text->floor);
	encode_varint(e, text->added);
	encode_varint(e, text->removed);
	encode_varint(e, text->bag.count);
	for (uint32_t i = 0; i < text->bag.count; i++) {
		size_t length;
		const char *word = bag_bytes(&text->bag, i, &length);

		encode_bytes(e, word, length);
		encode_varint(e, text->bag.entries[i].count);
		/* Room for a bound of its own, which nobody asked for. */
		if (text->floor > 0)
			encode_varint(e, 0);
	}
}

void
text_decode(struct text *text, struct decoder *d)
{
	text->floor = decode_varint(d);
	text->added = decode_varint(d);
	text->removed = decode_varint(d);
	uint32_t count = (uint32_t)decode_bounded(d, KEYWORDS_MAX);
	for (uint32_t i = 0; i < count && !d->failed; i++) {
		size_t length;
		const char *word = decode_bytes(d, WORD_MAX_BYTES, &length);
		uint32_t hash = hash_bytes(word, length);

		if (length == 0 || bag_find(&text->bag, word, length, hash) >= 0) {
			d->failed = true;
			break;
		}
		/* In two steps: inserting may move the entries. */
		unsigned at = bag_insert(&text->bag, word, length, hash);
		uint64_t times = decode_varint(d);
		uint64_t over = text->floor > 0 ? decode_varint(d) : 0;
		text->bag.entries[at].count = times;
		if (times == 0 || over > MIN(times, text->floor))
			d->failed = true;
	}
}
