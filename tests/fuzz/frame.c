/* SPDX-License-Identifier: MIT */
/* A stream of frames; the first byte decides on their limit. */
#include "lib/frame.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t header[FRAME_HEADER];

	if (size < 1)
		return 0;
	size_t max = (size_t)data[0] * 16 + 1;
	data++;
	size--;
	for (;;) {
		size_t payload = 0;
		long used = frame_parse(data, size, max, &payload);
		if (used <= 0)
			return 0;
		FUZZ_CHECK((size_t)used == FRAME_HEADER + payload && (size_t)used <= size);
		FUZZ_CHECK(payload > 0 && payload <= max);
		frame_put_header(header, (uint32_t)payload);
		for (size_t i = 0; i < FRAME_HEADER; i++)
			FUZZ_CHECK(header[i] == data[i]);
		for (size_t cut = 0; cut < (size_t)used; cut += (size_t)used / 8 + 1)
			FUZZ_CHECK(frame_parse(data, cut, max, &payload) == 0);
		data += used;
		size -= (size_t)used;
	}
}
