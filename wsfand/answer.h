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

/* 101 for that Sec-WebSocket-Key (RFC 6455, 4.2.2), with what was agreed on. Its length. */
size_t answer_switch(
    char out[static ANSWER_SIZE], struct slice key, const struct deflate_terms *deflate);

/* A refusal, with a JSON body that says why, and counts it. `problem`: for
 * VERDICT_MALFORMED, a literal. Its length. */
size_t answer_refuse(char out[static ANSWER_SIZE], enum verdict verdict, const char *problem);

#endif
