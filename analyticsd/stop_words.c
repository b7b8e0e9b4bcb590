/* SPDX-License-Identifier: MIT */
#include "analyticsd/stop_words.h"

#include <string.h>

#include "analyticsd/bag.h"
#include "analyticsd/lexicon.h"
#include "lib/base.h"

/* Words of under three letters are never counted, so none stands here. */
static const char *const table[] = {
    "about",
    "above",
    "after",
    "again",
    "against",
    "ain't",
    "all",
    "also",
    "and",
    "any",
    "are",
    "aren't",
    "because",
    "been",
    "before",
    "being",
    "below",
    "between",
    "both",
    "but",
    "can",
    "can't",
    "cannot",
    "could",
    "couldn't",
    "did",
    "didn't",
    "does",
    "doesn't",
    "doing",
    "don't",
    "down",
    "during",
    "each",
    "few",
    "for",
    "from",
    "further",
    "had",
    "hadn't",
    "has",
    "hasn't",
    "have",
    "haven't",
    "having",
    "he'd",
    "he'll",
    "he's",
    "her",
    "here",
    "here's",
    "hers",
    "herself",
    "him",
    "himself",
    "his",
    "how",
    "how's",
    "i'll",
    "i've",
    "into",
    "isn't",
    "it'd",
    "it'll",
    "it's",
    "its",
    "itself",
    "just",
    "let's",
    "might",
    "mightn't",
    "more",
    "most",
    "must",
    "mustn't",
    "myself",
    "needn't",
    "nor",
    "not",
    "now",
    "off",
    "once",
    "only",
    "other",
    "our",
    "ours",
    "ourselves",
    "out",
    "over",
    "own",
    "same",
    "shan't",
    "she",
    "she'd",
    "she'll",
    "she's",
    "should",
    "should've",
    "shouldn't",
    "some",
    "such",
    "than",
    "that",
    "that'd",
    "that'll",
    "that's",
    "the",
    "their",
    "theirs",
    "them",
    "themselves",
    "then",
    "there",
    "there's",
    "these",
    "they",
    "they'd",
    "they'll",
    "they're",
    "they've",
    "this",
    "those",
    "through",
    "too",
    "under",
    "until",
    "very",
    "was",
    "wasn't",
    "we'd",
    "we'll",
    "we're",
    "we've",
    "were",
    "weren't",
    "what",
    "what's",
    "when",
    "when's",
    "where",
    "where's",
    "which",
    "while",
    "who",
    "who's",
    "whom",
    "whose",
    "why",
    "why's",
    "will",
    "with",
    "won't",
    "would",
    "wouldn't",
    "you",
    "you'd",
    "you'll",
    "you're",
    "you've",
    "your",
    "yours",
    "yourself",
    "yourselves",
};

/* For each its bit: nearly all other words are told by theirs, which is 0. */
static uint64_t marks[64];

static uint64_t *
mark_at(uint32_t hash)
{
	return &marks[hash / 64 % ARRAY_SIZE(marks)];
}

static uint64_t
mark_bit(uint32_t hash)
{
	return UINT64_C(1) << hash % 64;
}

static void
add_all(struct bag *words)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		size_t length = strlen(table[i]);
		uint32_t hash = lexicon_hash(table[i], length);

		bag_insert(words, table[i], length, hash);
		*mark_at(hash) |= mark_bit(hash);
	}
}

bool
stop_word(const char *word, size_t length, uint32_t hash)
{
	static struct bag words;

	if (words.count == 0)
		add_all(&words);
	return (*mark_at(hash) & mark_bit(hash)) != 0 && bag_find(&words, word, length, hash) >= 0;
}
