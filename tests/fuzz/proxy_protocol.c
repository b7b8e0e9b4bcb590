/* SPDX-License-Identifier: MIT */
/* A PROXY header and what follows it. Each beginning of a good one asks for more, and what
 * follows does not matter. */
#include "wsfand/proxy_protocol.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_header header, again;
	long used = proxy_protocol_parse(&header, data, size);

	FUZZ_CHECK(used >= -1 && used <= (long)size && used <= PROXY_PROTOCOL_MAX);
	FUZZ_CHECK(!header.known || (used > 0 && !address_is_none(&header.source)));
	FUZZ_CHECK(used != 0 || size < PROXY_PROTOCOL_MAX);
	if (used <= 0)
		return 0;
	for (size_t cut = 0; cut < (size_t)used; cut += (size_t)used / 64 + 1)
		FUZZ_CHECK(proxy_protocol_parse(&again, data, cut) == 0);
	FUZZ_CHECK(proxy_protocol_parse(&again, data, (size_t)used) == used);
	FUZZ_CHECK(again.known == header.known && again.source_port == header.source_port &&
	    address_equal(&again.source, &header.source));
	return 0;
}
