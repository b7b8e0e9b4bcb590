/* SPDX-License-Identifier: MIT */
#include "lib/http_head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct http_head head;

static long
parse(const char *text, const char **error)
{
	return http_head_parse(&head, text, strlen(text), error);
}

static void
check_bad(const char *text, const char *want)
{
	const char *error = "(none)";
	long result = parse(text, &error);
	if (result != -1)
		unit_fail(__FILE__, __LINE__, "%ld for: %s", result, text);
	if (strcmp(error, want) != 0)
		unit_fail(__FILE__, __LINE__, "\"%s\", not \"%s\" for: %s", error, want, text);
}

#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"

static const char upgrade[] = "GET /ws/forms/60f7?token=a.b&x=1 HTTP/1.1\r\n"
			      "Host: localhost:8080\r\n"
			      "Connection: keep-alive, Upgrade\r\n"
			      "upgrade:websocket\r\n"
			      "X-Empty:\r\n"
			      "X-Space: \t a b \t \r\n"
			      "Connection: other\r\n"
			      "\r\n";

TEST(http_head_takes_a_request)
{
	char text[600];
	snprintf(text, sizeof(text), "%sbody", upgrade);
	CHECK_INT(parse(text, NULL), (long)strlen(upgrade));
	CHECK(slice_equal(head.method, "GET"));
	CHECK(slice_equal(head.target, "/ws/forms/60f7?token=a.b&x=1"));
	CHECK(slice_equal(head.path, "/ws/forms/60f7"));
	CHECK(slice_equal(head.query, "token=a.b&x=1"));
	CHECK_INT(head.minor, 1);
	CHECK_INT(head.field_count, 6);
	CHECK(slice_equal(http_head_find(&head, "HOST", NULL)->value, "localhost:8080"));
	CHECK(slice_equal(http_head_find(&head, "x-empty", NULL)->value, ""));
	CHECK(slice_equal(http_head_find(&head, "x-space", NULL)->value, "a b"));
	CHECK(http_head_find(&head, "absent", NULL) == NULL);
	const struct http_field *first = http_head_find(&head, "connection", NULL);
	CHECK(slice_equal(http_head_find(&head, "connection", first)->value, "other"));
	CHECK(http_head_has_token(&head, "Connection", "upgrade"));
	CHECK(http_head_has_token(&head, "Connection", "OTHER"));
	CHECK(!http_head_has_token(&head, "Connection", "up"));
	CHECK(!http_head_has_token(&head, "Absent", "up"));
}

/* Byte by byte, without reading beyond what has come. */
TEST(http_head_asks_for_more)
{
	for (size_t length = 0; length < strlen(upgrade); length++) {
		char *copy = malloc(length > 0 ? length : 1);
		memcpy(copy, upgrade, length);
		CHECK_INT(http_head_parse(&head, copy, length, NULL), 0);
		free(copy);
	}
}

TEST(http_head_refuses_request_lines)
{
	check_bad("\r\n" GET HOST "\r\n", "malformed request line");
	check_bad(" / HTTP/1.1\r\n", "malformed request line");
	check_bad("G(T / HTTP/1.1\r\n", "malformed request line");
	check_bad("GET\r\n", "malformed request target");
	check_bad("GET  / HTTP/1.1\r\n", "malformed request target");
	check_bad("GET a HTTP/1.1\r\n", "malformed request target");
	check_bad("GET http://a/ HTTP/1.1\r\n", "malformed request target");
	check_bad("GET * HTTP/1.1\r\n", "malformed request target");
	check_bad("GET /\xc3\xbc HTTP/1.1\r\n", "malformed request target");
	check_bad("GET /#a HTTP/1.1\r\n", "malformed request target");
	check_bad("GET /\r\n", "malformed request line");
	check_bad("GET / HTTP/1.1 \r\n", "malformed request line");
	check_bad("GET / http/1.1\r\n", "malformed request line");
	check_bad("GET / HTTP/2.0\r\n", "unsupported HTTP version");
	check_bad("GET / HTTP/1.2\r\n", "unsupported HTTP version");
}

TEST(http_head_refuses_fields)
{
	check_bad(GET "Host : a\r\n", "space in a header field name");
	check_bad(GET HOST " folded\r\n", "folded header field");
	check_bad(GET "\tfolded\r\n", "folded header field");
	check_bad(GET ": a\r\n", "malformed header field");
	check_bad(GET "Host\r\n", "malformed header field");
	check_bad(GET "H\xc3\xb6st: a\r\n", "malformed header field");
	check_bad(GET "Host: a\n", "bare LF");
	check_bad("GET / HTTP/1.1\n", "bare LF");
	check_bad(GET "Host: a\rb\r\n", "bare CR");
	check_bad(GET HOST "\rx", "bare CR");
	check_bad(GET "Host: a\x01", "control character");
	check_bad(GET "Host: a\x7f\r\n", "control character");
	const char *error;
	CHECK_INT(http_head_parse(&head, "GET /\0", 6, &error), -1);
	CHECK_STRING(error, "control character");
}

TEST(http_head_refuses_what_contradicts_itself)
{
	check_bad(GET "\r\n", "missing Host");
	check_bad(GET HOST "host: a\r\n\r\n", "several Host fields");
	check_bad("GET / HTTP/1.0\r\n" HOST HOST "\r\n", "several Host fields");
	check_bad(GET HOST "Content-Length: 1\r\ncontent-length: 1\r\n\r\n",
	    "several Content-Length fields");
	check_bad(GET HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
	    "Content-Length with Transfer-Encoding");
	check_bad(GET HOST "Content-Length: +1\r\n\r\n", "malformed Content-Length");
	check_bad(GET HOST "Content-Length: 1, 1\r\n\r\n", "malformed Content-Length");
	check_bad(GET HOST "Content-Length:\r\n\r\n", "malformed Content-Length");
	CHECK(parse("GET / HTTP/1.0\r\n\r\n", NULL) > 0);
	CHECK_INT(head.minor, 0);
	CHECK(parse("POST / HTTP/1.1\r\nHost:\r\nContent-Length: 10\r\n\r\n", NULL) > 0);
	CHECK(parse(GET HOST "Transfer-Encoding: chunked\r\n\r\n", NULL) > 0);
	CHECK(http_head_find(&head, "transfer-encoding", NULL) != NULL);
}

TEST(http_head_limits_the_fields)
{
	char text[4096];
	size_t used = (size_t)snprintf(text, sizeof(text), GET HOST);
	for (int i = 1; i < HTTP_HEAD_MAX_FIELDS; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "X: y\r\n");
	snprintf(text + used, sizeof(text) - used, "\r\n");
	CHECK(parse(text, NULL) > 0);
	CHECK_INT(head.field_count, HTTP_HEAD_MAX_FIELDS);
	snprintf(text + used, sizeof(text) - used, "X: y\r\n");
	check_bad(text, "too many header fields");
}

static void
check_query(const char *query, const char *name, const char *want)
{
	char out[8];
	int length = http_query_get((struct slice){query, strlen(query)}, name, out, sizeof(out));
	CHECK_INT(length, want != NULL ? (int)strlen(want) : -1);
	if (want != NULL)
		CHECK_STRING(out, want);
}

TEST(http_query_is_decoded)
{
	check_query("a=1&bc=2&a=3", "a", "1");
	check_query("a=1&bc=2", "bc", "2");
	check_query("a=1&bc=2", "b", NULL);
	check_query("", "a", NULL);
	check_query("a", "a", "");
	check_query("a=", "a", "");
	check_query("x&a", "a", "");
	check_query("&&a=1&", "a", "1");
	check_query("a=b=c", "a", "b=c");
	check_query("a=%41%2f%2F+", "a", "A//+");
	check_query("a=%4", "a", NULL);
	check_query("a=%", "a", NULL);
	check_query("a=%zz", "a", NULL);
	check_query("a=%00", "a", NULL);
	check_query("a=1234567", "a", "1234567");
	check_query("a=12345678", "a", NULL);
}
