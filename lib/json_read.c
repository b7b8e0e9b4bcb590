/* SPDX-License-Identifier: MIT */
#include "lib/json_read.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_escape.h"
#include "lib/json_scan.h"
#include "lib/mem.h"
#include "lib/num.h"

#define JSMN_STATIC
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#define TWO_TO_53 9007199254740992.0

/* start <= end, as jsmn has them: strings without their quotes. `after` is the
 * first token behind the value and all that is in it; of a key: behind its value. */
struct json_token {
	int start, end;
	int size;
	int after;
	enum json_type type;
};

static int
fail(const char **error, const char *what)
{
	if (error != NULL)
		*error = what;
	return -1;
}

static enum json_type
type_of(const jsmntok_t *raw, const char *text)
{
	switch (raw->type) {
	case JSMN_OBJECT:
		return JSON_OBJECT;
	case JSMN_ARRAY:
		return JSON_ARRAY;
	case JSMN_STRING:
		return JSON_STRING;
	default:
		break;
	}
	char first = text[raw->start];
	return first == 'n' ? JSON_NULL : first == 't' || first == 'f' ? JSON_BOOL : JSON_NUMBER;
}

/* From the last token to the first, so that all children are known before their
 * parent. A key's size is 1, for its value, so it is walked like a container. */
static void
tokens_convert(struct json_doc *doc, const jsmntok_t *raw)
{
	for (int i = doc->count - 1; i >= 0; i--) {
		int after = i + 1;
		for (int child = 0; child < raw[i].size; child++)
			after = doc->tokens[after].after;
		doc->tokens[i] = (struct json_token){
		    .start = raw[i].start,
		    .end = raw[i].end,
		    .size = raw[i].size,
		    .after = after,
		    .type = type_of(&raw[i], doc->text),
		};
	}
}

static int
jsmn_run(const char *text, size_t length, jsmntok_t *tokens, int count)
{
	jsmn_parser parser;
	jsmn_init(&parser);
	return jsmn_parse(&parser, text, length, tokens, (unsigned)count);
}

int
json_parse(
    struct json_doc *doc, const char *text, size_t length, int max_tokens, const char **error)
{
	*doc = (struct json_doc){.text = text, .length = length};
	if (length > INT_MAX)
		return fail(error, "too long");
	if (json_scan_value(text, length, error) < 0)
		return -1;
	int count = jsmn_run(text, length, NULL, 0);
	if (count > max_tokens)
		return fail(error, "too many tokens");
	jsmntok_t *raw = mem_array(NULL, (size_t)MAX(count, 1), sizeof(*raw));
	if (count < 1 || jsmn_run(text, length, raw, count) != count) {
		free(raw);
		return fail(error, "not understood");
	}
	doc->count = count;
	doc->tokens = mem_array(NULL, (size_t)count, sizeof(*doc->tokens));
	tokens_convert(doc, raw);
	free(raw);
	return 0;
}

void
json_free(struct json_doc *doc)
{
	MEM_FREE(&doc->tokens);
	doc->count = 0;
}

static const struct json_token *
token_at(const struct json_doc *doc, int value)
{
	return value >= 0 && value < doc->count ? &doc->tokens[value] : NULL;
}

/* The token, when it is of that type. */
static const struct json_token *
token_of(const struct json_doc *doc, int value, enum json_type type)
{
	const struct json_token *token = token_at(doc, value);
	return token != NULL && token->type == type ? token : NULL;
}

static size_t
token_length(const struct json_token *token)
{
	return (size_t)(token->end - token->start);
}

static bool
is_container(const struct json_token *token)
{
	return token->type == JSON_OBJECT || token->type == JSON_ARRAY;
}

enum json_type
json_type(const struct json_doc *doc, int value)
{
	const struct json_token *token = token_at(doc, value);
	return token != NULL ? token->type : JSON_NONE;
}

int
json_get(const struct json_doc *doc, int object, const char *name)
{
	if (json_type(doc, object) != JSON_OBJECT)
		return -1;
	JSON_FOR_EACH (key, doc, object)
		if (json_string_is(doc, key, name))
			return key + 1;
	return -1;
}

int
json_size(const struct json_doc *doc, int value)
{
	const struct json_token *token = token_at(doc, value);
	return token != NULL && is_container(token) ? token->size : 0;
}

int
json_first(const struct json_doc *doc, int value)
{
	return json_size(doc, value) > 0 ? value + 1 : -1;
}

int
json_next(const struct json_doc *doc, int parent, int child)
{
	const struct json_token *in = token_at(doc, parent), *token = token_at(doc, child);
	return in != NULL && token != NULL && token->after < in->after ? token->after : -1;
}

int
json_string(const struct json_doc *doc, int value, char *out, size_t size)
{
	const struct json_token *token = token_of(doc, value, JSON_STRING);
	if (token == NULL)
		return -1;
	return json_unescape(doc->text + token->start, token_length(token), out, size);
}

bool
json_string_is(const struct json_doc *doc, int value, const char *text)
{
	const struct json_token *token = token_of(doc, value, JSON_STRING);
	return token != NULL &&
	    json_escaped_is(doc->text + token->start, token_length(token), text);
}

int
json_double(const struct json_doc *doc, int value, double *out)
{
	const struct json_token *token = token_of(doc, value, JSON_NUMBER);
	if (token == NULL)
		return -1;
	/* strtod wants an end; the text has none of its own. */
	char small[64], *copy = small;
	size_t length = token_length(token);
	if (length >= sizeof(small))
		copy = mem_alloc(length + 1);
	memcpy(copy, doc->text + token->start, length);
	copy[length] = '\0';
	double number = strtod(copy, NULL);
	if (copy != small)
		free(copy);
	if (!isfinite(number))
		return -1;
	*out = number;
	return 0;
}

int
json_i64(const struct json_doc *doc, int value, int64_t *out)
{
	const struct json_token *token = token_of(doc, value, JSON_NUMBER);
	if (token == NULL)
		return -1;
	if (num_parse_i64(doc->text + token->start, token_length(token), out) == 0)
		return 0;
	/* 3.0 and 3e2 are whole too; beyond 2^53 a double could not tell. */
	double number;
	if (json_double(doc, value, &number) < 0 || fabs(number) > TWO_TO_53 ||
	    number != trunc(number))
		return -1;
	*out = (int64_t)number;
	return 0;
}

int
json_bool(const struct json_doc *doc, int value, bool *out)
{
	const struct json_token *token = token_of(doc, value, JSON_BOOL);
	if (token == NULL)
		return -1;
	*out = doc->text[token->start] == 't';
	return 0;
}

const char *
json_raw(const struct json_doc *doc, int value, size_t *length)
{
	const struct json_token *token = token_at(doc, value);
	if (token == NULL) {
		*length = 0;
		return NULL;
	}
	int quote = token->type == JSON_STRING;
	*length = token_length(token) + 2 * (size_t)quote;
	return doc->text + token->start - quote;
}
