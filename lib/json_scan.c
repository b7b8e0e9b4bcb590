/* SPDX-License-Identifier: MIT */
#include "lib/json_scan.h"

#include <stdint.h>
#include <string.h>

#include "lib/json_escape.h"

struct scan {
	const char *at, *end;
	uint64_t objects; /* bit d: the container at depth d + 1 is an object */
	unsigned depth;
	const char *error;
};

/* What a value was: its end has been reached, or a container has just been
 * opened and something stands in it. */
enum step { STEP_BAD = -1, STEP_DONE, STEP_OPENED };

/* What a byte means within a string. */
enum string_byte { PLAIN, QUOTE, ESCAPE, CONTROL, WIDE };

static const uint8_t string_bytes[256] = {
    [0 ... 0x1f] = CONTROL,
    ['"'] = QUOTE,
    ['\\'] = ESCAPE,
    [0x80 ... 0xff] = WIDE,
};

static int
fail(struct scan *s, const char *error)
{
	s->error = error;
	return -1;
}

static inline void
skip_space(struct scan *s)
{
	while (
	    s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
		s->at++;
}

static inline bool
take(struct scan *s, char byte)
{
	if (s->at == s->end || *s->at != byte)
		return false;
	s->at++;
	return true;
}

/* A high bit in each byte of `word` that is zero, and perhaps in ones behind the
 * first of those ("Bit Twiddling Hacks", haszero): good enough to ask "none?". */
static inline uint64_t
zero_bytes(uint64_t word)
{
	return (word - 0x0101010101010101u) & ~word & 0x8080808080808080u;
}

/* Eight bytes a turn, while none of them is a quote, a backslash, a control
 * character or beyond ASCII. */
static inline void
skip_plain(struct scan *s)
{
	while (s->end - s->at >= 8) {
		uint64_t word;
		memcpy(&word, s->at, sizeof(word));
		uint64_t control = (word - 0x2020202020202020u) & ~word & 0x8080808080808080u;
		uint64_t wide = word & 0x8080808080808080u;
		uint64_t quote = zero_bytes(word ^ 0x2222222222222222u);
		uint64_t escape = zero_bytes(word ^ 0x5c5c5c5c5c5c5c5cu);
		if ((control | wide | quote | escape) != 0)
			break;
		s->at += 8;
	}
	while (s->at < s->end && string_bytes[(uint8_t)*s->at] == PLAIN)
		s->at++;
}

/* The four digits behind "\u", or -1. */
static int
scan_hex4(struct scan *s)
{
	if (s->end - s->at < 4)
		return fail(s, "unexpected end");
	int value = 0;
	for (int i = 0; i < 4; i++) {
		char digit = *s->at++;
		char lower = (char)(digit | 0x20);
		if (digit >= '0' && digit <= '9')
			value = value * 16 + (digit - '0');
		else if (lower >= 'a' && lower <= 'f')
			value = value * 16 + (lower - 'a' + 10);
		else
			return fail(s, "invalid escape");
	}
	return value;
}

static int
scan_unicode(struct scan *s)
{
	int code = scan_hex4(s);
	if (code < 0)
		return -1;
	if (code < 0xd800 || code > 0xdfff)
		return 0;
	if (code > 0xdbff || !take(s, '\\') || !take(s, 'u'))
		return fail(s, "lone surrogate");
	int low = scan_hex4(s);
	if (low < 0)
		return -1;
	return low >= 0xdc00 && low <= 0xdfff ? 0 : fail(s, "lone surrogate");
}

/* At the backslash. */
static int
scan_escape(struct scan *s)
{
	s->at++;
	if (s->at == s->end)
		return fail(s, "unexpected end");
	char kind = *s->at++;
	if (kind == 'u')
		return scan_unicode(s);
	return kind != '\0' && strchr("\"\\/bfnrt", kind) != NULL ? 0 : fail(s, "invalid escape");
}

/* Behind the opening quote; ends behind the closing one. */
static int
scan_string(struct scan *s)
{
	for (;;) {
		skip_plain(s);
		if (s->at == s->end)
			return fail(s, "unexpected end");
		switch (string_bytes[(uint8_t)*s->at]) {
		case QUOTE:
			s->at++;
			return 0;
		case ESCAPE:
			if (scan_escape(s) < 0)
				return -1;
			break;
		case CONTROL:
			return fail(s, "control character in a string");
		default: {
			size_t size = utf8_sequence(s->at, (size_t)(s->end - s->at));
			if (size == 0)
				return fail(s, "invalid UTF-8");
			s->at += size;
		}
		}
	}
}

/* At least one digit. */
static bool
take_digits(struct scan *s)
{
	const char *start = s->at;
	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > start;
}

static int
scan_number(struct scan *s)
{
	take(s, '-');
	if (!take(s, '0') && !take_digits(s))
		return fail(s, "invalid number");
	if (take(s, '.') && !take_digits(s))
		return fail(s, "invalid number");
	if (take(s, 'e') || take(s, 'E')) {
		if (!take(s, '+'))
			take(s, '-');
		if (!take_digits(s))
			return fail(s, "invalid number");
	}
	return 0;
}

static int
scan_word(struct scan *s, const char *word)
{
	size_t length = strlen(word);
	if ((size_t)(s->end - s->at) < length || memcmp(s->at, word, length) != 0)
		return fail(s, "unexpected character");
	s->at += length;
	return 0;
}

/* At the bracket. */
static int
scan_open(struct scan *s)
{
	bool object = *s->at++ == '{';
	if (s->depth == JSON_MAX_DEPTH)
		return fail(s, "nested too deep");
	skip_space(s);
	if (take(s, object ? '}' : ']'))
		return STEP_DONE;
	uint64_t bit = UINT64_C(1) << s->depth;
	s->objects = object ? s->objects | bit : s->objects & ~bit;
	s->depth++;
	return STEP_OPENED;
}

static int
scan_one(struct scan *s)
{
	if (s->at == s->end)
		return fail(s, "unexpected end");
	switch (*s->at) {
	case '{':
	case '[':
		return scan_open(s);
	case '"':
		s->at++;
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	case '-':
	case '0' ... '9':
		return scan_number(s);
	default:
		return fail(s, "unexpected character");
	}
}

static inline bool
in_object(const struct scan *s)
{
	return s->depth > 0 && (s->objects >> (s->depth - 1) & 1);
}

/* Behind a value: closes what ends here. 1: another value follows, 0: the text
 * is complete, -1: bad. */
static int
scan_behind(struct scan *s)
{
	while (s->depth > 0) {
		skip_space(s);
		if (take(s, ',')) {
			skip_space(s);
			return 1;
		}
		if (s->at == s->end)
			return fail(s, "unexpected end");
		if (!take(s, in_object(s) ? '}' : ']'))
			return fail(s, "unexpected character");
		s->depth--;
	}
	skip_space(s);
	return s->at == s->end ? 0 : fail(s, "bytes behind the value");
}

/* A member's name and colon; *name is what stands between the quotes. */
static int
scan_name(struct scan *s, const char **name, size_t *length)
{
	if (s->at == s->end)
		return fail(s, "unexpected end");
	if (!take(s, '"'))
		return fail(s, "unexpected character");
	*name = s->at;
	if (scan_string(s) < 0)
		return -1;
	*length = (size_t)(s->at - *name) - 1;
	skip_space(s);
	if (!take(s, ':'))
		return fail(s, s->at == s->end ? "unexpected end" : "unexpected character");
	skip_space(s);
	return 0;
}

/* The wanted member of that name that was not met before, or NULL. */
static struct json_member *
member_find(
    struct json_member *members, size_t count, uint64_t *met, const char *name, size_t length)
{
	for (size_t i = 0; i < count; i++) {
		if (!json_escaped_is(name, length, members[i].name))
			continue;
		bool again = *met >> i & 1;
		*met |= UINT64_C(1) << i;
		return again ? NULL : &members[i];
	}
	return NULL;
}

static int
scan_text(struct scan *s, struct json_member *members, size_t count)
{
	uint64_t met = 0;
	int more = 1;
	while (more > 0) {
		struct json_member *member = NULL;
		if (in_object(s)) {
			const char *name;
			size_t length;
			if (scan_name(s, &name, &length) < 0)
				return -1;
			if (s->depth == 1)
				member = member_find(members, count, &met, name, length);
		}
		const char *start = s->at;
		int step = scan_one(s);
		if (step == STEP_BAD)
			return -1;
		if (member != NULL && *start == '"') {
			member->value = start + 1;
			member->length = (size_t)(s->at - start) - 2;
		}
		more = step == STEP_OPENED ? 1 : scan_behind(s);
	}
	return more;
}

static int
scan(const char *text, size_t length, bool object, struct json_member *members, size_t count,
    const char **error)
{
	struct scan s = {.at = text, .end = text + length};
	for (size_t i = 0; i < count; i++) {
		members[i].value = NULL;
		members[i].length = 0;
	}
	skip_space(&s);
	int result;
	if (object && (s.at == s.end || *s.at != '{'))
		result = fail(&s, "not a JSON object");
	else
		result = scan_text(&s, members, count);
	if (result < 0 && error != NULL)
		*error = s.error;
	return result;
}

int
json_scan_object(
    const char *text, size_t length, struct json_member *members, size_t count, const char **error)
{
	return scan(text, length, true, members, count, error);
}

int
json_scan_value(const char *text, size_t length, const char **error)
{
	return scan(text, length, false, NULL, 0, error);
}
