/* SPDX-License-Identifier: MIT */
/* A response's record out of the store: what reads writes to a record that reads to the same. */
#include <string.h>

#include "analyticsd/response.h"
#include "tests/fuzz/fuzz.h"

#define MAX_RECORD (1 << 20)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct response response, again;
	struct buf once, twice;

	if (response_from_record(&response, data, size) < 0)
		return 0;
	FUZZ_CHECK(response.answer_count <= RESPONSE_MAX_ANSWERS);
	buf_init(&once, MAX_RECORD);
	buf_init(&twice, MAX_RECORD);
	if (response_to_record(&response, &once) == 0) {
		FUZZ_CHECK(response_from_record(&again, buf_bytes(&once), buf_length(&once)) == 0);
		FUZZ_CHECK(response_to_record(&again, &twice) == 0);
		FUZZ_CHECK(buf_length(&once) == buf_length(&twice) &&
		    memcmp(buf_bytes(&once), buf_bytes(&twice), buf_length(&once)) == 0);
	}
	buf_free(&once);
	buf_free(&twice);
	return 0;
}
