/* SPDX-License-Identifier: MIT */
/* words: the distinct words of a text, folded so that spellings of one word meet.
 *
 * A word is a maximal run of letters, marks and decimal digits (Unicode categories L*, M*, Nd),
 * with apostrophes (' and U+2019, written ') inside it between letters. It is folded (Unicode
 * full case folding, then NFC) and kept when it then has a letter, WORD_MIN_LETTERS letters and
 * digits or more, at most WORD_MAX_BYTES bytes, and is no stop word. Bytes that are no UTF-8
 * read as U+FFFD, which parts words.
 */
#ifndef ANALYTICSD_WORDS_H
#define ANALYTICSD_WORDS_H

#include <stddef.h>
#include <stdint.h>

#define WORD_MIN_LETTERS 3
#define WORD_MAX_BYTES 64

struct word {
	const char *bytes;
	uint32_t length;
	uint32_t hash; /* lexicon_hash() of it */
};

/* At most RESPONSE_MAX_TEXT bytes of text. The words, each once, in the order of their first
 * appearance; they live until the next call. */
size_t words_of(const char *text, size_t length, const struct word **words);

#endif
