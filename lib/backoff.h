/* SPDX-License-Identifier: MIT */
/* backoff: how long to wait before trying again: exponential from `min_ms` to
 * `max_ms`, with full jitter in the upper half (AWS Architecture Blog,
 * "Exponential Backoff And Jitter": "equal jitter"). Pure but for the random bits. */
#ifndef LIB_BACKOFF_H
#define LIB_BACKOFF_H

struct backoff {
	unsigned min_ms, max_ms, current_ms;
};

#define BACKOFF(min_ms_, max_ms_)                        \
	{                                                \
		.min_ms = (min_ms_), .max_ms = (max_ms_) \
	}

/* The next wait in milliseconds, between half and the whole of the current step. */
unsigned backoff_next(struct backoff *backoff);
/* It worked: start small again. */
void backoff_reset(struct backoff *backoff);

#endif
