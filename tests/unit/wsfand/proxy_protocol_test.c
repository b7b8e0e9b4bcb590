/* SPDX-License-Identifier: MIT */
#include "wsfand/proxy_protocol.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4 "\xc0\x00\x02\x01\x0a\x00\x00\x01\x30\x39\x00\x50"
#define V6                                                                 \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0" \
	"\0\0\0\0\0\0\0\0\x02\x30\x39\x00\x50"

#define BYTES(literal) (literal), sizeof(literal) - 1

/* In a copy of just that size, so that a sanitizer sees each step too far. */
static long
parse(struct proxy_header *header, const void *data, size_t length)
{
	uint8_t *copy = malloc(length > 0 ? length : 1);

	memcpy(copy, data, length);
	long used = proxy_protocol_parse(header, copy, length);
	free(copy);
	return used;
}

static void
put(uint8_t *out, const void *data, size_t length)
{
	memcpy(out, data, length);
}

/* Taken whole, and asked for more at each place before. `source` NULL: not known. */
static void
check_taken(int line, const void *data, size_t length, const char *source)
{
	struct proxy_header header;
	char text[ADDRESS_TEXT];
	uint8_t longer[PROXY_PROTOCOL_MAX + 32];

	for (size_t cut = 0; cut < length; cut++)
		if (parse(&header, data, cut) != 0 || header.known)
			unit_fail(__FILE__, line, "no more wanted after %zu bytes", cut);
	put(longer, data, length);
	put(longer + length, "GET / HTTP/1.1\r\n", 16);
	long used = parse(&header, longer, length + 16);
	if (used != (long)length)
		unit_fail(__FILE__, line, "%ld bytes of %zu", used, length);
	if (header.known != (source != NULL))
		unit_fail(__FILE__, line, "known is %d", header.known);
	if (source != NULL) {
		CHECK_STRING(address_format(&header.source, text), source);
		CHECK_INT(header.source_port, 12345);
	}
}
#define CHECK_TAKEN(literal, source) check_taken(__LINE__, BYTES(literal), source)

static void
check_bad(int line, const void *data, size_t length)
{
	struct proxy_header header;
	long used = parse(&header, data, length);

	if (used != -1 || header.known)
		unit_fail(__FILE__, line, "%ld", used);
}
#define CHECK_BAD(literal) check_bad(__LINE__, BYTES(literal))

TEST(proxy_v1_is_taken)
{
	CHECK_TAKEN("PROXY TCP4 192.0.2.1 10.0.0.1 12345 80\r\n", "192.0.2.1");
	CHECK_TAKEN(
	    "PROXY TCP4 255.255.255.255 255.255.255.255 12345 65535\r\n", "255.255.255.255");
	CHECK_TAKEN("PROXY TCP6 2001:db8::1 2001:db8::2 12345 0\r\n", "2001:db8::1");
	CHECK_TAKEN("PROXY TCP6 ::ffff:192.0.2.1 ::1 12345 80\r\n", "192.0.2.1");
	CHECK_TAKEN("PROXY UNKNOWN\r\n", NULL);
	CHECK_TAKEN("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
	    NULL);
	CHECK_TAKEN("PROXY TCP6 :: ::1 1 1\r\n", NULL);
}

TEST(proxy_v1_is_strict)
{
	CHECK_BAD("GET / HTTP/1.1\r\n");
	CHECK_BAD("PROXX");
	CHECK_BAD("proxy TCP4 192.0.2.1 10.0.0.1 12345 80\r\n");
	CHECK_BAD("PROXY\r\n");
	CHECK_BAD("PROXY \r\n");
	CHECK_BAD("PROXY TCP5 192.0.2.1 10.0.0.1 12345 80\r\n");
	CHECK_BAD("PROXY TCP4  192.0.2.1 10.0.0.1 12345 80\r\n");
	CHECK_BAD("PROXY TCP4 192.0.2.1 10.0.0.1 12345 80 \r\n");
	CHECK_BAD("PROXY TCP4 192.0.2.1 10.0.0.1 12345\r\n");
	CHECK_BAD("PROXY TCP4 192.0.2.1 10.0.0.1 12345 80\n\r\n");
	CHECK_BAD("PROXY TCP4 192.0.2.1 10.0.0.1 12345 80\rx");
	CHECK_BAD("PROXY TCP4 192.0.2.1 10.0.0.1 65536 80\r\n");
	CHECK_BAD("PROXY TCP4 192.0.2.1 10.0.0.1 012 80\r\n");
	CHECK_BAD("PROXY TCP4 192.0.2.1 10.0.0.1 +1 80\r\n");
	CHECK_BAD("PROXY TCP4 192.0.2.1 10.0.0.1 1 a\r\n");
	CHECK_BAD("PROXY TCP4 192.0.2 10.0.0.1 12345 80\r\n");
	CHECK_BAD("PROXY TCP4 2001:db8::1 2001:db8::2 12345 80\r\n");
	CHECK_BAD("PROXY TCP6 192.0.2.1 10.0.0.1 12345 80\r\n");
}

TEST(proxy_v1_has_an_end)
{
	uint8_t line[200];
	struct proxy_header header;

	memset(line, 'x', sizeof(line));
	put(line, "PROXY UNKNOWN ", 14);
	CHECK_INT(parse(&header, line, 105), 0);
	CHECK_INT(parse(&header, line, 106), -1);
	put(line + 105, "\r\n", 2);
	CHECK_INT(parse(&header, line, 106), 0);
	CHECK_INT(parse(&header, line, 107), 107);
	memset(line + 14, 'x', 93);
	put(line + 106, "\r\n", 2);
	CHECK_INT(parse(&header, line, 108), -1);
}

TEST(proxy_v2_is_taken)
{
	CHECK_TAKEN(SIGNATURE "\x21\x11\x00\x0c" V4, "192.0.2.1");
	CHECK_TAKEN(SIGNATURE "\x21\x21\x00\x24" V6, "2001:db8::1");
	CHECK_TAKEN(SIGNATURE "\x21\x11\x00\x12" V4 "\x04\x00\x03\x61\x62\x63", "192.0.2.1");
	/* LOCAL discards the block, the family too. */
	CHECK_TAKEN(SIGNATURE "\x20\x00\x00\x00", NULL);
	CHECK_TAKEN(SIGNATURE "\x20\xff\x00\x03\x01\x02\x03", NULL);
	CHECK_TAKEN(SIGNATURE "\x20\x11\x00\x0c" V4, NULL);
	/* Not known: unspecified families and protocols, datagrams. */
	CHECK_TAKEN(SIGNATURE "\x21\x00\x00\x00", NULL);
	CHECK_TAKEN(SIGNATURE "\x21\x01\x00\x02xy", NULL);
	CHECK_TAKEN(SIGNATURE "\x21\x10\x00\x0c" V4, NULL);
	CHECK_TAKEN(SIGNATURE "\x21\x12\x00\x0c" V4, NULL);
}

TEST(proxy_v2_of_unix_is_skipped)
{
	struct proxy_header header;
	char data[16 + 216] = SIGNATURE "\x21\x31\x00\xd8";

	CHECK_INT(parse(&header, data, sizeof(data)), (long)sizeof(data));
	CHECK(!header.known);
	CHECK_INT(parse(&header, data, sizeof(data) - 1), 0);
	data[15] = (char)0xd7;
	CHECK_INT(parse(&header, data, sizeof(data)), -1);
}

TEST(proxy_v2_is_strict)
{
	CHECK_BAD("\r\n\r\n\0\r\nQUIX");
	CHECK_BAD(SIGNATURE "\x11");
	CHECK_BAD(SIGNATURE "\x31\x11\x00\x0c" V4);
	CHECK_BAD(SIGNATURE "\x22\x11\x00\x0c" V4);
	CHECK_BAD(SIGNATURE "\x21\x41\x00\x0c" V4);
	CHECK_BAD(SIGNATURE "\x21\x13\x00\x0c" V4);
	CHECK_BAD(SIGNATURE "\x21\x11\x00\x0b\xc0\x00\x02\x01\x0a\x00\x00\x01\x30\x39\x00");
	CHECK_BAD(SIGNATURE "\x21\x21\x00\x0c" V4);
}

TEST(proxy_v2_is_bounded)
{
	struct proxy_header header;
	static char data[PROXY_PROTOCOL_MAX] = SIGNATURE "\x21\x11\x0f\xf0" V4;

	CHECK_INT(parse(&header, data, sizeof(data)), PROXY_PROTOCOL_MAX);
	CHECK(header.known);
	data[15] = (char)0xf1;
	CHECK_INT(parse(&header, data, 16), -1);
	data[14] = data[15] = (char)0xff;
	CHECK_INT(parse(&header, data, 16), -1);
}
