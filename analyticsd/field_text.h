/* SPDX-License-Identifier: MIT */
/* field_text: the commonest words of a field's texts.
 *
 * Up to KEYWORDS_MAX distinct words are counted exactly, and taken back exactly. A word that
 * finds the table full takes the place of one with the smallest count (SpaceSaving: Metwally,
 * Agrawal, El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data Streams",
 * ICDT 2005). `floor` is the largest count that was ever thrown out; a newcomer starts at floor
 * + 1 and may be over-counted by floor. So from then on, whatever is added or taken away:
 *     a word in the table:      count - floor <= its true count <= count
 *     a word that is not in it: its true count <= floor
 * and floor <= words added / KEYWORDS_MAX (counting each once per response). Once half of the
 * words added have been taken away again, text_remove() asks for a rebuild, so that the bound
 * is never over twice that of the words that are there. */
#ifndef ANALYTICSD_FIELD_TEXT_H
#define ANALYTICSD_FIELD_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "analyticsd/codec.h"
#include "analyticsd/tally.h"
#include "lib/base.h"
#include "lib/json_write.h"

#define KEYWORDS_MAX TALLY_MAX
#define KEYWORDS_SHOWN 10

/* No count is below `least`. All zero is empty. */
struct text {
	struct tally tally;
	uint64_t floor;
	uint64_t added, removed; /* words */
	uint64_t least; /* for the search of the smallest */
	uint32_t cursor; /* the slot where that search goes on */
};

void text_free(struct text *text);
void text_add(struct text *text, const char *bytes, size_t length);
/* False: rebuild. */
MUST_CHECK bool text_remove(struct text *text, const char *bytes, size_t length);

/* Members "topKeywords" and, out of the exact range, "keywordsExact": false and
 * "keywordsError" (the floor above) of the open object. NULL is an empty one. */
void text_write(const struct text *text, struct json_writer *w);

/* But for the words themselves, which are the lexicon's. */
size_t text_memory(const struct text *text);
void text_encode(const struct text *text, struct encoder *e);
void text_decode(struct text *text, struct decoder *d);

#endif
