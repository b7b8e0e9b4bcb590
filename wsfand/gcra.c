/* SPDX-License-Identifier: MIT */
#include "wsfand/gcra.h"

#include "lib/base.h"

struct gcra
gcra_make(uint32_t rate, uint32_t burst)
{
	struct gcra gcra = {.interval_ns = 0};

	if (rate == 0 || burst == 0)
		return gcra;
	gcra.interval_ns = MAX(GCRA_NS_PER_SECOND / rate, 1);
	gcra.burst_ns = gcra.interval_ns * (burst - 1);
	return gcra;
}

uint32_t
gcra_take(const struct gcra *gcra, uint64_t *full_ns, uint64_t now_ns)
{
	uint64_t full = MAX(*full_ns, now_ns), ahead = full - now_ns;

	if (gcra->interval_ns == 0)
		return 0;
	if (ahead > gcra->burst_ns)
		return (uint32_t)((ahead - gcra->burst_ns + GCRA_NS_PER_SECOND - 1) /
		    GCRA_NS_PER_SECOND);
	*full_ns = full + gcra->interval_ns;
	return 0;
}
