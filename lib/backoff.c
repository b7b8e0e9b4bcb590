/* SPDX-License-Identifier: MIT */
#include "lib/backoff.h"

#include <stdlib.h>

#include "lib/base.h"

unsigned
backoff_next(struct backoff *backoff)
{
	if (backoff->current_ms == 0)
		backoff->current_ms = MAX(backoff->min_ms, 1);
	else if (backoff->current_ms > backoff->max_ms / 2)
		backoff->current_ms = MAX(backoff->max_ms, 1);
	else
		backoff->current_ms *= 2;
	unsigned half = backoff->current_ms / 2;
	return half + arc4random_uniform(backoff->current_ms - half + 1);
}

void
backoff_reset(struct backoff *backoff)
{
	backoff->current_ms = 0;
}
