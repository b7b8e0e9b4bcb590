/* SPDX-License-Identifier: MIT */
/* table: uthash with the house's allocation (out of memory dies with 111). */
#ifndef STATSD_TABLE_H
#define STATSD_TABLE_H

#include "lib/mem.h"

#define uthash_malloc(size) mem_alloc(size)
#include <uthash.h>

#endif
