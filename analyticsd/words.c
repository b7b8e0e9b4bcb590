/* SPDX-License-Identifier: MIT */
#include "analyticsd/words.h"

#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

#include "analyticsd/lexicon.h"
#include "analyticsd/response.h"
#include "analyticsd/stop_words.h"
#include "lib/base.h"

/* Case folding and composing make a word at most three times shorter: a run longer than that
 * cannot fold to WORD_MAX_BYTES. One code point folds to at most 18 (Unicode, UAX #15 and
 * CaseFolding.txt). */
#define RUN_MAX_BYTES (3 * WORD_MAX_BYTES + 64)
#define RUN_MAX_POINTS (18 * RUN_MAX_BYTES)
/* The shortest word with what parts it from the next takes four bytes. */
#define MAX_WORDS (RESPONSE_MAX_TEXT / (WORD_MIN_LETTERS + 1) + 1)
#define RIGHT_QUOTE 0x2019

enum point_class { CLASS_OTHER, CLASS_LETTER, CLASS_MARK, CLASS_DIGIT, CLASS_APOSTROPHE };

static const uint8_t ascii_class[128] = {
    ['0' ... '9'] = CLASS_DIGIT,
    ['A' ... 'Z'] = CLASS_LETTER,
    ['a' ... 'z'] = CLASS_LETTER,
    ['\''] = CLASS_APOSTROPHE,
};

/* One text is in work at a time; the storage is lent to the caller until the next one. */
static struct word kept[MAX_WORDS];
static char folded[3 * RESPONSE_MAX_TEXT + WORD_MAX_BYTES];
static uint16_t slots[1 << 15]; /* 1 + index into kept[] */
static size_t word_count, folded_length, slot_count;

static enum point_class
classify(int32_t point)
{
	if (point == '\'' || point == RIGHT_QUOTE)
		return CLASS_APOSTROPHE;
	switch (utf8proc_category(point)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
		return CLASS_LETTER;
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ME:
		return CLASS_MARK;
	case UTF8PROC_CATEGORY_ND:
		return CLASS_DIGIT;
	default:
		return CLASS_OTHER;
	}
}

/* The class of the character at `at`, and where the next one is. */
static inline enum point_class
next_class(const char *at, const char *end, const char **next)
{
	unsigned char byte = (unsigned char)*at;
	int32_t point;

	if (byte < 0x80) {
		*next = at + 1;
		return (enum point_class)ascii_class[byte];
	}
	utf8proc_ssize_t used = utf8proc_iterate((const uint8_t *)at, end - at, &point);
	*next = at + (used > 0 ? used : 1);
	return used > 0 ? classify(point) : CLASS_OTHER;
}

/* The end of the run that begins at `at`, which is part of a word. */
static const char *
run_end(const char *at, const char *end, bool *ascii)
{
	enum point_class before = CLASS_OTHER;
	const char *next;

	*ascii = true;
	for (; at < end; at = next) {
		enum point_class class = next_class(at, end, &next);

		if (class == CLASS_OTHER)
			break;
		if (class == CLASS_APOSTROPHE) {
			const char *behind;

			if (before != CLASS_LETTER && before != CLASS_MARK)
				break;
			if (next == end || next_class(next, end, &behind) != CLASS_LETTER)
				break;
		}
		if (next - at > 1)
			*ascii = false;
		before = class;
	}
	return at;
}

/* So "3rd" is a word, and "42nd", while "2026" is a number. */
static bool
is_long_enough(size_t letters, size_t digits)
{
	return letters > 0 && letters + digits >= WORD_MIN_LETTERS;
}

/* Folds into folded[]; the length, or 0 when it is no word to keep. */
static size_t
fold_ascii(const char *run, size_t length)
{
	char *out = folded + folded_length;
	size_t letters = 0, digits = 0;

	if (length > WORD_MAX_BYTES)
		return 0;
	for (size_t i = 0; i < length; i++) {
		enum point_class class = (enum point_class)ascii_class[(unsigned char)run[i]];

		letters += class == CLASS_LETTER;
		digits += class == CLASS_DIGIT;
		out[i] = (char)(run[i] | (class == CLASS_LETTER ? 'a' - 'A' : 0));
	}
	return is_long_enough(letters, digits) ? length : 0;
}

static size_t
fold_unicode(const char *run, size_t length)
{
	static int32_t points[RUN_MAX_POINTS];
	const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD;
	char *out = folded + folded_length;
	size_t used = 0, letters = 0, digits = 0;

	if (length > RUN_MAX_BYTES)
		return 0;
	utf8proc_ssize_t count = utf8proc_decompose(
	    (const uint8_t *)run, (utf8proc_ssize_t)length, points, RUN_MAX_POINTS, options);
	if (count <= 0 || count > RUN_MAX_POINTS)
		return 0;
	count = utf8proc_normalize_utf32(points, count, options);
	for (utf8proc_ssize_t i = 0; i < count; i++) {
		uint8_t bytes[4];

		enum point_class class = classify(points[i]);

		letters += class == CLASS_LETTER;
		digits += class == CLASS_DIGIT;
		if (points[i] == RIGHT_QUOTE)
			points[i] = '\'';
		size_t size = (size_t)utf8proc_encode_char(points[i], bytes);
		if (used + size > WORD_MAX_BYTES)
			return 0;
		memcpy(out + used, bytes, size);
		used += size;
	}
	return is_long_enough(letters, digits) ? used : 0;
}

/* Takes the `length` bytes behind folded[] as a word, unless it is there already. */
static void
take_word(size_t length)
{
	const char *bytes = folded + folded_length;
	uint32_t hash = lexicon_hash(bytes, length);
	size_t slot = hash & (slot_count - 1);

	for (; slots[slot] != 0; slot = (slot + 1) & (slot_count - 1)) {
		const struct word *word = &kept[slots[slot] - 1];

		if (word->hash == hash && word->length == length &&
		    memcmp(word->bytes, bytes, length) == 0)
			return;
	}
	if (word_count == MAX_WORDS || stop_word(bytes, length, hash))
		return;
	kept[word_count] = (struct word){bytes, (uint32_t)length, hash};
	slots[slot] = (uint16_t)++word_count;
	folded_length += length;
}

size_t
words_of(const char *text, size_t length, const struct word **words)
{
	const char *end = text + MIN(length, RESPONSE_MAX_TEXT), *next;

	word_count = folded_length = 0;
	slot_count = 64;
	while (slot_count < ARRAY_SIZE(slots) && slot_count < length / 2)
		slot_count *= 2;
	memset(slots, 0, slot_count * sizeof(slots[0]));
	for (const char *at = text; at < end; at = next) {
		enum point_class class = next_class(at, end, &next);
		bool ascii;

		if (class == CLASS_OTHER || class == CLASS_APOSTROPHE)
			continue;
		next = run_end(at, end, &ascii);
		size_t run = (size_t)(next - at);
		size_t size = ascii ? fold_ascii(at, run) : fold_unicode(at, run);
		if (size > 0)
			take_word(size);
	}
	*words = kept;
	return word_count;
}
