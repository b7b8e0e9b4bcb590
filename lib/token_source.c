/* SPDX-License-Identifier: MIT */
#include "lib/token_source.h"

#include <string.h>
#include <strings.h>

#define QUERY_NAME "token"
#define SCHEME "Bearer"

struct search {
	struct token_source *source;
	const char *error;
};

static struct slice
trim(struct slice slice)
{
	while (slice.length > 0 && (slice.bytes[0] == ' ' || slice.bytes[0] == '\t')) {
		slice.bytes++;
		slice.length--;
	}
	while (slice.length > 0 &&
	    (slice.bytes[slice.length - 1] == ' ' || slice.bytes[slice.length - 1] == '\t'))
		slice.length--;
	return slice;
}

/* Cuts off what stands before the next `mark`, which is gone too. */
static struct slice
take_until(struct slice *rest, char mark)
{
	const char *end = memchr(rest->bytes, mark, rest->length);
	size_t length = end != NULL ? (size_t)(end - rest->bytes) : rest->length;
	struct slice part = {rest->bytes, length};
	size_t skipped = length + (end != NULL);
	rest->bytes += skipped;
	rest->length -= skipped;
	return part;
}

static int
fail(struct search *search, const char *error)
{
	if (search->error == NULL)
		search->error = error;
	return -1;
}

static int
offer(struct search *search, enum token_place place, struct slice token)
{
	struct token_source *source = search->source;

	if (token.length == 0)
		return 0;
	if (token.length > TOKEN_MAX)
		return fail(search, "token too long");
	if (source->place != TOKEN_NOWHERE)
		return token.length == source->length &&
			memcmp(token.bytes, source->token, token.length) == 0
		    ? 0
		    : fail(search, "several tokens that differ");
	source->place = place;
	source->length = token.length;
	memcpy(source->token, token.bytes, token.length);
	source->token[token.length] = '\0';
	return 0;
}

/* `pair` is "token=…" or just "token". */
static int
offer_pair(struct search *search, struct slice pair)
{
	char token[TOKEN_MAX + 1];
	int length = http_query_get(pair, QUERY_NAME, token, sizeof(token));

	if (length < 0)
		return fail(search, "token badly encoded");
	return offer(search, TOKEN_IN_QUERY, (struct slice){token, (size_t)length});
}

static int
look_in_query(struct search *search, struct slice query)
{
	size_t name = strlen(QUERY_NAME);

	while (query.length > 0) {
		struct slice pair = take_until(&query, '&');
		bool named = pair.length >= name && memcmp(pair.bytes, QUERY_NAME, name) == 0 &&
		    (pair.length == name || pair.bytes[name] == '=');
		if (named && offer_pair(search, pair) < 0)
			return -1;
	}
	return 0;
}

static int
look_in_authorization(struct search *search, const struct http_head *head)
{
	const struct http_field *field = NULL;

	while ((field = http_head_find(head, "Authorization", field)) != NULL) {
		struct slice value = field->value;
		struct slice scheme = take_until(&value, ' ');
		if (slice_equal_nocase(scheme, SCHEME) &&
		    offer(search, TOKEN_IN_AUTHORIZATION, trim(value)) < 0)
			return -1;
	}
	return 0;
}

/* Several fields of the name are one list (RFC 6455, 11.3.4). */
static int
look_in_protocols(struct search *search, const struct http_head *head)
{
	const struct http_field *field = NULL;
	bool behind_bearer = false;

	while ((field = http_head_find(head, "Sec-WebSocket-Protocol", field)) != NULL) {
		struct slice list = field->value;
		while (list.length > 0) {
			struct slice item = trim(take_until(&list, ','));
			if (behind_bearer && offer(search, TOKEN_IN_PROTOCOL, item) < 0)
				return -1;
			/* Compared exactly, as the client will compare the answer. */
			behind_bearer = !behind_bearer && slice_equal(item, TOKEN_PROTOCOL);
			if (behind_bearer)
				search->source->bearer_offered = true;
		}
	}
	return 0;
}

int
token_source_find(struct token_source *source, const struct http_head *head, const char **error)
{
	struct search search = {.source = source};

	source->place = TOKEN_NOWHERE;
	source->bearer_offered = false;
	source->length = 0;
	source->token[0] = '\0';
	/* All three in any case: whether `bearer` is to be answered does not hang on a token. */
	if (look_in_query(&search, head->query) == 0)
		(void)!look_in_authorization(&search, head);
	(void)!look_in_protocols(&search, head);
	if (search.error == NULL)
		return 0;
	*error = search.error;
	return -1;
}
