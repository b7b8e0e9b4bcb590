/* SPDX-License-Identifier: MIT */
/* answer: the HTTP answers that wsfand gives itself (docs/protocol.md, "Answers"). Pure
 * but for the counters. */
#ifndef WSFAND_ANSWER_H
#define WSFAND_ANSWER_H

#include <stddef.h>

#include "lib/http_head.h"
#include "wsfand/upgrade.h"

/* Enough for each of them. */
#define ANSWER_SIZE 512

/* 101 for that Sec-WebSocket-Key (RFC 6455, 4.2.2), with what was agreed on;
 * `protocol`: of these that were offered, or NULL. Its length. */
size_t answer_switch(char out[static ANSWER_SIZE], struct slice key,
    const struct deflate_terms *deflate, const char *protocol);

/* A refusal, with a JSON body that says why, and counts it. `problem`: for
 * VERDICT_MALFORMED and VERDICT_TOKEN_…, a literal. `retry_after_s`: for VERDICT_…RATE.
 * Its length. */
size_t answer_refuse(char out[static ANSWER_SIZE], enum verdict verdict, const char *problem,
    uint32_t retry_after_s);

/* Why, as the body says it. */
const char *answer_error(enum verdict verdict, const char *problem);

#endif
