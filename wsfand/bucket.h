/* SPDX-License-Identifier: MIT */
/* bucket: a token bucket of 8 bytes: `burst` at once, one more each
 * `interval_ms`. Pure: the time is the caller's (any milliseconds, they may wrap). */
#ifndef WSFAND_BUCKET_H
#define WSFAND_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	uint32_t refilled_ms;
	uint16_t tokens;
};

void bucket_init(struct bucket *bucket, uint16_t burst, uint32_t now_ms);
/* Takes a token; false when there is none. */
bool bucket_take(struct bucket *bucket, uint16_t burst, uint32_t interval_ms, uint32_t now_ms);

#endif
