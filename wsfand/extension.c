/* SPDX-License-Identifier: MIT */
#include "wsfand/extension.h"

#include <stdio.h>
#include <string.h>

#define FIELD "Sec-WebSocket-Extensions"
#define MIN_WINDOW 8
#define MAX_WINDOW 15
#define VALUE_SIZE 8 /* longer ones are nothing that we know */

/* The parameters of one offer. */
struct offer {
	bool ours; /* permessage-deflate, and good so far */
	uint8_t window; /* server_max_window_bits, or 0 */
	unsigned seen; /* bit i: parameters[i] was there */
};

struct parameter {
	struct slice name;
	bool has_value;
	char value[VALUE_SIZE];
};

static bool
is_token_byte(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static void
skip_blanks(struct slice *rest)
{
	while (rest->length > 0 && (rest->bytes[0] == ' ' || rest->bytes[0] == '\t')) {
		rest->bytes++;
		rest->length--;
	}
}

static bool
take_byte(struct slice *rest, char byte)
{
	skip_blanks(rest);
	if (rest->length == 0 || rest->bytes[0] != byte)
		return false;
	rest->bytes++;
	rest->length--;
	return true;
}

/* Empty: there is none. */
static struct slice
take_token(struct slice *rest)
{
	struct slice token;

	skip_blanks(rest);
	token = (struct slice){rest->bytes, 0};
	while (token.length < rest->length && is_token_byte(token.bytes[token.length]))
		token.length++;
	rest->bytes += token.length;
	rest->length -= token.length;
	return token;
}

/* Inside the quotes must stand a token (RFC 6455, 9.1); a backslash may be before each byte. */
static int
take_quoted(struct slice *rest, char value[static VALUE_SIZE])
{
	size_t length = 0;

	for (; rest->length > 0 && rest->bytes[0] != '"'; rest->bytes++, rest->length--) {
		if (rest->bytes[0] == '\\' && rest->length > 1) {
			rest->bytes++;
			rest->length--;
		}
		if (!is_token_byte(rest->bytes[0]))
			return -1;
		if (length < VALUE_SIZE - 1)
			value[length] = rest->bytes[0];
		length++;
	}
	value[MIN(length, (size_t)VALUE_SIZE - 1)] = '\0';
	return length > 0 && take_byte(rest, '"') ? 0 : -1;
}

static int
take_value(struct slice *rest, char value[static VALUE_SIZE])
{
	struct slice token;

	if (take_byte(rest, '"'))
		return take_quoted(rest, value);
	token = take_token(rest);
	snprintf(
	    value, VALUE_SIZE, "%.*s", (int)MIN(token.length, (size_t)VALUE_SIZE), token.bytes);
	return token.length > 0 ? 0 : -1;
}

/* 8 to 15, without a leading zero (RFC 7692, 7.1.2); 0: anything else. */
static uint8_t
window_of(const char *value)
{
	int bits = 0;

	if (value[0] < '1' || value[0] > '9' || strspn(value, "0123456789") != strlen(value))
		return 0;
	for (; *value != '\0' && bits <= MAX_WINDOW; value++)
		bits = bits * 10 + (*value - '0');
	return bits >= MIN_WINDOW && bits <= MAX_WINDOW ? (uint8_t)bits : 0;
}

static void
take_parameter(struct offer *offer, const struct parameter *parameter)
{
	enum value { NONE, NEEDED, OPTIONAL };
	static const struct {
		const char *name;
		enum value value;
	} known[] = {
	    {"server_no_context_takeover", NONE},
	    {"client_no_context_takeover", NONE},
	    {"server_max_window_bits", NEEDED},
	    {"client_max_window_bits", OPTIONAL},
	};
	uint8_t window = parameter->has_value ? window_of(parameter->value) : 0;
	size_t i = 0;

	while (i < ARRAY_SIZE(known) && !slice_equal(parameter->name, known[i].name))
		i++;
	if (i == ARRAY_SIZE(known) || offer->seen & 1U << i ||
	    (known[i].value == NONE && parameter->has_value) ||
	    (known[i].value == NEEDED && !parameter->has_value) ||
	    (parameter->has_value && window == 0)) {
		offer->ours = false;
		return;
	}
	offer->seen |= 1U << i;
	if (known[i].value == NEEDED)
		offer->window = window;
}

/* extension = token *( ";" parameter ). -1: it is not that. */
static int
take_offer(struct slice *rest, struct offer *offer)
{
	struct slice name = take_token(rest);
	struct parameter parameter;

	if (name.length == 0)
		return -1;
	*offer = (struct offer){.ours = slice_equal(name, "permessage-deflate")};
	while (take_byte(rest, ';')) {
		parameter.name = take_token(rest);
		parameter.has_value = take_byte(rest, '=');
		if (parameter.name.length == 0 ||
		    (parameter.has_value && take_value(rest, parameter.value) < 0))
			return -1;
		take_parameter(offer, &parameter);
	}
	return 0;
}

static int
take_list(struct slice rest, struct deflate_terms *terms)
{
	struct offer offer;

	for (;;) {
		/* A list may have empty elements (RFC 9110, 5.6.1.2). */
		while (take_byte(&rest, ','))
			continue;
		skip_blanks(&rest);
		if (rest.length == 0)
			return 0;
		if (take_offer(&rest, &offer) < 0)
			return -1;
		if (offer.ours && terms->window == 0) {
			terms->limited = offer.window > 0;
			terms->window = offer.window > 0 ? offer.window : MAX_WINDOW;
		}
		skip_blanks(&rest);
		if (rest.length > 0 && rest.bytes[0] != ',')
			return -1;
	}
}

int
extension_negotiate(struct deflate_terms *terms, const struct http_head *head)
{
	const struct http_field *field = NULL;

	*terms = (struct deflate_terms){.window = 0};
	while ((field = http_head_find(head, FIELD, field))) {
		if (take_list(field->value, terms) < 0)
			return -1;
	}
	return 0;
}

void
extension_answer(char out[static EXTENSION_ANSWER], const struct deflate_terms *terms)
{
	char limit[sizeof("; server_max_window_bits=15") + 2] = "";

	out[0] = '\0';
	if (terms->window == 0)
		return;
	if (terms->limited)
		snprintf(limit, sizeof(limit), "; server_max_window_bits=%u", terms->window);
	snprintf(out, EXTENSION_ANSWER,
	    FIELD ": permessage-deflate; server_no_context_takeover; client_no_context_takeover"
		  "%s\r\n",
	    limit);
}
