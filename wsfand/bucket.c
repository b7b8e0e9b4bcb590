/* SPDX-License-Identifier: MIT */
#include "wsfand/bucket.h"

void
bucket_init(struct bucket *bucket, uint16_t burst, uint32_t now_ms)
{
	bucket->tokens = burst;
	bucket->refilled_ms = now_ms;
}

bool
bucket_take(struct bucket *bucket, uint16_t burst, uint32_t interval_ms, uint32_t now_ms)
{
	uint32_t earned = (now_ms - bucket->refilled_ms) / interval_ms;

	if (earned >= (uint32_t)(burst - bucket->tokens)) {
		bucket->tokens = burst;
		bucket->refilled_ms = now_ms;
	} else {
		bucket->tokens += (uint16_t)earned;
		bucket->refilled_ms += earned * interval_ms;
	}
	if (bucket->tokens == 0)
		return false;
	bucket->tokens--;
	return true;
}
