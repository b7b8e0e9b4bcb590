/* SPDX-License-Identifier: MIT */
#include "wsfand/wire.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define MAX_MESSAGE 200

static const struct wire_terms terms = {.max_message = MAX_MESSAGE};

/* What came out, as text: t:… ping:… pong close:code */
static char seen[4096];
static bool closed;

static bool
on_text(void *owner UNUSED, const char *text, size_t length)
{
	size_t at = strlen(seen);

	snprintf(seen + at, sizeof(seen) - at, "t:%.*s ", (int)length, text);
	return true;
}

static bool
on_ping(void *owner UNUSED, const uint8_t *payload, size_t length)
{
	size_t at = strlen(seen);

	snprintf(seen + at, sizeof(seen) - at, "ping:%.*s ", (int)length, (const char *)payload);
	return true;
}

static bool
on_pong(void *owner UNUSED)
{
	size_t at = strlen(seen);

	snprintf(seen + at, sizeof(seen) - at, "pong ");
	return true;
}

static void
on_close(void *owner UNUSED, uint16_t code)
{
	size_t at = strlen(seen);

	snprintf(seen + at, sizeof(seen) - at, "close:%d ", code);
	closed = true;
}

static const struct wire_events events = {on_text, on_ping, on_pong, on_close};

/* Masked bytes of one frame, behind `out`. */
static size_t
put(uint8_t *out, uint8_t first, const void *payload, size_t length)
{
	static const uint8_t mask[4] = {0x11, 0x22, 0x33, 0x44};
	size_t at = 0;

	out[at++] = first;
	if (length < 126) {
		out[at++] = 0x80 | (uint8_t)length;
	} else {
		out[at++] = 0x80 | 126;
		out[at++] = (uint8_t)(length >> 8);
		out[at++] = (uint8_t)length;
	}
	memcpy(out + at, mask, 4);
	at += 4;
	for (size_t i = 0; i < length; i++)
		out[at + i] = ((const uint8_t *)payload)[i] ^ mask[i % 4];
	return at + length;
}

/* As an upgrade in place does it. */
static void
resume(struct wire **wire)
{
	struct wire *again = NULL;
	struct wire_half half;

	wire_save(*wire, &half);
	CHECK_INT(wire_resume(&again, &terms, &half), CLOSE_NONE);
	CHECK_INT(again == NULL, *wire == NULL);
	wire_free(wire);
	*wire = again;
}

/* In pieces of `piece` bytes. */
static enum close_reason
feed(const uint8_t *data, size_t length, size_t piece, bool resumed)
{
	struct wire *wire = NULL;
	enum close_reason reason = CLOSE_NONE;

	seen[0] = '\0';
	closed = false;
	for (size_t at = 0; at < length && reason == CLOSE_NONE && !closed; at += piece) {
		reason = wire_feed(
		    &wire, &terms, data + at, MIN(piece, length - at), &events, NULL);
		if (resumed && reason == CLOSE_NONE && !closed)
			resume(&wire);
	}
	wire_free(&wire);
	return reason;
}

struct part {
	uint8_t first;
	const char *payload;
	size_t length;
};
#define PART(first, text)                         \
	{                                         \
		(first), (text), sizeof(text) - 1 \
	}

static const struct {
	struct part parts[6];
	enum close_reason reason;
	const char *seen;
} cases[] = {
    {{PART(0x81, "hello")}, CLOSE_NONE, "t:hello "},
    {{PART(0x81, "")}, CLOSE_NONE, "t: "},
    {{PART(0x81, "a"), PART(0x81, "b")}, CLOSE_NONE, "t:a t:b "},
    {{PART(0x01, "he"), PART(0x00, "l"), PART(0x80, "lo")}, CLOSE_NONE, "t:hello "},
    {{PART(0x01, ""), PART(0x00, ""), PART(0x80, "")}, CLOSE_NONE, "t: "},
    {{PART(0x01, "he"), PART(0x89, "p"), PART(0x8a, "q"), PART(0x80, "y")}, CLOSE_NONE,
	"ping:p pong t:hey "},
    {{PART(0x01, "he"), PART(0x80, "y"), PART(0x81, "x")}, CLOSE_NONE, "t:hey t:x "},
    {{PART(0x01, "\xc3"), PART(0x80, "\xa9")}, CLOSE_NONE, "t:\xc3\xa9 "},
    {{PART(0x89, "")}, CLOSE_NONE, "ping: "},
    {{PART(0x88, "")}, CLOSE_NONE, "close:0 "},
    {{PART(0x88, "\x03\xe8")}, CLOSE_NONE, "close:1000 "},
    {{PART(0x88, "\x03\xf4")}, CLOSE_NONE, "close:1012 "},
    {{PART(0x88, "\x03\xf6")}, CLOSE_NONE, "close:1014 "},
    {{PART(0x88, "\x03\xe8r\xc3\xa9")}, CLOSE_NONE, "close:1000 "},
    {{PART(0x88, "\x03\xe8"), PART(0x81, "late")}, CLOSE_NONE, "close:1000 "},
    {{PART(0x88, "\x03")}, CLOSE_PROTOCOL, ""},
    {{PART(0x88, "\x03\xec")}, CLOSE_PROTOCOL, ""},
    {{PART(0x88, "\x03\xed")}, CLOSE_PROTOCOL, ""},
    {{PART(0x88, "\x03\xee")}, CLOSE_PROTOCOL, ""},
    {{PART(0x88, "\x03\xf7")}, CLOSE_PROTOCOL, ""},
    {{PART(0x88, "\x03\xe7")}, CLOSE_PROTOCOL, ""},
    {{PART(0x88, "\x07\xd0")}, CLOSE_PROTOCOL, ""},
    {{PART(0x88, "\x13\x88")}, CLOSE_PROTOCOL, ""},
    {{PART(0x88, "\x03\xe8\xc3")}, CLOSE_UTF8, ""},
    {{PART(0x82, "b")}, CLOSE_BINARY, ""},
    {{PART(0x02, "b"), PART(0x80, "c")}, CLOSE_BINARY, ""},
    {{PART(0x81, "\xff")}, CLOSE_UTF8, ""},
    {{PART(0x01, "\xc3"), PART(0x80, "x")}, CLOSE_UTF8, ""},
    {{PART(0x80, "x")}, CLOSE_PROTOCOL, ""},
    {{PART(0x01, "x"), PART(0x81, "y")}, CLOSE_PROTOCOL, ""},
    {{PART(0x83, "x")}, CLOSE_PROTOCOL, ""},
    {{PART(0x8b, "x")}, CLOSE_PROTOCOL, ""},
    {{PART(0xc1, "x")}, CLOSE_PROTOCOL, ""},
    {{PART(0x99, "x")}, CLOSE_PROTOCOL, ""},
    {{PART(0x09, "x")}, CLOSE_PROTOCOL, ""},
};

TEST(wire_whole_and_in_pieces)
{
	static const size_t pieces[] = {1, 2, 3, 7, 1000};
	uint8_t data[1024];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t length = 0;

		for (const struct part *part = cases[i].parts; part->payload; part++)
			length += put(data + length, part->first, part->payload, part->length);
		for (size_t p = 0; p < 2 * ARRAY_SIZE(pieces); p++) {
			enum close_reason reason = feed(data, length, pieces[p / 2], p % 2);

			if (reason != cases[i].reason || strcmp(seen, cases[i].seen) != 0)
				unit_fail(__FILE__, __LINE__, "case %zu by %zu: %s, %s", i,
				    pieces[p / 2], close_reason_text(reason), seen);
		}
	}
}

TEST(wire_lengths)
{
	char text[MAX_MESSAGE + 1];
	uint8_t data[1024];
	size_t length;

	memset(text, 'x', sizeof(text));
	length = put(data, 0x81, text, MAX_MESSAGE);
	CHECK_INT(feed(data, length, 50, false), CLOSE_NONE);
	CHECK_INT(strlen(seen), MAX_MESSAGE + 3);
	/* As soon as the length is known, and without a byte of payload. */
	put(data, 0x81, text, MAX_MESSAGE + 1);
	CHECK_INT(feed(data, 3, 1, false), CLOSE_NONE);
	CHECK_INT(feed(data, 4, 1, false), CLOSE_TOO_LONG);
	/* The sum of the fragments counts. */
	length = put(data, 0x01, text, MAX_MESSAGE - 1);
	length += put(data + length, 0x80, text, 2);
	CHECK_INT(feed(data, length, 1000, false), CLOSE_TOO_LONG);
	length = put(data, 0x01, text, MAX_MESSAGE - 1);
	length += put(data + length, 0x80, text, 1);
	CHECK_INT(feed(data, length, 3, false), CLOSE_NONE);
	CHECK_INT(strlen(seen), MAX_MESSAGE + 3);
}

TEST(wire_broken_headers)
{
	static const struct {
		const char *bytes;
		size_t length;
		enum close_reason reason;
	} headers[] = {
	    {"\x81\x01x", 3, CLOSE_PROTOCOL}, /* unmasked */
	    {"\x81\xfe\x00\x05mask12345", 13, CLOSE_PROTOCOL}, /* 5 in the longer form */
	    {"\x89\xfe\x00\x7e", 4, CLOSE_PROTOCOL}, /* a ping of 126 bytes */
	    {"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xffmask", 14, CLOSE_PROTOCOL},
	    {"\x81\xff\x00\x00\x00\x01\x00\x00\x00\x00mask", 14, CLOSE_TOO_LONG},
	    {"\xf1", 1, CLOSE_PROTOCOL}, /* reserved bits, by the first byte */
	};

	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		enum close_reason reason = feed(
		    (const uint8_t *)headers[i].bytes, headers[i].length, 1, false);

		if (reason != headers[i].reason)
			unit_fail(__FILE__, __LINE__, "case %zu: %s", i, close_reason_text(reason));
	}
}

TEST(wire_idle_costs_nothing)
{
	struct wire *wire = NULL;
	uint8_t data[64];
	size_t length = put(data, 0x81, "hello", 5);

	seen[0] = '\0';
	CHECK_INT(wire_feed(&wire, &terms, data, length, &events, NULL), CLOSE_NONE);
	CHECK(wire == NULL);
	CHECK_INT(wire_feed(&wire, &terms, data, 3, &events, NULL), CLOSE_NONE);
	CHECK(wire != NULL);
	CHECK_INT(wire_feed(&wire, &terms, data + 3, length - 3, &events, NULL), CLOSE_NONE);
	CHECK(wire == NULL);
	CHECK_STRING(seen, "t:hello t:hello ");
}

TEST(wire_resumes_only_what_is_half)
{
	const struct wire_terms narrow = {.max_message = 4};
	struct wire_half half = {.fragments = (const uint8_t *)""};
	struct wire *wire = NULL;
	uint8_t data[64];

	half.frame = data;
	half.frame_length = put(data, 0x81, "whole", 5);
	CHECK_INT(wire_resume(&wire, &terms, &half), CLOSE_FAULT);
	CHECK(wire == NULL);
	half.frame_length--;
	CHECK_INT(wire_resume(&wire, &narrow, &half), CLOSE_TOO_LONG);
	CHECK(wire == NULL);
	half = (struct wire_half){.frame = data,
	    .fragments = (const uint8_t *)"hello",
	    .fragments_length = 5,
	    .opcode = 1};
	CHECK_INT(wire_resume(&wire, &narrow, &half), CLOSE_TOO_LONG);
	half.fragments_length = 2;
	half.deflated = true;
	CHECK_INT(wire_resume(&wire, &narrow, &half), CLOSE_PROTOCOL);
	half.deflated = false;
	half.fragments = (const uint8_t *)"\xff\xff";
	CHECK_INT(wire_resume(&wire, &narrow, &half), CLOSE_UTF8);
	CHECK(wire == NULL);
}
