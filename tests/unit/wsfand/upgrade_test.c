/* SPDX-License-Identifier: MIT */
#include "wsfand/upgrade.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base.h"
#include "tests/unit/unit.h"
#include "wsfand/answer.h"
#include "wsfand/peek.h"

#define ID "60f7b1b9e1234567890abcde"
#define HOST "Host: dash.org\r\n"
#define ASK "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define LINE "GET /ws/forms/" ID " HTTP/1.1\r\n"

static enum verdict
judge(const char *text, struct upgrade *upgrade)
{
	struct http_head head;
	const char *error = NULL;

	if (http_head_parse(&head, text, strlen(text), &error) <= 0)
		unit_fail(__FILE__, __LINE__, "no head: %s: %s", error ? error : "?", text);
	return upgrade_judge(upgrade, &head, "https://good.org");
}

TEST(upgrade_verdicts)
{
	static const struct {
		const char *request;
		enum verdict verdict;
	} cases[] = {
	    {LINE HOST ASK VERSION KEY "\r\n", VERDICT_SWITCH},
	    {"GET /ws/forms/60F7B1B9E1234567890ABCDE?x=1 HTTP/1.1\r\n" HOST ASK VERSION KEY "\r\n",
		VERDICT_SWITCH},
	    {LINE HOST "upgrade: WebSocket\r\nconnection: UPGRADE\r\n" VERSION KEY "\r\n",
		VERDICT_SWITCH},
	    {"GET /ws/forms/zz HTTP/1.1\r\n" HOST ASK VERSION KEY "\r\n", VERDICT_BAD_ID},
	    {"GET /ws/forms/ HTTP/1.1\r\n" HOST ASK VERSION KEY "\r\n", VERDICT_BAD_ID},
	    {"GET /ws/forms/" ID "0 HTTP/1.1\r\n" HOST ASK VERSION KEY "\r\n", VERDICT_BAD_ID},
	    {"GET /ws/forms/" ID "/x HTTP/1.1\r\n" HOST ASK VERSION KEY "\r\n", VERDICT_PATH},
	    {"GET /ws/ HTTP/1.1\r\n" HOST ASK VERSION KEY "\r\n", VERDICT_PATH},
	    {"GET /ws/other HTTP/1.1\r\n" HOST "\r\n", VERDICT_PATH},
	    {"POST /ws/forms/" ID " HTTP/1.1\r\n" HOST ASK VERSION KEY "\r\n", VERDICT_METHOD},
	    {LINE HOST "\r\n", VERDICT_UPGRADE},
	    {LINE HOST "Upgrade: websocket\r\n" VERSION KEY "\r\n", VERDICT_UPGRADE},
	    {LINE HOST "Upgrade: h2c\r\nConnection: Upgrade\r\n" VERSION KEY "\r\n",
		VERDICT_UPGRADE},
	    {"GET /ws/forms/" ID " HTTP/1.0\r\n" HOST ASK VERSION KEY "\r\n", VERDICT_MALFORMED},
	    {LINE HOST ASK KEY "\r\n", VERDICT_VERSION},
	    {LINE HOST ASK "Sec-WebSocket-Version: 8\r\n" KEY "\r\n", VERDICT_VERSION},
	    {LINE HOST ASK VERSION VERSION KEY "\r\n", VERDICT_VERSION},
	    {LINE HOST ASK VERSION "\r\n", VERDICT_MALFORMED},
	    {LINE HOST ASK VERSION KEY KEY "\r\n", VERDICT_MALFORMED},
	    {LINE HOST ASK VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n\r\n",
		VERDICT_MALFORMED},
	    {LINE HOST ASK VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==\r\n\r\n",
		VERDICT_MALFORMED},
	    {LINE HOST ASK VERSION KEY "Content-Length: 5\r\n\r\n", VERDICT_MALFORMED},
	    {LINE HOST ASK VERSION KEY "Content-Length: 0\r\n\r\n", VERDICT_SWITCH},
	    {LINE HOST ASK VERSION KEY "Transfer-Encoding: chunked\r\n\r\n", VERDICT_MALFORMED},
	    {LINE HOST ASK VERSION KEY "Origin: https://good.org\r\n\r\n", VERDICT_SWITCH},
	    {LINE HOST ASK VERSION KEY "Origin: https://dash.org\r\n\r\n", VERDICT_SWITCH},
	    {LINE HOST ASK VERSION KEY "Origin: https://evil.org\r\n\r\n", VERDICT_ORIGIN},
	    {LINE HOST ASK VERSION KEY "Origin: null\r\n\r\n", VERDICT_ORIGIN},
	    {LINE HOST ASK VERSION KEY
		"Origin: https://good.org\r\nOrigin: https://good.org\r\n\r\n",
		VERDICT_ORIGIN},
	    {LINE HOST ASK VERSION KEY "Sec-WebSocket-Extensions: x; =\r\n\r\n", VERDICT_MALFORMED},
	    /* the order of the checks */
	    {"POST /ws/forms/zz HTTP/1.1\r\n" HOST "Origin: https://evil.org\r\n\r\n",
		VERDICT_BAD_ID},
	    {LINE HOST ASK "Origin: https://evil.org\r\n\r\n", VERDICT_VERSION},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct upgrade upgrade;
		enum verdict verdict = judge(cases[i].request, &upgrade);

		if (verdict != cases[i].verdict)
			unit_fail(__FILE__, __LINE__, "%d, not %d: %s", verdict, cases[i].verdict,
			    cases[i].request);
		CHECK((verdict == VERDICT_MALFORMED) == (upgrade.problem != NULL));
	}
}

/* The example of RFC 6455, 1.3. */
TEST(upgrade_accept_key)
{
	char out[ANSWER_SIZE];
	struct slice key = {"dGhlIHNhbXBsZSBub25jZQ==", 24};
	struct deflate_terms none = {.window = 0};
	size_t length = answer_switch(out, key, &none, NULL);

	CHECK_INT(length, strlen(out));
	CHECK(strstr(out, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n") != NULL);
}

TEST(upgrade_refusals)
{
	char out[ANSWER_SIZE];

	answer_refuse(out, VERDICT_BAD_ID, NULL, 0);
	CHECK(strstr(out, "HTTP/1.1 400 ") == out);
	CHECK(strstr(out, "\r\n\r\n{\"error\":\"Invalid form ID format\"}") != NULL);
	answer_refuse(out, VERDICT_MALFORMED, "bare CR", 0);
	CHECK(strstr(out, "{\"error\":\"bare CR\"}") != NULL);
	answer_refuse(out, VERDICT_VERSION, NULL, 0);
	CHECK(strstr(out, "\r\nSec-WebSocket-Version: 13\r\n") != NULL);
	answer_refuse(out, VERDICT_FULL, NULL, 0);
	CHECK(strstr(out, "\r\nRetry-After: ") != NULL);
	answer_refuse(out, VERDICT_RATE, NULL, 17);
	CHECK(strstr(out, "HTTP/1.1 429 ") == out);
	CHECK(strstr(out, "\r\nRetry-After: 17\r\n") != NULL);
	answer_refuse(out, VERDICT_TOKEN_EXPIRED, "token expired", 0);
	CHECK(strstr(out, "HTTP/1.1 401 ") == out);
	CHECK(strstr(out, "\r\nWWW-Authenticate: Bearer error=\"invalid_token\"\r\n") != NULL);
	CHECK(strstr(out, "{\"error\":\"token expired\"}") != NULL);
	for (enum verdict verdict = VERDICT_BAD_ID; verdict <= VERDICT_STATSD; verdict++) {
		size_t body, length = answer_refuse(out, verdict, "problem", 0);
		const char *end = strstr(out, "\r\n\r\n");

		CHECK(end != NULL);
		body = strtoul(strstr(out, "Content-Length: ") + 16, NULL, 10);
		CHECK_INT(body, strlen(end + 4));
		CHECK_INT(length, strlen(out));
		CHECK(strstr(out, "\r\nConnection: close") != NULL);
	}
}

TEST(peek_verdicts)
{
	static const struct {
		const char *data;
		enum peek verdict;
	} cases[] = {
	    {"", PEEK_MORE},
	    {"G", PEEK_MORE},
	    {"GET", PEEK_MORE},
	    {"GET ", PEEK_MORE},
	    {"GET /", PEEK_MORE},
	    {"GET /ws", PEEK_MORE},
	    {"GET /ws/", PEEK_OURS},
	    {"GET /ws/forms/x HTTP/1.1\r\n", PEEK_OURS},
	    {"POST /ws/forms/x", PEEK_OURS},
	    {"GET /a", PEEK_OTHER},
	    {"GET /wsx", PEEK_OTHER},
	    {"GET /ws?x", PEEK_OTHER},
	    {"GET http://a/ws/", PEEK_OTHER},
	    {"OPTIONS *", PEEK_OTHER},
	    {" GET /ws/", PEEK_JUNK},
	    {"\r\nGET /", PEEK_JUNK},
	    {"GET\t/", PEEK_JUNK},
	    {"\x16\x03\x01", PEEK_JUNK},
	    {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", PEEK_JUNK},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (peek_judge(cases[i].data, strlen(cases[i].data)) != cases[i].verdict)
			unit_fail(__FILE__, __LINE__, "%s", cases[i].data);
	}
}
