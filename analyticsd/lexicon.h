/* SPDX-License-Identifier: MIT */
/* lexicon: the words that are in use in this process, each once, however many forms it occurs in.
 *
 * A word has an id as long as somebody holds a reference to it; the texts of forms hold ids in the
 * place of words (analyticsd/tally.h). A word costs 16 to 72 bytes, and 11 to 22 in the table in
 * which it is found by its bytes.
 *
 * There is one, of the process, unlike everything else that form.h is made of: forms of different
 * owners shall share their words. That is harmless, since it cannot be told from what a form says:
 * an id stands for the same bytes as long as it is held, and ids are never shown or written. (What
 * they do decide is the order in which a text's words stand, and so which of several words of the
 * smallest count gives way in field_text.h, where any may.) For one thread. When nothing is held,
 * nothing is kept. */
#ifndef ANALYTICSD_LEXICON_H
#define ANALYTICSD_LEXICON_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "analyticsd/hash.h"
#include "analyticsd/slab.h"
#include "lib/siphash.h"

#define LEXICON_MAX_BYTES 64 /* of a word */
#define LEXICON_ID_BITS SLAB_NAME_BITS
#define LEXICON_NONE 0 /* no word's id */

/* Zero until it is made. */
extern struct siphash_key lexicon_key;
void lexicon_make_key(void);

static inline uint64_t
lexicon_read64(const char *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint32_t
lexicon_read32(const char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* The hash by which a word is found. As in hash.h, but keyed anew in each process: words come from
 * whoever answers a form, and with a hash that everybody knows chosen ones make a table slow for
 * everybody. What is not a multiple of eight bytes is read overlapping. */
static inline uint32_t
lexicon_hash(const char *bytes, size_t length)
{
	if (lexicon_key.low == 0)
		lexicon_make_key();
	uint64_t hash = lexicon_key.low ^ length, last = 0;

	if (length > sizeof(last)) {
		size_t at = 0;
		for (; length - at > sizeof(last); at += sizeof(last))
			hash = hash_fold(hash ^ lexicon_read64(bytes + at)) + HASH_START;
		last = lexicon_read64(bytes + length - sizeof(last));
	} else if (length >= sizeof(uint32_t)) {
		uint64_t high = lexicon_read32(bytes + length - sizeof(uint32_t));
		last = high << 32 | lexicon_read32(bytes);
	} else if (length > 0) {
		last = (uint64_t)(uint8_t)bytes[0] << 16 |
		    (uint64_t)(uint8_t)bytes[length / 2] << 8 | (uint8_t)bytes[length - 1];
	}
	return (uint32_t)(hash_fold(hash_fold(hash ^ last) ^ lexicon_key.high) >> 32);
}

/* The id of a word (1 to LEXICON_MAX_BYTES bytes, and their hash), which it is given if it has
 * none, and one more reference to it. */
uint32_t lexicon_take(const char *bytes, size_t length, uint32_t hash);
/* Its id, but no reference; LEXICON_NONE: nobody holds it. */
uint32_t lexicon_find(const char *bytes, size_t length, uint32_t hash);
void lexicon_release(uint32_t id);
/* The bytes of a word that is held; they stay where they are until it is not. */
const char *lexicon_bytes(uint32_t id, size_t *length);

size_t lexicon_count(void);
size_t lexicon_memory(void);

#endif
