/* SPDX-License-Identifier: MIT */
#include "lib/siphash.h"

#include <sys/random.h>

#include "lib/die.h"

#define WORD 8

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t
rotate(uint64_t value, int bits)
{
	return value << bits | value >> (64 - bits);
}

static inline void
mix(struct state *s, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 = rotate(s->v2, 32);
	}
}

static inline void
take_word(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	mix(s, 2);
	s->v0 ^= word;
}

/* "somepseudorandomlygeneratedbytes" (section 2.1 of the paper). */
static struct state
start(const struct siphash_key *key)
{
	return (struct state){
	    .v0 = key->low ^ UINT64_C(0x736f6d6570736575),
	    .v1 = key->high ^ UINT64_C(0x646f72616e646f6d),
	    .v2 = key->low ^ UINT64_C(0x6c7967656e657261),
	    .v3 = key->high ^ UINT64_C(0x7465646279746573),
	};
}

/* The last word has what is left of the bytes, fewer than 8, and on top the length of all. */
static uint64_t
finish(struct state *s, uint64_t rest, size_t length)
{
	take_word(s, rest | (uint64_t)length << 56);
	s->v2 ^= 0xff;
	mix(s, 4);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline uint64_t
read_little_endian(const uint8_t *bytes, size_t count)
{
	uint64_t word = 0;

	for (size_t i = 0; i < count; i++)
		word |= (uint64_t)bytes[i] << 8 * i;
	return word;
}

struct siphash_key
siphash_make_key(void)
{
	struct siphash_key key;

	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		die_system("unable to get random bytes");
	return key;
}

uint64_t
siphash_bytes(const struct siphash_key *key, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	struct state s = start(key);
	size_t left = length;

	for (; left >= WORD; left -= WORD, at += WORD)
		take_word(&s, read_little_endian(at, WORD));
	return finish(&s, read_little_endian(at, left), length);
}

uint64_t
siphash_number(const struct siphash_key *key, uint64_t number)
{
	struct state s = start(key);

	take_word(&s, number);
	return finish(&s, 0, sizeof(number));
}
