/* SPDX-License-Identifier: MIT */
/* clock: what time it is, replaceable in tests. Pure code takes times as
 * arguments; only the outermost layer asks here. */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"

uint64_t clock_monotonic_ns(void);
uint64_t clock_monotonic_ms(void);
/* Milliseconds since 1970-01-01T00:00:00Z, as BSON's date. */
int64_t clock_wall_ms(void);

/* From now on the wall clock stands at `ms` (tests); negative undoes it. The
 * environment variable DUNE_TEST_WALL_OFFSET_MS, if set, is added to the real one. */
void clock_set_wall(int64_t ms);

/* RFC 3339, UTC, milliseconds: "2026-03-01T09:30:00.123Z". Years outside
 * 0000..9999 are clamped. `out` always ends in NUL. */
#define CLOCK_RFC3339_SIZE 25
void clock_rfc3339(int64_t wall_ms, char out[static CLOCK_RFC3339_SIZE]);
/* The reverse, of exactly this form. -1: `text` is not that. */
MUST_CHECK int clock_parse_rfc3339(const char *text, size_t length, int64_t *wall_ms);

#endif
