/* SPDX-License-Identifier: MIT */
/* table: uthash with the house's allocation (out of memory dies with 111), and with a hash that is
 * keyed anew in each process. Ids of forms come from whoever connects: with a hash that everybody
 * knows, some hundred chosen ones make a table stop growing for good. */
#ifndef LIB_TABLE_H
#define LIB_TABLE_H

#include <stddef.h>

#include "lib/mem.h"

#ifdef UTHASH_H
#error "lib/table.h must come before uthash.h: one table, one hash"
#endif
#define uthash_malloc(size) mem_alloc(size)
#define HASH_FUNCTION(key, length, hash) ((hash) = table_hash(key, length))
#include <uthash.h>

unsigned table_hash(const void *key, size_t length);

#endif
