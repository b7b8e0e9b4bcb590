/* SPDX-License-Identifier: MIT */
/* siphash: SipHash-2-4 (Aumasson and Bernstein, 2012) of one 64-bit number: a hash of which
 * nobody without the key can choose the collisions. Pure. */
#ifndef WSFAND_SIPHASH_H
#define WSFAND_SIPHASH_H

#include <stdint.h>

/* The key is 16 random bytes, the same as long as the table lives. */
struct siphash_key {
	uint64_t low, high;
};

/* As SipHash-2-4 of the number's 8 bytes, little-endian. */
uint64_t siphash_number(const struct siphash_key *key, uint64_t number);

#endif
