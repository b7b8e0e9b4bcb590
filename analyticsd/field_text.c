/* SPDX-License-Identifier: MIT */
#include "analyticsd/field_text.h"

#include <string.h>

#include "analyticsd/words.h"

/* So many words are looked at in turns. */
#define AHEAD 32

void
text_free(struct text *text)
{
	tally_free(&text->tally);
	*text = (struct text){0};
}

static uint64_t
least_count(const struct tally *tally)
{
	uint64_t least = UINT64_MAX;

	for (uint32_t i = 0; i < tally->size; i++)
		if (tally_count(tally, i) != 0)
			least = MIN(least, tally_count(tally, i));
	return least;
}

/* Throws out a word with the smallest count. Going round in a circle makes the search
 * cheap: a full round without a find raises `least`, which happens at most as often as
 * floor can rise, that is once for every KEYWORDS_MAX words added. */
static void
text_evict(struct text *text)
{
	const struct tally *tally = &text->tally;
	uint32_t steps = 0;

	text->cursor %= tally->size;
	while (tally_count(tally, text->cursor) == 0 ||
	    tally_count(tally, text->cursor) > text->least) {
		text->cursor = (text->cursor + 1) % tally->size;
		if (++steps == tally->size)
			text->least = least_count(tally);
	}
	/* What moves here from behind is looked at next. */
	text->floor = MAX(text->floor, tally_count(tally, text->cursor));
	tally_remove(&text->tally, text->cursor);
}

static void
text_add_new(struct text *text, const struct word *word)
{
	if (text->tally.count == KEYWORDS_MAX)
		text_evict(text);
	uint32_t id = lexicon_take(word->bytes, word->length, word->hash);
	tally_insert(&text->tally, id, text->floor + 1);
}

/* Step by step, so that what is read of one word is fetched while others are looked at. Those
 * that are new here come last: what is thrown out for one may be another, and its id with it. */
static void
text_add_some(struct text *text, const struct word *words, size_t count)
{
	uint32_t ids[AHEAD];
	const struct word *new[AHEAD];
	size_t new_count = 0;

	for (size_t i = 0; i < count; i++) {
		ids[i] = lexicon_find(words[i].bytes, words[i].length, words[i].hash);
		tally_expect(&text->tally, ids[i]);
	}
	for (size_t i = 0; i < count; i++) {
		int found = tally_find(&text->tally, ids[i]);

		if (found >= 0)
			tally_up(&text->tally, (uint32_t)found);
		else
			new[new_count++] = &words[i];
	}
	for (size_t i = 0; i < new_count; i++)
		text_add_new(text, new[i]);
}

void
text_add(struct text *text, const char *bytes, size_t length)
{
	const struct word *words;
	size_t count = words_of(bytes, length, &words);

	text->added += count;
	for (size_t i = 0; i < count; i += AHEAD)
		text_add_some(text, words + i, MIN(count - i, AHEAD));
}

/* False: the word was never counted. */
static bool
text_remove_word(struct text *text, const struct word *word)
{
	uint32_t id = lexicon_find(word->bytes, word->length, word->hash);
	int found = tally_find(&text->tally, id);

	if (found < 0)
		return text->floor > 0;
	uint32_t slot = (uint32_t)found;
	uint64_t left = tally_count(&text->tally, slot) - 1;
	text->least = MIN(text->least, left);
	if (left == 0)
		tally_remove(&text->tally, slot);
	else
		tally_down(&text->tally, slot);
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

/* Whether what stands in slot `a` comes before what stands in `b`: the commoner one, then the one
 * with the smaller bytes (memcmp(3), then the length). */
static bool
is_before(const struct tally *tally, uint32_t a, uint32_t b)
{
	uint64_t a_count = tally_count(tally, a), b_count = tally_count(tally, b);
	size_t a_length, b_length;

	if (a_count != b_count)
		return a_count > b_count;
	const char *a_bytes = lexicon_bytes(tally_id(tally, a), &a_length);
	const char *b_bytes = lexicon_bytes(tally_id(tally, b), &b_length);
	int order = memcmp(a_bytes, b_bytes, MIN(a_length, b_length));

	return order != 0 ? order < 0 : a_length < b_length;
}

/* The slots of the commonest words, in that order. */
static size_t
text_top(const struct text *text, uint32_t top[static KEYWORDS_SHOWN])
{
	const struct tally *tally = &text->tally;
	size_t count = 0;

	for (uint32_t i = 0; i < tally->size; i++) {
		size_t at = count;

		if (tally_count(tally, i) == 0)
			continue;
		while (at > 0 && is_before(tally, i, top[at - 1]))
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
		const char *word = lexicon_bytes(tally_id(&text->tally, top[i]), &length);

		json_object_begin(w);
		json_key(w, "keyword");
		json_put_string_n(w, word, length);
		json_key(w, "count");
		json_put_u64(w, tally_count(&text->tally, top[i]));
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
	return sizeof(*text) + tally_memory(&text->tally);
}

void
text_encode(const struct text *text, struct encoder *e)
{
	const struct tally *tally = &text->tally;
	uint32_t start = tally_start(tally);

	encode_varint(e, text->floor);
	encode_varint(e, text->added);
	encode_varint(e, text->removed);
	encode_varint(e, tally->count);
	for (uint32_t i = 0; i < tally->size; i++) {
		uint32_t slot = (start + i) % tally->size;
		size_t length;

		if (tally_count(tally, slot) == 0)
			continue;
		const char *word = lexicon_bytes(tally_id(tally, slot), &length);
		encode_bytes(e, word, length);
		encode_varint(e, tally_count(tally, slot));
		/* Room for a bound of its own, which nobody asked for. */
		if (text->floor > 0)
			encode_varint(e, 0);
	}
}

static void
text_decode_word(struct text *text, struct decoder *d)
{
	size_t length;
	const char *word = decode_bytes(d, WORD_MAX_BYTES, &length);
	uint64_t times = decode_bounded(d, TALLY_MAX_COUNT);
	uint64_t over = text->floor > 0 ? decode_varint(d) : 0;

	if (length == 0 || times == 0 || over > MIN(times, text->floor))
		d->failed = true;
	if (d->failed)
		return;
	uint32_t id = lexicon_take(word, length, lexicon_hash(word, length));
	if (tally_find(&text->tally, id) < 0) {
		tally_insert(&text->tally, id, times);
		return;
	}
	lexicon_release(id);
	d->failed = true;
}

void
text_decode(struct text *text, struct decoder *d)
{
	text->floor = decode_bounded(d, TALLY_MAX_COUNT - 1);
	text->added = decode_varint(d);
	text->removed = decode_varint(d);
	uint32_t count = (uint32_t)decode_bounded(d, KEYWORDS_MAX);
	tally_reserve(&text->tally, count);
	for (uint32_t i = 0; i < count && !d->failed; i++)
		text_decode_word(text, d);
}
