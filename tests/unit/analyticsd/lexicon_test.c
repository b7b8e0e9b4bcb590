/* SPDX-License-Identifier: MIT */
#include "analyticsd/lexicon.h"

#include <stdio.h>
#include <string.h>

#include "lib/mem.h"
#include "tests/unit/analyticsd/support.h"
#include "tests/unit/unit.h"

static uint32_t
take(const char *word)
{
	return lexicon_take(word, strlen(word), lexicon_hash(word, strlen(word)));
}

static uint32_t
find(const char *word)
{
	return lexicon_find(word, strlen(word), lexicon_hash(word, strlen(word)));
}

static void
check_word(int line, uint32_t id, const char *want)
{
	size_t length;
	const char *bytes = lexicon_bytes(id, &length);

	unit_check_bytes(__FILE__, line, bytes, length, want, strlen(want));
}

TEST(lexicon_holds_a_word_once)
{
	CHECK_INT(lexicon_memory(), 0);
	CHECK_INT(find("price"), LEXICON_NONE);
	uint32_t price = take("price"), quality = take("quality");

	CHECK(price != LEXICON_NONE && quality != LEXICON_NONE && price != quality);
	CHECK_INT(take("price"), price);
	CHECK_INT(find("price"), price);
	CHECK_INT(find("prices"), LEXICON_NONE);
	CHECK_INT(lexicon_count(), 2);
	check_word(__LINE__, price, "price");
	check_word(__LINE__, quality, "quality");
	lexicon_release(price);
	CHECK_INT(find("price"), price);
	lexicon_release(price);
	CHECK_INT(find("price"), LEXICON_NONE);
	CHECK_INT(find("quality"), quality);
	CHECK(lexicon_memory() > 0);
	lexicon_release(quality);
	CHECK_INT(lexicon_count(), 0);
	CHECK_INT(lexicon_memory(), 0);
}

TEST(lexicon_takes_words_of_every_length)
{
	char word[LEXICON_MAX_BYTES + 1];
	uint32_t ids[LEXICON_MAX_BYTES + 1];

	for (int round = 0; round < 300; round++) {
		for (size_t length = 1; length <= LEXICON_MAX_BYTES; length++) {
			memset(word, 'a', length);
			ids[length] = lexicon_take(word, length, lexicon_hash(word, length));
		}
	}
	CHECK_INT(lexicon_count(), LEXICON_MAX_BYTES);
	for (size_t length = 1; length <= LEXICON_MAX_BYTES; length++) {
		memset(word, 'a', length);
		word[length] = '\0';
		check_word(__LINE__, ids[length], word);
		for (int round = 0; round < 300; round++)
			lexicon_release(ids[length]);
	}
	CHECK_INT(lexicon_memory(), 0);
}

/* The hash tells every byte of a word, wherever it stands. */
TEST(lexicon_hashes_every_byte)
{
	char word[LEXICON_MAX_BYTES];

	memset(word, 'a', sizeof(word));
	for (size_t length = 1; length <= sizeof(word); length++) {
		uint32_t hash = lexicon_hash(word, length);

		for (size_t at = 0; at < length; at++) {
			word[at] = 'b';
			CHECK(lexicon_hash(word, length) != hash);
			word[at] = 'a';
		}
	}
}

#define MANY 400000

/* So many that some have the same hash, all of its 32 bits. */
TEST(lexicon_holds_many_words)
{
	uint32_t *ids = mem_array(NULL, MANY, sizeof(*ids));
	char word[16];

	for (unsigned i = 0; i < MANY; i++) {
		snprintf(word, sizeof(word), "word%u", i);
		ids[i] = take(word);
	}
	CHECK_INT(lexicon_count(), MANY);
	size_t peak = lexicon_memory();
	CHECK(peak < MANY * (size_t)40);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(word, sizeof(word), "word%u", i);
		CHECK_INT(find(word), ids[i]);
		check_word(__LINE__, ids[i], word);
		if (i % 16 != 0)
			lexicon_release(ids[i]);
	}
	CHECK_INT(lexicon_count(), MANY / 16);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(word, sizeof(word), "word%u", i);
		CHECK_INT(find(word), i % 16 == 0 ? ids[i] : LEXICON_NONE);
	}
	/* Others take the places of those that went. */
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(word, sizeof(word), "other%u", i);
		if (i % 16 != 0)
			ids[i] = take(word);
	}
	CHECK(lexicon_memory() < peak + peak / 16);
	/* Whoever came first goes first: whole blocks do. */
	for (unsigned i = 0; i < MANY; i++) {
		lexicon_release(ids[i]);
		if (i == MANY / 16 * 15)
			CHECK(lexicon_memory() < peak / 4);
	}
	CHECK_INT(lexicon_memory(), 0);
	MEM_FREE(&ids);
}

#define MODEL 5000

/* Any order of takes and releases, against a plain count of the references. */
TEST(lexicon_counts_references)
{
	static unsigned held[MODEL];
	static uint32_t ids[MODEL];
	struct dice dice = dice_new();
	char word[LEXICON_MAX_BYTES + 1];
	size_t count = 0;

	for (int step = 0; step < 300000; step++) {
		unsigned n = dice_roll(&dice, step / 50000 % 2 == 0 ? MODEL : MODEL / 50);
		bool grows = dice_roll(&dice, 5) < (step / 100000 == 1 ? 1 : 3);

		snprintf(word, sizeof(word), "%u%.*s", n, (int)(n % 58),
		    "-a-word-that-is-as-long-as-any-that-is-counted-in-any-text-");
		CHECK_INT(find(word), held[n] > 0 ? ids[n] : LEXICON_NONE);
		if (grows) {
			uint32_t id = take(word);

			CHECK(held[n] == 0 || id == ids[n]);
			ids[n] = id;
			count += held[n]++ == 0;
		} else if (held[n] > 0) {
			check_word(__LINE__, ids[n], word);
			lexicon_release(ids[n]);
			count -= --held[n] == 0;
		}
		CHECK_INT(lexicon_count(), count);
	}
	for (unsigned n = 0; n < MODEL; n++)
		while (held[n]-- > 0)
			lexicon_release(ids[n]);
	CHECK_INT(lexicon_memory(), 0);
}
