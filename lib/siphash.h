/* SPDX-License-Identifier: MIT */
/* siphash: SipHash-2-4 (Aumasson and Bernstein, 2012): a hash of which nobody without the key can
 * choose the collisions. Pure, but for making keys. */
#ifndef LIB_SIPHASH_H
#define LIB_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* The key is 16 random bytes, the same as long as the table lives. */
struct siphash_key {
	uint64_t low, high;
};

/* A random one; dies (111) where the kernel has none. */
struct siphash_key siphash_make_key(void);

uint64_t siphash_bytes(const struct siphash_key *key, const void *bytes, size_t length);
/* Of the number's 8 bytes, little-endian. */
uint64_t siphash_number(const struct siphash_key *key, uint64_t number);

#endif
