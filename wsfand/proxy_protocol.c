/* SPDX-License-Identifier: MIT */
#include "wsfand/proxy_protocol.h"

#include <string.h>

#include "lib/num.h"

#define V1_START "PROXY "
#define V1_MAX 107 /* section 2.1: with its CR LF */
#define V2_HEAD 16 /* section 2.2: what stands before the addresses */
#define V2_VERSION 0x20
#define V2_V4_LENGTH 12
#define V2_V6_LENGTH 36
#define V2_UNIX_LENGTH 216

static const uint8_t v2_signature[] = {
    0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

enum v2_command { V2_LOCAL, V2_PROXY };
enum v2_family { V2_UNSPEC, V2_INET, V2_INET6, V2_UNIX };
enum v2_transport { V2_NONE, V2_STREAM, V2_DGRAM };

struct word {
	const char *bytes;
	size_t length;
};

/* Up to the next space, which is gone too. */
static struct word
take_word(struct word *rest)
{
	const char *space = memchr(rest->bytes, ' ', rest->length);
	size_t length = space != NULL ? (size_t)(space - rest->bytes) : rest->length;
	struct word word = {rest->bytes, length};
	size_t skipped = length + (space != NULL);
	rest->bytes += skipped;
	rest->length -= skipped;
	return word;
}

static bool
word_is(struct word word, const char *text)
{
	return word.length == strlen(text) && memcmp(word.bytes, text, word.length) == 0;
}

static int
parse_port(uint16_t *port, struct word word)
{
	uint64_t value;

	if (num_parse_u64(word.bytes, word.length, &value) < 0 || value > UINT16_MAX)
		return -1;
	if (word.length > 1 && word.bytes[0] == '0')
		return -1;
	*port = (uint16_t)value;
	return 0;
}

static int
parse_host(struct address *address, struct word word, bool v6)
{
	if ((memchr(word.bytes, ':', word.length) != NULL) != v6)
		return -1;
	return address_parse(address, word.bytes, word.length);
}

/* The line between "PROXY " and its CR LF. */
static int
parse_v1_line(struct proxy_header *header, struct word line)
{
	struct address destination;
	uint16_t destination_port;
	struct word family = take_word(&line);

	/* What follows UNKNOWN is to be ignored. */
	if (word_is(family, "UNKNOWN"))
		return 0;
	bool v6 = word_is(family, "TCP6");
	if (!v6 && !word_is(family, "TCP4"))
		return -1;
	if (parse_host(&header->source, take_word(&line), v6) < 0 ||
	    parse_host(&destination, take_word(&line), v6) < 0 ||
	    parse_port(&header->source_port, take_word(&line)) < 0 ||
	    parse_port(&destination_port, line) < 0)
		return -1;
	header->known = true;
	return 0;
}

static long
parse_v1(struct proxy_header *header, const uint8_t *data, size_t length)
{
	const char *text = (const char *)data;
	size_t start = strlen(V1_START);
	const char *end = memchr(text, '\r', MIN(length, V1_MAX - 1));

	if (end == NULL)
		return length < V1_MAX - 1 ? 0 : -1;
	size_t line = (size_t)(end - text);
	if (line + 1 == length)
		return 0;
	if (end[1] != '\n' || line < start || memchr(text, '\n', line) != NULL)
		return -1;
	if (parse_v1_line(header, (struct word){text + start, line - start}) < 0)
		return -1;
	return (long)line + 2;
}

/* `addresses` is `length` long, TLVs and all. */
static int
read_v2_addresses(struct proxy_header *header, enum v2_family family, enum v2_transport transport,
    const uint8_t *addresses, size_t length)
{
	static const size_t lengths[] = {0, V2_V4_LENGTH, V2_V6_LENGTH, V2_UNIX_LENGTH};

	if (family > V2_UNIX || transport > V2_DGRAM)
		return -1;
	if (family == V2_UNSPEC || transport == V2_NONE)
		return 0;
	if (length < lengths[family])
		return -1;
	/* We are no datagram service, and a Unix address is none that could be limited. */
	if (family == V2_UNIX || transport == V2_DGRAM)
		return 0;
	header->source = family == V2_INET ? address_from_v4(addresses)
					   : address_from_v6(addresses);
	const uint8_t *port = addresses + lengths[family] - 4;
	header->source_port = (uint16_t)(port[0] << 8 | port[1]);
	header->known = true;
	return 0;
}

static long
parse_v2(struct proxy_header *header, const uint8_t *data, size_t length)
{
	if (length > 12 && (data[12] & 0xf0) != V2_VERSION)
		return -1;
	if (length < V2_HEAD)
		return 0;
	size_t behind = (size_t)data[14] << 8 | data[15];
	if (behind > PROXY_PROTOCOL_MAX - V2_HEAD)
		return -1;
	if (length - V2_HEAD < behind)
		return 0;
	unsigned command = data[12] & 0x0f;
	if (command > V2_PROXY)
		return -1;
	if (command == V2_PROXY &&
	    read_v2_addresses(header, data[13] >> 4, data[13] & 0x0f, data + V2_HEAD, behind) < 0)
		return -1;
	return (long)(V2_HEAD + behind);
}

/* Whether `data` begins as `start` does, as far as it goes. */
static bool
begins(const uint8_t *data, size_t length, const void *start, size_t start_length)
{
	return memcmp(data, start, MIN(length, start_length)) == 0;
}

long
proxy_protocol_parse(struct proxy_header *header, const uint8_t *data, size_t length)
{
	long used = -1;

	*header = (struct proxy_header){.known = false};
	if (length == 0)
		return 0;
	if (begins(data, length, v2_signature, sizeof(v2_signature)))
		used = parse_v2(header, data, length);
	else if (begins(data, length, V1_START, strlen(V1_START)))
		used = parse_v1(header, data, length);
	/* The unspecified address is nobody's. */
	if (used <= 0 || address_is_none(&header->source))
		header->known = false;
	return used;
}
