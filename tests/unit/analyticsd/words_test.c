/* SPDX-License-Identifier: MIT */
#include "analyticsd/words.h"

#include <stdio.h>
#include <string.h>

#include "analyticsd/lexicon.h"
#include "analyticsd/response.h"
#include "analyticsd/stop_words.h"
#include "lib/mem.h"
#include "tests/unit/unit.h"

/* The words of `text`, parted by '|'. */
static void
check_words_n(const char *file, int line, const char *text, size_t length, const char *want)
{
	const struct word *words;
	size_t count = words_of(text, length, &words);
	char got[4096] = "";
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		used += (size_t)snprintf(got + used, sizeof(got) - used, "%s%.*s", i > 0 ? "|" : "",
		    (int)words[i].length, words[i].bytes);
	}
	unit_check_string(file, line, got, want);
}

/* `bytes` without its NUL, again and again as often as it fits. */
static void
fill(char *text, size_t length, const char *bytes)
{
	size_t size = strlen(bytes);

	for (size_t i = 0; i < length / size * size; i++)
		text[i] = bytes[i % size];
}

#define CHECK_WORDS(text, want) check_words_n(__FILE__, __LINE__, text, strlen(text), want)
#define CHECK_WORDS_OF(literal, want) \
	check_words_n(__FILE__, __LINE__, literal, sizeof(literal) - 1, want)

TEST(words_plain)
{
	CHECK_WORDS("", "");
	CHECK_WORDS("Quick quick QUICK slow", "quick|slow");
	CHECK_WORDS("well-known snake_case 3rd 4ever", "well|known|snake|case|3rd|4ever");
	CHECK_WORDS("ok no a1 a1b2 w07 2026 abc", "a1b2|w07|abc");
	CHECK_WORDS("the and THIS Should've", "");
	CHECK_WORDS_OF("one\0two", "one|two");
}

TEST(words_apostrophes)
{
	CHECK_WORDS("don't Don\xe2\x80\x99t", "");
	CHECK_WORDS("O\xe2\x80\x99"
		    "Brien's o'brien's",
	    "o'brien's");
	CHECK_WORDS("'quoted' ''twice'' dogs' rock'n'roll", "quoted|twice|dogs|rock'n'roll");
	CHECK_WORDS("70's abc'1", "abc");
	CHECK_WORDS("caf\xc3\xa9's", "caf\xc3\xa9's");
	CHECK_WORDS("cafe\xcc\x81's", "caf\xc3\xa9's");
}

TEST(words_fold)
{
	CHECK_WORDS("Stra\xc3\x9f"
		    "e STRASSE stra\xe1\xba\x9e"
		    "e",
	    "strasse");
	/* Capital I with a dot folds to i and a combining dot. */
	CHECK_WORDS("\xc4\xb0stanbul", "i\xcc\x87stanbul");
	CHECK_WORDS("\xce\xa3\xce\x8a\xce\xa3\xce\xa5\xce\xa6\xce\x9f\xce\xa3 "
		    "\xcf\x83\xce\xaf\xcf\x83\xcf\x85\xcf\x86\xce\xbf\xcf\x82",
	    "\xcf\x83\xce\xaf\xcf\x83\xcf\x85\xcf\x86\xce\xbf\xcf\x83");
	/* Marks compose, in whatever order they stand. */
	CHECK_WORDS("Na\xc3\xaf"
		    "f nai\xcc\x88"
		    "f",
	    "na\xc3\xaf"
	    "f");
	CHECK_WORDS("a\xcc\xa3\xcc\x82"
		    "bc a\xcc\x82\xcc\xa3"
		    "bc",
	    "\xe1\xba\xad"
	    "bc");
	/* Two letters after folding are three: the ligature fi, and ss. */
	CHECK_WORDS("\xef\xac\x81n a\xc3\x9f", "fin|ass");
	CHECK_WORDS("\xe2\x84\xaa"
		    "elvin",
	    "kelvin");
}

TEST(words_other_scripts)
{
	CHECK_WORDS("\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82, \xd0\xbc\xd0\xb8\xd1\x80!",
	    "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82|\xd0\xbc\xd0\xb8\xd1\x80");
	/* Hindi: letters with marks between; Arabic-Indic digits alone are no word. */
	CHECK_WORDS("\xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80",
	    "\xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80");
	CHECK_WORDS("\xd9\xa1\xd9\xa2\xd9\xa3", "");
	CHECK_WORDS("\xd0\xb9\xd9\xa1 \xd0\xb9\xd9\xa1\xd9\xa2", "\xd0\xb9\xd9\xa1\xd9\xa2");
	CHECK_WORDS("\xf0\x9f\x98\x80great\xf0\x9f\x98\x80", "great");
}

TEST(words_broken_utf8)
{
	CHECK_WORDS("good\xff"
		    "bad",
	    "good|bad");
	CHECK_WORDS("good\xc3", "good");
	CHECK_WORDS("\xed\xa0\x80surrogate", "surrogate");
	CHECK_WORDS("over\xc0\xaflong", "long");
}

TEST(words_length)
{
	char text[65], wide[200];
	const struct word *words;

	memset(text, 'a', sizeof(text));
	CHECK_INT(words_of(text, 64, &words), 1);
	CHECK_INT(words[0].length, 64);
	CHECK_INT(words_of(text, 65, &words), 0);
	/* 32 times e and an acute: 96 bytes as they stand, 64 composed. */
	fill(wide, 99, "e\xcc\x81");
	CHECK_INT(words_of(wide, 96, &words), 1);
	CHECK_INT(words[0].length, 64);
	CHECK_INT(words_of(wide, 99, &words), 0);
}

TEST(words_of_the_longest_text)
{
	char *text = mem_alloc(RESPONSE_MAX_TEXT);
	const struct word *words;

	/* All words of three letters, each with one separator. */
	for (size_t i = 0; i < RESPONSE_MAX_TEXT / 4; i++) {
		size_t n = i;

		for (int j = 0; j < 3; j++, n /= 26)
			text[4 * i + (size_t)j] = (char)('a' + n % 26);
		text[4 * i + 3] = ' ';
	}
	size_t count = words_of(text, RESPONSE_MAX_TEXT, &words);
	CHECK(count > 16200 && count <= 16384);
	/* Marks without end, and letters of which each becomes three. */
	fill(text, RESPONSE_MAX_TEXT, "\xcc\x81");
	CHECK_INT(words_of(text, RESPONSE_MAX_TEXT, &words), 0);
	fill(text, RESPONSE_MAX_TEXT, "\xef\xac\x83 ");
	CHECK_INT(words_of(text, RESPONSE_MAX_TEXT, &words), 1);
	CHECK_BYTES(words[0].bytes, words[0].length, "ffi", 3);
	MEM_FREE(&text);
}

static bool
stops(const char *word)
{
	return stop_word(word, strlen(word), lexicon_hash(word, strlen(word)));
}

TEST(stop_words_are_found)
{
	CHECK(stops("the"));
	CHECK(stops("ain't"));
	CHECK(stops("you've"));
	CHECK(stops("yourselves"));
	CHECK(!stops("th"));
	CHECK(!stops("them!"));
	CHECK(!stops("quality"));
	CHECK(!stops("yourselvesx"));
	CHECK(!stops(""));
}
