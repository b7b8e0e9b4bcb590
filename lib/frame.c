/* SPDX-License-Identifier: MIT */
#include "lib/frame.h"

void
frame_put_header(uint8_t out[static FRAME_HEADER], uint32_t length)
{
	out[0] = (uint8_t)(length >> 24);
	out[1] = (uint8_t)(length >> 16);
	out[2] = (uint8_t)(length >> 8);
	out[3] = (uint8_t)length;
}

long
frame_parse(const uint8_t *data, size_t length, size_t max, size_t *payload)
{
	if (length < FRAME_HEADER)
		return 0;
	size_t size = (size_t)data[0] << 24 | (size_t)data[1] << 16 | (size_t)data[2] << 8 |
	    data[3];
	if (size == 0 || size > max)
		return -1;
	if (length - FRAME_HEADER < size)
		return 0;
	*payload = size;
	return (long)(FRAME_HEADER + size);
}
