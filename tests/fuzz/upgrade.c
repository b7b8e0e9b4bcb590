/* SPDX-License-Identifier: MIT */
/* A newcomer's bytes, as the door sees them: peeked at, parsed, judged, answered. */
#include "wsfand/upgrade.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "wsfand/answer.h"
#include "wsfand/peek.h"

#define ORIGINS "http://localhost:3000,https://*.example.com,https://dash.example.org:8443,null"

/* Nothing of the request may get into an answer's head but as one line of it. */
static void
check_answer(const char *answer, size_t length)
{
	const char *error = NULL;
	const char *line = memchr(answer, '\n', length);
	struct http_head head;
	char request[ANSWER_SIZE + 64] = "GET / HTTP/1.1\r\nHost: a\r\n";
	size_t start = strlen(request);

	FUZZ_CHECK(length > 0 && length < ANSWER_SIZE && line != NULL);
	size_t rest = length - (size_t)(line + 1 - answer);
	memcpy(request + start, line + 1, rest);
	FUZZ_CHECK(http_head_parse(&head, request, start + rest, &error) > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *error = NULL;
	char answer[ANSWER_SIZE];
	struct upgrade upgrade;
	struct http_head head;
	enum peek peek = peek_judge(text, size < PEEK_BYTES ? size : PEEK_BYTES);

	FUZZ_CHECK(size < PEEK_BYTES || peek != PEEK_MORE);
	long used = http_head_parse(&head, text, size, &error);
	if (used <= 0) {
		if (used < 0)
			check_answer(answer, answer_refuse(answer, VERDICT_MALFORMED, error, 0));
		return 0;
	}
	enum verdict verdict = upgrade_judge(&upgrade, &head, ORIGINS);
	FUZZ_CHECK(verdict != VERDICT_SWITCH || peek == PEEK_OURS || head.method.length > 32);
	if (verdict == VERDICT_SWITCH)
		check_answer(
		    answer, answer_switch(answer, upgrade.key->value, &upgrade.deflate, NULL));
	else
		check_answer(answer, answer_refuse(answer, verdict, upgrade.problem, 0));
	return 0;
}
