/* SPDX-License-Identifier: MIT */
#include "wsfand/forwarded.h"

#include <string.h>
#include <strings.h>

#include "lib/base.h"

#define MAX_NODE 64 /* "[v6]:port", and an obfuscated port of a reasonable length */

/* The last FORWARDED_MAX_NODES nodes of a list; node i stands at i % FORWARDED_MAX_NODES. */
struct chain {
	struct node {
		bool valid;
		struct address address;
	} nodes[FORWARDED_MAX_NODES];
	size_t count;
};

/* RFC 7239, 6.1: a port, or an obfuscated one. */
static bool
port_good(const char *text, size_t length)
{
	static const char digits[] = "0123456789";
	static const char obfuscated[] = "0123456789._-abcdefghijklmnopqrstuvwxyz"
					 "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	bool hidden = length > 1 && text[0] == '_';
	const char *allowed = hidden ? obfuscated : digits;

	if (length == 0 || (!hidden && length > 5))
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] == '\0' || strchr(allowed, text[i]) == NULL)
			return false;
	return true;
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80". */
static struct node
parse_node(struct slice text)
{
	struct node node = {.valid = false};
	struct slice host = text;
	const char *end = text.bytes + text.length, *host_end = end;

	if (text.length > 0 && text.bytes[0] == '[') {
		const char *bracket = memchr(text.bytes, ']', text.length);
		if (bracket == NULL)
			return node;
		host = (struct slice){text.bytes + 1, (size_t)(bracket - text.bytes) - 1};
		if (memchr(host.bytes, ':', host.length) == NULL)
			return node;
		host_end = bracket + 1;
	} else {
		const char *colon = memchr(text.bytes, ':', text.length);
		if (colon != NULL && memchr(colon + 1, ':', (size_t)(end - colon) - 1) == NULL) {
			host.length = (size_t)(colon - text.bytes);
			host_end = colon;
		}
	}
	if (host_end < end &&
	    (*host_end != ':' || !port_good(host_end + 1, (size_t)(end - host_end) - 1)))
		return node;
	node.valid = address_parse(&node.address, host.bytes, host.length) == 0 &&
	    !address_is_none(&node.address);
	return node;
}

static void
chain_add(struct chain *chain, struct node node)
{
	chain->nodes[chain->count++ % FORWARDED_MAX_NODES] = node;
}

static void
read_plain_list(struct chain *chain, struct slice list)
{
	while (list.length > 0) {
		const char *comma = memchr(list.bytes, ',', list.length);
		size_t length = comma != NULL ? (size_t)(comma - list.bytes) : list.length;
		struct slice item = slice_trim((struct slice){list.bytes, length});
		if (item.length > 0)
			chain_add(chain, parse_node(item));
		size_t skipped = length + (comma != NULL);
		list.bytes += skipped;
		list.length -= skipped;
	}
}

static void
skip_blanks(struct slice *text)
{
	while (text->length > 0 && http_is_blank(text->bytes[0])) {
		text->bytes++;
		text->length--;
	}
}

static char
next_byte(struct slice *text)
{
	text->length--;
	return *text->bytes++;
}

static bool
is_separator(char byte)
{
	return http_is_blank(byte) || byte == ';' || byte == ',' || byte == '"';
}

/* Behind the opening quote (RFC 9110, 5.6.4). The value's length, of which only MAX_NODE bytes
 * are kept; -1: it has no end. */
static int
read_quoted(struct slice *text, char out[static MAX_NODE])
{
	int length = 0;

	while (text->length > 0) {
		char byte = next_byte(text);
		if (byte == '"')
			return length;
		if (byte == '\\') {
			if (text->length == 0)
				return -1;
			byte = next_byte(text);
		}
		if (length < MAX_NODE)
			out[length] = byte;
		length++;
	}
	return -1;
}

/* One `name=value`. 1: it was `for`, and *node is what it names; 0: another; -1: malformed. */
static int
read_pair(struct slice *text, struct node *node)
{
	char quoted[MAX_NODE];
	struct slice value;
	const char *equals = memchr(text->bytes, '=', text->length);

	if (equals == NULL || equals == text->bytes)
		return -1;
	struct slice name = {text->bytes, (size_t)(equals - text->bytes)};
	for (size_t i = 0; i < name.length; i++)
		if (is_separator(name.bytes[i]))
			return -1;
	text->bytes += name.length + 1;
	text->length -= name.length + 1;
	if (text->length > 0 && text->bytes[0] == '"') {
		next_byte(text);
		int length = read_quoted(text, quoted);
		if (length < 0)
			return -1;
		/* What is longer is no address. */
		value = (struct slice){quoted, length <= MAX_NODE ? (size_t)length : 0};
	} else {
		value = (struct slice){text->bytes, 0};
		while (text->length > 0 && !is_separator(text->bytes[0])) {
			next_byte(text);
			value.length++;
		}
	}
	if (!slice_equal_nocase(name, "for"))
		return 0;
	*node = parse_node(value);
	return 1;
}

/* All elements of one field (RFC 7239, 4). -1: malformed. */
static int
read_elements(struct chain *chain, struct slice text)
{
	struct node node = {.valid = false};
	int fors = 0;
	bool empty = true;

	for (skip_blanks(&text); text.length > 0; skip_blanks(&text)) {
		char byte = text.bytes[0];
		if (byte != ',' && byte != ';') {
			int named = read_pair(&text, &node);
			if (named < 0 || (fors += named) > 1)
				return -1;
			empty = false;
			skip_blanks(&text);
			if (text.length > 0 && text.bytes[0] != ',' && text.bytes[0] != ';')
				return -1;
			continue;
		}
		next_byte(&text);
		if (byte == ',' && !empty) {
			chain_add(chain, node);
			node = (struct node){.valid = false};
			fors = 0;
			empty = true;
		}
	}
	if (!empty)
		chain_add(chain, node);
	return 0;
}

/* The client as one header has it; the peer where it says nothing that could be believed. */
static struct address
resolve(const struct chain *chain, const struct cidr_list *trusted, const struct address *peer)
{
	size_t oldest = chain->count > FORWARDED_MAX_NODES ? chain->count - FORWARDED_MAX_NODES : 0;

	for (size_t i = chain->count; i > oldest; i--) {
		const struct node *node = &chain->nodes[(i - 1) % FORWARDED_MAX_NODES];
		if (!node->valid)
			return *peer;
		if (i == 1 || !cidr_list_has(trusted, &node->address))
			return node->address;
	}
	return *peer;
}

struct address
forwarded_client(
    const struct http_head *head, const struct cidr_list *trusted, const struct address *peer)
{
	struct chain plain = {.count = 0}, standard = {.count = 0};
	const struct http_field *field = NULL;
	bool malformed = false;

	if (!cidr_list_has(trusted, peer))
		return *peer;
	while ((field = http_head_find(head, "X-Forwarded-For", field)) != NULL)
		read_plain_list(&plain, field->value);
	while ((field = http_head_find(head, "Forwarded", field)) != NULL)
		if (read_elements(&standard, field->value) < 0)
			malformed = true;
	struct address by_plain = resolve(&plain, trusted, peer);
	struct address by_standard = malformed ? *peer : resolve(&standard, trusted, peer);
	if (!malformed && standard.count == 0)
		return by_plain;
	if (plain.count == 0)
		return by_standard;
	return address_equal(&by_plain, &by_standard) ? by_plain : *peer;
}
