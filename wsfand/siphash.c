/* SPDX-License-Identifier: MIT */
#include "wsfand/siphash.h"

#define MESSAGE_BYTES 8

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

uint64_t
siphash_number(const struct siphash_key *key, uint64_t number)
{
	/* "somepseudorandomlygeneratedbytes" (section 2.1 of the paper). */
	struct state s = {
	    .v0 = key->low ^ UINT64_C(0x736f6d6570736575),
	    .v1 = key->high ^ UINT64_C(0x646f72616e646f6d),
	    .v2 = key->low ^ UINT64_C(0x6c7967656e657261),
	    .v3 = key->high ^ UINT64_C(0x7465646279746573),
	};

	take_word(&s, number);
	take_word(&s, (uint64_t)MESSAGE_BYTES << 56);
	s.v2 ^= 0xff;
	mix(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
