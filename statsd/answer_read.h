/* SPDX-License-Identifier: MIT */
/* answer_read: what a daemon says to a query (docs/protocol.md, "Queries"). Pure. */
#ifndef STATSD_ANSWER_READ_H
#define STATSD_ANSWER_READ_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"

struct query_answer {
	uint64_t id;
	unsigned status; /* of HTTP */
	const char *body; /* JSON, in the frame */
	size_t length;
};

/* 1: the frame is an answer; 0: it is something else, or no JSON at all; -1: it is an answer that
 * is not as it should be, and *error (a literal) says why. */
MUST_CHECK int answer_read(
    struct query_answer *answer, const char *json, size_t length, const char **error);

#endif
