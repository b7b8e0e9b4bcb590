/* SPDX-License-Identifier: MIT */
#include "statsd/answer_read.h"

#include <string.h>

#include "lib/json_read.h"
#include "lib/json_scan.h"

/* A body is mostly keys and numbers: `"a":1,` are two tokens in six bytes. */
#define BYTES_PER_TOKEN 2
#define TOKENS_MIN 16
#define ANSWER_TYPE "answer"

int
answer_read(struct query_answer *answer, const char *json, size_t length, const char **error)
{
	struct json_member type = {.name = "type"};
	struct json_doc doc;
	int64_t id = -1, status = 0;
	if (json_scan_object(json, length, &type, 1, NULL) < 0 || !type.value ||
	    type.length != strlen(ANSWER_TYPE) || memcmp(type.value, ANSWER_TYPE, type.length) != 0)
		return 0;
	if (json_parse(&doc, json, length, TOKENS_MIN + (int)(length / BYTES_PER_TOKEN), error) < 0)
		return -1;
	int body = json_get(&doc, 0, "body");
	int bad = json_i64(&doc, json_get(&doc, 0, "id"), &id) < 0 || id < 0 ||
	    json_i64(&doc, json_get(&doc, 0, "status"), &status) < 0 || status < 200 ||
	    status > 599 || body < 0;
	if (!bad) {
		answer->id = (uint64_t)id;
		answer->status = (unsigned)status;
		answer->body = json_raw(&doc, body, &answer->length);
	}
	json_free(&doc);
	*error = "an answer without id, status or body";
	return bad ? -1 : 1;
}
