/* SPDX-License-Identifier: MIT */
/* A request head, and a look at all that is in it. Of a good one each beginning asks for more. */
#include "lib/http_head.h"

#include "tests/fuzz/fuzz.h"

#define MAX_PREFIXES 64

static void
check_slice(struct slice slice, const char *data, size_t used)
{
	FUZZ_CHECK(slice.bytes >= data && slice.bytes + slice.length <= data + used);
}

static void
check_head(const struct http_head *head, const char *data, size_t used)
{
	char value[256];

	check_slice(head->method, data, used);
	check_slice(head->target, data, used);
	check_slice(head->path, data, used);
	check_slice(head->query, data, used);
	FUZZ_CHECK(head->field_count <= HTTP_HEAD_MAX_FIELDS);
	for (size_t i = 0; i < head->field_count; i++) {
		check_slice(head->fields[i].name, data, used);
		check_slice(head->fields[i].value, data, used);
	}
	int length = http_query_get(head->query, "token", value, sizeof(value));
	FUZZ_CHECK(length < (int)sizeof(value) && (length < 0 || value[length] == '\0'));
	(void)http_head_has_token(head, "Connection", "upgrade");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *error = NULL;
	struct http_head head;
	long used = http_head_parse(&head, text, size, &error);

	FUZZ_CHECK(used >= -1 && used <= (long)size);
	FUZZ_CHECK((used < 0) == (error != NULL));
	if (used <= 0)
		return 0;
	check_head(&head, text, (size_t)used);
	size_t step = (size_t)used / MAX_PREFIXES + 1;
	for (size_t length = 0; length < (size_t)used; length += step)
		FUZZ_CHECK(http_head_parse(&head, text, length, &error) == 0);
	return 0;
}
