/* SPDX-License-Identifier: MIT */
/* batch_words: the few names, options and words of which the random forms are made. */
#ifndef TESTS_UNIT_ANALYTICSD_BATCH_WORDS_H
#define TESTS_UNIT_ANALYTICSD_BATCH_WORDS_H

#include <stddef.h>

#include "tests/unit/analyticsd/batch.h"

#define BATCH_FIELD_NAMES 10
#define BATCH_OPTIONS 10 /* and one more, BATCH_OVERSIZE: 201 bytes of 'o' */
#define BATCH_OVERSIZE BATCH_OPTIONS
#define BATCH_WORDS 22
#define BATCH_TEXT_SIZE 256

extern const char *const batch_types[4];
extern const char *const batch_fields[BATCH_FIELD_NAMES];
/* What is written, and the keyword that it counts as (NULL: none). */
struct batch_word {
	const char *raw, *keyword;
};
extern const struct batch_word batch_words[BATCH_WORDS];

/* In the order of their bytes, as they are to be shown. */
const char *batch_option(unsigned option);
/* The text that the words of a BATCH_TEXT make. */
void batch_text(const struct batch_answer *answer, char out[static BATCH_TEXT_SIZE]);

#endif
