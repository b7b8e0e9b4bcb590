/* SPDX-License-Identifier: MIT */
#include "lib/token_source.h"

#include <stdio.h>
#include <string.h>

#include "lib/base.h"
#include "tests/unit/unit.h"

#define AUTH "Authorization: "
#define PROTO "Sec-WebSocket-Protocol: "

static struct token_source source;

static int
find(int line, const char *query, const char *fields, const char **error)
{
	static char request[20000];
	struct http_head head;
	const char *problem = "more is needed";

	snprintf(request, sizeof(request), "GET /ws/forms/x%s HTTP/1.1\r\nHost: a\r\n%s\r\n", query,
	    fields);
	if (http_head_parse(&head, request, strlen(request), &problem) <= 0)
		unit_fail(__FILE__, line, "no head: %s", problem);
	return token_source_find(&source, &head, error);
}

TEST(token_source_places)
{
	static const struct {
		const char *query, *fields;
		enum token_place place;
		bool bearer;
		const char *token;
	} cases[] = {
	    {"", "", TOKEN_NOWHERE, false, ""},
	    {"?x=1", "Authorization: Basic abc\r\n", TOKEN_NOWHERE, false, ""},
	    {"?token=a.b.c", "", TOKEN_IN_QUERY, false, "a.b.c"},
	    {"?x=1&token=a%2Eb&y", "", TOKEN_IN_QUERY, false, "a.b"},
	    {"?tokens=a&xtoken=b&Token=c", "", TOKEN_NOWHERE, false, ""},
	    {"?token", "", TOKEN_NOWHERE, false, ""},
	    {"?token=", AUTH "Bearer x\r\n", TOKEN_IN_AUTHORIZATION, false, "x"},
	    {"?token=x&token=x", "", TOKEN_IN_QUERY, false, "x"},
	    {"", AUTH "Bearer a.b.c\r\n", TOKEN_IN_AUTHORIZATION, false, "a.b.c"},
	    {"", "authorization: bEARER   a.b.c \r\n", TOKEN_IN_AUTHORIZATION, false, "a.b.c"},
	    {"", AUTH "Bearer\r\n", TOKEN_NOWHERE, false, ""},
	    {"", AUTH "Bearerx\r\n", TOKEN_NOWHERE, false, ""},
	    {"", AUTH "Basic q\r\n" AUTH "Bearer x\r\n", TOKEN_IN_AUTHORIZATION, false, "x"},
	    {"", PROTO "bearer, a.b.c\r\n", TOKEN_IN_PROTOCOL, true, "a.b.c"},
	    {"", PROTO "bearer,a.b.c\r\n", TOKEN_IN_PROTOCOL, true, "a.b.c"},
	    {"", PROTO "bearer\r\n" PROTO "a.b.c\r\n", TOKEN_IN_PROTOCOL, true, "a.b.c"},
	    {"", PROTO "dune, bearer, a.b.c, more\r\n", TOKEN_IN_PROTOCOL, true, "a.b.c"},
	    {"", PROTO "bearer\r\n", TOKEN_NOWHERE, true, ""},
	    {"", PROTO "bearer, \r\n", TOKEN_NOWHERE, true, ""},
	    {"", PROTO "bearer, bearer\r\n", TOKEN_IN_PROTOCOL, true, "bearer"},
	    {"", PROTO "Bearer, a.b.c\r\n", TOKEN_NOWHERE, false, ""},
	    {"", PROTO "dune\r\n", TOKEN_NOWHERE, false, ""},
	    {"?token=x", PROTO "bearer\r\n", TOKEN_IN_QUERY, true, "x"},
	    {"?token=x", AUTH "Bearer x\r\n" PROTO "bearer, x\r\n", TOKEN_IN_QUERY, true, "x"},
	};
	const char *error;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (find(__LINE__, cases[i].query, cases[i].fields, &error) < 0)
			unit_fail(__FILE__, __LINE__, "case %zu: %s", i, error);
		if (source.place != cases[i].place || source.bearer_offered != cases[i].bearer)
			unit_fail(__FILE__, __LINE__, "case %zu: place %d, offered %d", i,
			    source.place, source.bearer_offered);
		CHECK_STRING(source.token, cases[i].token);
		CHECK_INT(source.length, strlen(cases[i].token));
	}
}

TEST(token_source_refuses)
{
	static const struct {
		const char *query, *fields, *error;
	} cases[] = {
	    {"?token=x&token=y", "", "several tokens that differ"},
	    {"?token=x", AUTH "Bearer y\r\n", "several tokens that differ"},
	    {"?token=x", PROTO "bearer, y\r\n", "several tokens that differ"},
	    {"", AUTH "Bearer x\r\n" AUTH "Bearer xx\r\n", "several tokens that differ"},
	    {"", PROTO "bearer, x, bearer, y\r\n", "several tokens that differ"},
	    {"", AUTH "Bearer x\r\n" PROTO "bearer, y\r\n", "several tokens that differ"},
	    {"?token=%4", "", "token badly encoded"},
	    {"?token=%00", "", "token badly encoded"},
	};
	const char *error;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CHECK_INT(find(__LINE__, cases[i].query, cases[i].fields, &error), -1);
		CHECK_STRING(error, cases[i].error);
	}
}

/* Where no token is asked for the rest of such a request counts all the same. */
TEST(token_source_knows_whether_bearer_was_offered)
{
	const char *error;

	CHECK_INT(find(__LINE__, "?token=%4", PROTO "chat\r\n", &error), -1);
	CHECK(!source.bearer_offered);
	CHECK_INT(find(__LINE__, "?token=%4", PROTO "bearer, y\r\n", &error), -1);
	CHECK(source.bearer_offered);
	CHECK_STRING(error, "token badly encoded");
	CHECK_INT(find(__LINE__, "", AUTH "Bearer x\r\n" PROTO "bearer, y\r\n", &error), -1);
	CHECK(source.bearer_offered);
}

TEST(token_source_is_bounded)
{
	static char fields[TOKEN_MAX + 64] = AUTH "Bearer ";
	const char *error;
	size_t start = strlen(fields);

	memset(fields + start, 'a', TOKEN_MAX + 1);
	memcpy(fields + start + TOKEN_MAX, "\r\n", 3);
	CHECK_INT(find(__LINE__, "", fields, &error), 0);
	CHECK_INT(source.length, TOKEN_MAX);
	memcpy(fields + start + TOKEN_MAX, "a\r\n", 4);
	CHECK_INT(find(__LINE__, "", fields, &error), -1);
	CHECK_STRING(error, "token too long");
}
