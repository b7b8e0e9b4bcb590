/* SPDX-License-Identifier: MIT */
/* stop_words: English words too common to tell anything (docs/counting.md lists them). */
#ifndef ANALYTICSD_STOP_WORDS_H
#define ANALYTICSD_STOP_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `word` is folded, its apostrophes are '; `hash` is its lexicon_hash(). */
bool stop_word(const char *word, size_t length, uint32_t hash);

#endif
