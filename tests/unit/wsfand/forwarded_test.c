/* SPDX-License-Identifier: MIT */
#include "wsfand/forwarded.h"

#include <stdio.h>
#include <string.h>

#include "lib/base.h"
#include "tests/unit/unit.h"
#include "tests/unit/texts.h"

#define PEER "10.0.0.1"
#define TRUSTED "10.0.0.0/8,2001:db8:a::/48"
#define XFF "X-Forwarded-For: "
#define FWD "Forwarded: "

/* Whose a request with these fields is. */
static void
check_client(int line, const char *peer, const char *fields, const char *wanted)
{
	char request[16384], text[ADDRESS_TEXT];
	const char *error = "more is needed";
	struct http_head head;
	struct cidr_list trusted;
	struct address from;

	snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
	if (http_head_parse(&head, request, strlen(request), &error) <= 0)
		unit_fail(__FILE__, line, "no head: %s", error);
	CHECK_INT(cidr_list_parse(&trusted, TRUSTED), 0);
	CHECK_INT(address_parse(&from, peer, strlen(peer)), 0);
	struct address client = forwarded_client(&head, &trusted, &from);
	cidr_list_free(&trusted);
	if (strcmp(address_format(&client, text), wanted) != 0)
		unit_fail(__FILE__, line, "%s, not %s, for: %s", text, wanted, fields);
}
#define CHECK_CLIENT(fields, wanted) check_client(__LINE__, PEER, fields, wanted)

TEST(forwarded_only_from_trusted_peers)
{
	check_client(__LINE__, "192.0.2.9", XFF "203.0.113.5\r\n", "192.0.2.9");
	check_client(__LINE__, "192.0.2.9", FWD "for=203.0.113.5\r\n", "192.0.2.9");
	check_client(__LINE__, "::", XFF "203.0.113.5\r\n", "unix");
	check_client(__LINE__, "::ffff:10.9.9.9", XFF "203.0.113.5\r\n", "203.0.113.5");
	check_client(__LINE__, "2001:db8:a::1", XFF "203.0.113.5\r\n", "203.0.113.5");
}

TEST(forwarded_for_rightmost_untrusted)
{
	CHECK_CLIENT("", PEER);
	CHECK_CLIENT(XFF "203.0.113.5\r\n", "203.0.113.5");
	CHECK_CLIENT(XFF "1.1.1.1, 203.0.113.5\r\n", "203.0.113.5");
	CHECK_CLIENT(XFF "1.1.1.1,203.0.113.5, 10.2.3.4\r\n", "203.0.113.5");
	CHECK_CLIENT(XFF "1.1.1.1\r\n" XFF "203.0.113.5\r\n" XFF "10.2.3.4\r\n", "203.0.113.5");
	CHECK_CLIENT(XFF "10.7.7.7, 10.2.3.4\r\n", "10.7.7.7");
	CHECK_CLIENT(XFF "2001:db8::5\r\n", "2001:db8::5");
	CHECK_CLIENT(XFF "[2001:db8::5]\r\n", "2001:db8::5");
	CHECK_CLIENT(XFF "[2001:db8::5]:8080\r\n", "2001:db8::5");
	CHECK_CLIENT(XFF "203.0.113.5:4711\r\n", "203.0.113.5");
	CHECK_CLIENT(XFF "::ffff:203.0.113.5\r\n", "203.0.113.5");
	CHECK_CLIENT(XFF ",, 203.0.113.5 ,,\r\n", "203.0.113.5");
	CHECK_CLIENT(XFF "garbage, 203.0.113.5\r\n", "203.0.113.5");
	CHECK_CLIENT(XFF "\r\n", PEER);
}

TEST(forwarded_for_malformed)
{
	static const char *const bad[] = {"garbage", "unknown", "203.0.113.5 10.0.0.2",
	    "203.0.113.5, garbage", "203.0.113.5, x, 10.0.0.2", "203.0.113.256",
	    "203.0.113.5:", "203.0.113.5:x", "203.0.113.5:123456", "[203.0.113.5]", "[2001:db8::5",
	    "2001:db8::5]", "[2001:db8::5]x", "[2001:db8::5]:", "[]", "[", ":",
	    "::", "\"203.0.113.5\"", "for=203.0.113.5", "203.0.113.5;10.0.0.2", "fe80::1%eth0"};
	char fields[128];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(fields, sizeof(fields), XFF "%s\r\n", bad[i]);
		CHECK_CLIENT(fields, PEER);
	}
}

TEST(forwarded_standard)
{
	CHECK_CLIENT(FWD "for=203.0.113.5\r\n", "203.0.113.5");
	CHECK_CLIENT(FWD "For=\"203.0.113.5\"\r\n", "203.0.113.5");
	CHECK_CLIENT(FWD "for=\"203.0.113.5:4711\"\r\n", "203.0.113.5");
	CHECK_CLIENT(FWD "for=\"[2001:db8::5]:4711\"\r\n", "2001:db8::5");
	CHECK_CLIENT(FWD "for=\"[2001:db8::5]:_x\"\r\n", "2001:db8::5");
	CHECK_CLIENT(FWD "for=\"\\2\\03.0.113.5\"\r\n", "203.0.113.5");
	CHECK_CLIENT(FWD "for=1.1.1.1;proto=http;by=10.0.0.1, for=203.0.113.5, for=10.2.2.2\r\n",
	    "203.0.113.5");
	CHECK_CLIENT(
	    FWD "proto=https; for=203.0.113.5 ;host=\"a,b;for=9.9.9.9\"\r\n", "203.0.113.5");
	CHECK_CLIENT(FWD "for=1.1.1.1\r\n" FWD "for=203.0.113.5\r\n", "203.0.113.5");
	CHECK_CLIENT(FWD "for=_hidden, for=203.0.113.5\r\n", "203.0.113.5");
	CHECK_CLIENT(FWD ", for=203.0.113.5,\r\n", "203.0.113.5");
}

TEST(forwarded_standard_malformed)
{
	static const char *const bad[] = {"for", "for=", "=203.0.113.5", "for=unknown",
	    "for=_hidden", "for=203.0.113.5, for=unknown", "for=203.0.113.5, proto=http",
	    "for=203.0.113.5;for=203.0.113.5", "for=\"203.0.113.5", "for=\"203.0.113.5\\",
	    "for=\"203.0.113.5\"x", "for=203.0.113.5 for=1.1.1.1", "for =203.0.113.5",
	    "for=\"[203.0.113.5]\"", "fo r=203.0.113.5", "x, for=203.0.113.5",
	    "for=\"x, for=203.0.113.5",
	    "for=\"[2001:db8::5]:_0123456789012345678901234567890123456789012345678901234567\""};
	char fields[160];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(fields, sizeof(fields), FWD "%s\r\n", bad[i]);
		CHECK_CLIENT(fields, PEER);
	}
}

/* A proxy that writes one of the two may pass on a client's other one. */
TEST(forwarded_both_must_agree)
{
	CHECK_CLIENT(XFF "203.0.113.5\r\n" FWD "for=203.0.113.5\r\n", "203.0.113.5");
	CHECK_CLIENT(XFF "203.0.113.5\r\n" FWD "for=203.0.113.6\r\n", PEER);
	CHECK_CLIENT(XFF "203.0.113.5\r\n" FWD "for=\"\r\n", PEER);
	CHECK_CLIENT(XFF "203.0.113.5\r\n" FWD "for=unknown\r\n", PEER);
	CHECK_CLIENT(XFF "garbage\r\n" FWD "for=203.0.113.5\r\n", PEER);
	CHECK_CLIENT(XFF "\r\n" FWD "for=203.0.113.5\r\n", "203.0.113.5");
}

static void
check_long(
    int line, const char *first, const char *more, int times, const char *last, const char *wanted)
{
	char fields[8192] = XFF;

	text_append(fields, sizeof(fields), first, 1);
	text_append(fields, sizeof(fields), more, times);
	text_append(fields, sizeof(fields), last, 1);
	text_append(fields, sizeof(fields), "\r\n", 1);
	check_client(line, PEER, fields, wanted);
}

TEST(forwarded_is_bounded)
{
	const int most = FORWARDED_MAX_NODES;

	check_long(__LINE__, "203.0.113.5", ",10.1.1.1", most - 1, "", "203.0.113.5");
	check_long(__LINE__, "203.0.113.5", ",10.1.1.1", most, "", PEER);
	check_long(__LINE__, "1.1.1.1", ",1.1.1.1", 500, ",203.0.113.5,10.1.1.1", "203.0.113.5");
}
