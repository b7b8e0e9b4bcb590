/* SPDX-License-Identifier: MIT */
/* gcra: a token bucket kept as the time at which it will be full again (the generic cell rate
 * algorithm, ITU-T I.371, annex A: the "theoretical arrival time"), so a full one is the same as
 * none. Pure. */
#ifndef WSFAND_GCRA_H
#define WSFAND_GCRA_H

#include <stdint.h>

#define GCRA_NS_PER_SECOND UINT64_C(1000000000)

struct gcra {
	uint64_t interval_ns; /* in which a token comes back; 0: no limit */
	uint64_t burst_ns; /* how far the time may lie ahead for a token to be left */
};

/* `rate`: tokens per second; `burst`: at once. Either 0: no limit. */
struct gcra gcra_make(uint32_t rate, uint32_t burst);

/* 0: a token is taken. Else nothing was taken, and so many seconds (at least 1) have to pass.
 * *full_ns: the bucket; 0 for a full one. `now_ns`: of a clock that never goes back. */
uint32_t gcra_take(const struct gcra *gcra, uint64_t *full_ns, uint64_t now_ns);

#endif
