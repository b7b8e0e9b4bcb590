/* SPDX-License-Identifier: MIT */
#include "wsfand/extension.h"

#include <stdio.h>
#include <string.h>

#include "lib/base.h"
#include "tests/unit/unit.h"

#define GOOD "; server_no_context_takeover; client_no_context_takeover"
#define PMD "permessage-deflate"

/* The whole head; `fields` are the values of Sec-WebSocket-Extensions, one a line. */
static int
negotiate(const char *fields, struct deflate_terms *terms)
{
	char text[2048] = "GET / HTTP/1.1\r\nHost: a\r\n";
	struct http_head head;
	const char *error = NULL;
	size_t length;

	for (const char *at = fields; *at != '\0';) {
		length = strcspn(at, "\n");
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "Sec-WebSocket-Extensions: %.*s\r\n", (int)length, at);
		at += length + (at[length] == '\n');
	}
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "\r\n");
	if (http_head_parse(&head, text, strlen(text), &error) <= 0)
		unit_fail(__FILE__, __LINE__, "no head: %s", fields);
	return extension_negotiate(terms, &head);
}

TEST(extension_offers)
{
	static const struct {
		const char *offer;
		uint8_t window; /* 0: declined; 255: malformed */
		bool limited;
	} cases[] = {
	    {"", 0, false},
	    {PMD, 15, false},
	    {PMD "; client_max_window_bits", 15, false},
	    {PMD ";client_max_window_bits=9", 15, false},
	    {PMD "; server_no_context_takeover; client_no_context_takeover", 15, false},
	    {PMD "; server_max_window_bits=8", 8, true},
	    {PMD "; server_max_window_bits=10", 10, true},
	    {PMD " ; server_max_window_bits = \"10\" ; client_max_window_bits", 10, true},
	    {PMD "; server_max_window_bits=\"1\\0\"", 10, true},
	    {PMD "; server_max_window_bits=15", 15, true},
	    /* What is no good declines the offer and nothing else. */
	    {PMD "; server_max_window_bits", 0, false},
	    {PMD "; server_max_window_bits=7", 0, false},
	    {PMD "; server_max_window_bits=16", 0, false},
	    {PMD "; server_max_window_bits=010", 0, false},
	    {PMD "; server_max_window_bits=+10", 0, false},
	    {PMD "; server_max_window_bits=1e1", 0, false},
	    {PMD "; server_max_window_bits=10000000000", 0, false},
	    {PMD "; server_max_window_bits=4294967306", 0, false},
	    {PMD "; client_max_window_bits=7", 0, false},
	    {PMD "; client_max_window_bits=0", 0, false},
	    {PMD "; server_no_context_takeover=1", 0, false},
	    {PMD "; client_no_context_takeover=\"true\"", 0, false},
	    {PMD "; server_no_context_takeover; server_no_context_takeover", 0, false},
	    {PMD "; server_max_window_bits=10; server_max_window_bits=10", 0, false},
	    {PMD "; client_max_window_bits; client_max_window_bits=10", 0, false},
	    {PMD "; unknown", 0, false},
	    {PMD "; unknown=1", 0, false},
	    {PMD "; Server_Max_Window_Bits=10", 0, false},
	    {"x-webkit-deflate-frame", 0, false},
	    {"permessage-deflat", 0, false},
	    {"permessage-deflate2", 0, false},
	    /* In their order; the first good one is taken. */
	    {PMD "; server_max_window_bits=10, " PMD, 10, true},
	    {PMD "; unknown, " PMD, 15, false},
	    {PMD "; server_max_window_bits=99, " PMD "; server_max_window_bits=12", 12, true},
	    {"foo; bar=baz, " PMD "; server_max_window_bits=9", 9, true},
	    {"foo\n" PMD "\nbar", 15, false},
	    {PMD "; server_max_window_bits=11\n" PMD, 11, true},
	    {", ," PMD ",", 15, false},
	    {" \t" PMD "\t", 15, false},
	    /* Not even a list. */
	    {";", 255, false},
	    {PMD ";", 255, false},
	    {PMD "; ;", 255, false},
	    {PMD "; server_max_window_bits=", 255, false},
	    {PMD "; server_max_window_bits=\"10", 255, false},
	    {PMD "; server_max_window_bits=\"\"", 255, false},
	    {PMD "; server_max_window_bits=\"1 0\"", 255, false},
	    {PMD "; =10", 255, false},
	    {PMD " " PMD, 255, false},
	    {PMD "\n@", 255, false},
	    {"a=b", 255, false},
	    {"(x)", 255, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct deflate_terms terms;
		int result = negotiate(cases[i].offer, &terms);

		if ((result < 0) != (cases[i].window == 255) ||
		    (result == 0 &&
			(terms.window != cases[i].window || terms.limited != cases[i].limited)))
			unit_fail(__FILE__, __LINE__, "%s: %d, window %d", cases[i].offer, result,
			    terms.window);
	}
}

TEST(extension_answers)
{
	char out[EXTENSION_ANSWER];
	struct deflate_terms terms = {.window = 0};

	extension_answer(out, &terms);
	CHECK_STRING(out, "");
	terms.window = 15;
	extension_answer(out, &terms);
	CHECK_STRING(out, "Sec-WebSocket-Extensions: " PMD GOOD "\r\n");
	terms.limited = true;
	terms.window = 8;
	extension_answer(out, &terms);
	CHECK_STRING(out, "Sec-WebSocket-Extensions: " PMD GOOD "; server_max_window_bits=8\r\n");
	terms.window = 15;
	extension_answer(out, &terms);
	CHECK_STRING(out, "Sec-WebSocket-Extensions: " PMD GOOD "; server_max_window_bits=15\r\n");
}
