/* SPDX-License-Identifier: MIT */
#include "wsfand/close_reason.h"

#include "wsfand/counters.h"

static const struct {
	uint16_t code;
	enum counter_index counter;
	const char *text;
} reasons[] = {
    {0, COUNTER_closes_client, "open"},
#define REASON(name, counter, code, text) {code, COUNTER_closes_##counter, text},
#include "wsfand/close_reasons.def"
#undef REASON
};

uint16_t
close_reason_code(enum close_reason reason)
{
	return reasons[reason].code;
}

const char *
close_reason_text(enum close_reason reason)
{
	return reasons[reason].text;
}

void
close_reason_count(enum close_reason reason)
{
	counters[reasons[reason].counter]++;
}
