/* SPDX-License-Identifier: MIT */
#include "analyticsd/field_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/mem.h"
#include "tests/unit/analyticsd/support.h"
#include "tests/unit/unit.h"

static void
put(struct text *text, const char *words)
{
	text_add(text, words, strlen(words));
}

static bool
drop(struct text *text, const char *words)
{
	return text_remove(text, words, strlen(words));
}

static void
check_text(int line, const struct text *text, const char *want)
{
	struct json_writer w;
	struct buf buf;

	buf_init(&buf, 1 << 16);
	json_write_begin(&w, &buf);
	json_object_begin(&w);
	text_write(text, &w);
	json_object_end(&w);
	CHECK(json_write_end(&w) == 0 && buf_append(&buf, "", 1) == 0);
	unit_check_string(__FILE__, line, (const char *)buf_bytes(&buf), want);
	buf_free(&buf);
}

TEST(text_counts_a_word_once_per_text)
{
	struct text t = {0};

	put(&t, "fast fast FAST delivery");
	put(&t, "fast");
	put(&t, "caf\xc3\xa9");
	check_text(__LINE__, &t,
	    "{\"topKeywords\":[{\"keyword\":\"fast\",\"count\":2},{\"keyword\":\"caf\xc3\xa9\","
	    "\"count\":1},"
	    "{\"keyword\":\"delivery\",\"count\":1}]}");
	CHECK(drop(&t, "fast fast FAST delivery"));
	check_text(__LINE__, &t,
	    "{\"topKeywords\":[{\"keyword\":\"caf\xc3\xa9\",\"count\":1},{\"keyword\":\"fast\","
	    "\"count\":1}]}");
	CHECK(drop(&t, "fast") && drop(&t, "caf\xc3\xa9"));
	CHECK_INT(t.tally.count, 0);
	CHECK(!drop(&t, "never"));
	text_free(&t);
	check_text(__LINE__, NULL, "{\"topKeywords\":[]}");
}

TEST(text_shows_ten)
{
	struct text t = {0};
	char word[16];

	for (int i = 0; i < 26; i++) {
		snprintf(word, sizeof(word), "word%c", 'a' + i);
		for (int n = 0; n <= i % 13; n++)
			put(&t, word);
	}
	check_text(__LINE__, &t,
	    "{\"topKeywords\":[{\"keyword\":\"wordm\",\"count\":13},{\"keyword\":\"wordz\","
	    "\"count\":13},"
	    "{\"keyword\":\"wordl\",\"count\":12},{\"keyword\":\"wordy\",\"count\":12},"
	    "{\"keyword\":\"wordk\",\"count\":11},{\"keyword\":\"wordx\",\"count\":11},"
	    "{\"keyword\":\"wordj\",\"count\":10},{\"keyword\":\"wordw\",\"count\":10},"
	    "{\"keyword\":\"wordi\",\"count\":9},{\"keyword\":\"wordv\",\"count\":9}]}");
	text_free(&t);
}

TEST(text_exact_up_to_2048_words)
{
	struct text t = {0};
	char word[16];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < KEYWORDS_MAX; i++) {
			snprintf(word, sizeof(word), "word%d", i);
			put(&t, word);
		}
	}
	CHECK_INT(t.floor, 0);
	for (uint32_t i = 0; i < t.tally.size; i++)
		CHECK(tally_count(&t.tally, i) == 0 || tally_count(&t.tally, i) == 3);
	CHECK_INT(t.tally.count, KEYWORDS_MAX);
	/* One goes entirely, another takes its place: still exact. */
	for (int round = 0; round < 3; round++)
		CHECK(drop(&t, "word77"));
	put(&t, "newcomer");
	CHECK_INT(t.floor, 0);
	CHECK_INT(t.tally.count, KEYWORDS_MAX);
	put(&t, "another");
	CHECK_INT(t.floor, 1);
	text_free(&t);
}

#define VOCABULARY 19998 /* a multiple of three */

/* Words by Zipf's law, far more than there are counters; texts go again, too. */
TEST(text_error_is_bounded)
{
	struct dice dice = dice_new();
	uint64_t *truth = mem_zalloc(VOCABULARY * sizeof(*truth));
	char(*texts)[64] = mem_zalloc(100000 * sizeof(*texts));
	unsigned(*words)[3] = mem_zalloc(100000 * sizeof(*words));
	size_t count = 0;
	struct text t = {0};

	for (int step = 0; step < 150000; step++) {
		if (count == 100000 || (count > 0 && dice_roll(&dice, 4) == 0)) {
			size_t gone = dice_roll(&dice, (unsigned)count--);
			bool known = drop(&t, texts[gone]);

			CHECK(known);
			for (int i = 0; i < 3; i++)
				truth[words[gone][i]]--;
			memcpy(texts[gone], texts[count], sizeof(texts[0]));
			memcpy(words[gone], words[count], sizeof(words[0]));
			continue;
		}
		for (int i = 0; i < 3; i++) {
			double u = (double)(dice_next(&dice) >> 11) * 0x1p-53;
			unsigned word = (unsigned)(exp(u * log(VOCABULARY))) - 1;

			/* Three different ones: each of another residue. */
			words[count][i] = word % VOCABULARY / 3 * 3 + (unsigned)i;
			truth[words[count][i]]++;
		}
		snprintf(texts[count], sizeof(texts[0]), "word%u word%u word%u", words[count][0],
		    words[count][1], words[count][2]);
		put(&t, texts[count++]);
	}
	CHECK(t.floor > 0 && t.floor <= t.added / KEYWORDS_MAX);
	for (unsigned n = 0; n < VOCABULARY; n++) {
		char word[16];
		int length = snprintf(word, sizeof(word), "word%u", n);
		uint32_t hash = lexicon_hash(word, (size_t)length);
		uint32_t id = lexicon_find(word, (size_t)length, hash);
		int found = tally_find(&t.tally, id);

		if (found < 0) {
			CHECK(truth[n] <= t.floor);
			continue;
		}
		uint64_t told = tally_count(&t.tally, (uint32_t)found);
		CHECK(told >= truth[n] && told <= truth[n] + t.floor);
	}
	/* With half of it gone it asks to be done anew. */
	bool asked = false;
	while (count > 0 && !asked)
		asked = !drop(&t, texts[--count]);
	CHECK(asked && t.removed > t.added / 2 && t.removed <= t.added / 2 + 3);
	text_free(&t);
	MEM_FREE(&truth);
	MEM_FREE(&texts);
	MEM_FREE(&words);
}

/* What comes out of a state is what went in, with as much memory as it needs. */
TEST(text_state_goes_back)
{
	struct text t = {0}, back = {0};
	struct buf once, twice;
	char words[64];

	for (int i = 0; i < 3000; i++) {
		snprintf(words, sizeof(words), "word%d word%d", i, i * i % 1000);
		put(&t, words);
	}
	CHECK(t.floor > 0);
	buf_init(&once, 1 << 16);
	buf_init(&twice, 1 << 16);
	text_encode(&t, &(struct encoder){.buf = &once});
	struct decoder d = {.at = buf_bytes(&once), .end = buf_bytes(&once) + buf_length(&once)};
	text_decode(&back, &d);
	CHECK(!d.failed && d.at == d.end);
	CHECK(back.floor == t.floor && back.added == t.added && back.removed == t.removed);
	CHECK_INT(back.tally.count, t.tally.count);
	CHECK_INT(text_memory(&back), text_memory(&t));
	size_t memory = lexicon_memory();
	text_free(&t);
	CHECK_INT(lexicon_memory(), memory);
	text_encode(&back, &(struct encoder){.buf = &twice});
	CHECK_BYTES(buf_bytes(&twice), buf_length(&twice), buf_bytes(&once), buf_length(&once));
	text_free(&back);
	CHECK_INT(lexicon_memory(), 0);
	buf_free(&once);
	buf_free(&twice);
}

static bool
refused(const char *bytes, size_t length)
{
	struct decoder d = {.at = (const uint8_t *)bytes, .end = (const uint8_t *)bytes + length};
	struct text t = {0};

	text_decode(&t, &d);
	bool failed = d.failed || d.at != d.end;
	text_free(&t);
	return failed;
}

#define REFUSED(bytes) refused(bytes, sizeof(bytes) - 1)

TEST(text_state_that_cannot_be_is_refused)
{
	/* floor, added, removed, number of words; of each its length, bytes, count, and 0 where
	 * floor is above 0 */
	CHECK(!REFUSED("\0\2\0\2\3abc\1\3abd\1"));
	CHECK(!REFUSED("\1\2\0\1\3abc\1\0"));
	CHECK(!REFUSED("\0\2\0\1\3abc\xff\xff\xff\xff\x3f")); /* TALLY_MAX_COUNT */
	CHECK(REFUSED("\0\2\0\2\3abc\1\3abc\1")); /* a word twice */
	CHECK(REFUSED("\0\2\0\1\0\1")); /* of no bytes */
	CHECK(REFUSED("\0\2\0\1\3abc\0")); /* that never occurred */
	CHECK(REFUSED("\1\2\0\1\3abc\1\2")); /* over-counted by more than its count */
	CHECK(REFUSED("\0\2\0\1\3abc\x80\x80\x80\x80\x40")); /* or more often than that */
	CHECK(REFUSED("\xff\xff\xff\xff\x3f\2\0\0")); /* nor may the next one start there */
	CHECK(REFUSED("\0\2\0\x81\x10")); /* more than KEYWORDS_MAX */
	CHECK(REFUSED("\0\2\0\x80\x10\3abc\1")); /* fewer than it says */
	CHECK_INT(lexicon_memory(), 0);
}

/* Every word new: the search of the smallest must not go round for each. */
TEST(text_of_ever_new_words)
{
	struct text t = {0};
	char words[64];

	for (int i = 0; i < 300000; i++) {
		snprintf(words, sizeof(words), "new%da new%db", i, i);
		put(&t, words);
	}
	CHECK_INT(t.tally.count, KEYWORDS_MAX);
	CHECK(t.floor <= t.added / KEYWORDS_MAX);
	CHECK(text_memory(&t) < 256 * 1024);
	text_free(&t);
}
