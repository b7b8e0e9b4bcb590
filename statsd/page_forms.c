/* SPDX-License-Identifier: MIT */
#include "statsd/page_forms.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/form_id.h"
#include "lib/num.h"
#include "statsd/gate.h"

#define PATH "/api/forms"
#define QUESTION_BYTES 128

/* What a token is judged by. */
struct guard {
	const struct jwt_keys *keys;
	int64_t now_ms;
};

static void
ask(struct answer *answer, const char *question)
{
	answer->question = true;
	if (buf_append(&answer->body, question, strlen(question)) < 0)
		answer_error(answer, 500, "The question is too long");
}

static void
ask_list(struct answer *answer, const struct request *request, const struct guard *guard)
{
	char question[QUESTION_BYTES], after[FORM_ID_HEX + 16] = "";
	uint64_t limit = FORMS_LIMIT;
	size_t length;
	const char *text = request->query(request, "limit", &length);
	if (text && (num_parse_u64(text, length, &limit) < 0 || limit < 1)) {
		answer_error(answer, 400, "limit is a number from 1 on");
		return;
	}
	text = request->query(request, "after", &length);
	if (text) {
		char hex[FORM_ID_HEX + 1];
		struct form_id form;
		if (form_id_parse(&form, text, length) < 0) {
			answer_error(answer, 400, "Invalid form ID format");
			return;
		}
		form_id_format(&form, hex);
		snprintf(after, sizeof(after), ",\"after\":\"%s\"", hex);
	}
	snprintf(question, sizeof(question), "\"what\":\"forms\",\"limit\":%" PRIu64 "%s",
	    MIN(limit, FORMS_LIMIT_MAX), after);
	if (gate_pass(guard->keys, request, NULL, guard->now_ms, answer))
		ask(answer, question);
}

static void
ask_form(struct answer *answer, const struct request *request, const struct guard *guard,
    const char *what, const char *id, size_t length)
{
	char question[QUESTION_BYTES], hex[FORM_ID_HEX + 1];
	struct form_id form;
	if (form_id_parse(&form, id, length) < 0) {
		answer_error(answer, 400, "Invalid form ID format");
		return;
	}
	form_id_format(&form, hex);
	snprintf(question, sizeof(question), "\"what\":\"%s\",\"formId\":\"%s\"", what, hex);
	if (gate_pass(guard->keys, request, &form, guard->now_ms, answer))
		ask(answer, question);
}

bool
page_forms(struct answer *answer, const struct request *request, const struct jwt_keys *keys,
    int64_t now_ms)
{
	const struct guard guard = {keys, now_ms};
	const char *rest = request->path + strlen(PATH);
	if (strncmp(request->path, PATH, strlen(PATH)) != 0)
		return false;
	if (*rest == '\0') {
		ask_list(answer, request, &guard);
		return true;
	}
	if (*rest++ != '/')
		return false;
	size_t length = strcspn(rest, "/");
	if (rest[length] == '\0')
		ask_form(answer, request, &guard, "form", rest, length);
	else if (strcmp(rest + length, "/analytics") == 0)
		ask_form(answer, request, &guard, "analytics", rest, length);
	else
		return false;
	return true;
}
