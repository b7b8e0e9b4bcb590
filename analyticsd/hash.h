/* SPDX-License-Identifier: MIT */
/* hash: a quick hash of bytes for tables in memory and as a checksum against
 * decay: multiply 64 x 64 bits and fold the halves (as Wang Yi's wyhash does). Not for secrets; the
 * tables that use it are bounded, so that collisions on purpose cost little. */
#ifndef ANALYTICSD_HASH_H
#define ANALYTICSD_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_FACTOR UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio, odd */
#define HASH_START UINT64_C(0xa0761d6478bd642f)

static inline uint64_t
hash_fold(uint64_t value)
{
	unsigned __int128 product = (unsigned __int128)value * HASH_FACTOR;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t
hash_bytes64(const void *data, size_t length)
{
	const uint8_t *at = data;
	uint64_t hash = HASH_START ^ length, word;

	for (; length >= sizeof(word); at += sizeof(word), length -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		hash = hash_fold(hash ^ word) + HASH_START;
	}
	word = 0;
	if (length > 0)
		memcpy(&word, at, length);
	return hash_fold(hash ^ word);
}

static inline uint32_t
hash_bytes(const void *data, size_t length)
{
	uint64_t hash = hash_bytes64(data, length);
	return (uint32_t)(hash ^ hash >> 32);
}

#endif
