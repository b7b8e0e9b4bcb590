/* SPDX-License-Identifier: MIT */
#include "lib/table.h"

#include <stdbool.h>

#include "lib/siphash.h"

unsigned
table_hash(const void *key, size_t length)
{
	static struct siphash_key secret;
	static bool made;

	if (!made) {
		secret = siphash_make_key();
		made = true;
	}
	return (unsigned)siphash_bytes(&secret, key, length);
}
