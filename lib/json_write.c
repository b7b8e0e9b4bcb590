/* SPDX-License-Identifier: MIT */
#include "lib/json_write.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/num.h"
#include "lib/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static void
put(struct json_writer *w, const char *bytes, size_t length)
{
	if (!w->failed && buf_append(w->buf, bytes, length) < 0)
		w->failed = true;
}

static void
put_comma(struct json_writer *w)
{
	if (w->comma)
		put(w, ",", 1);
	w->comma = true;
}

void
json_write_begin(struct json_writer *w, struct buf *buf)
{
	*w = (struct json_writer){.buf = buf, .origin = buf_length(buf)};
}

int
json_write_end(struct json_writer *w)
{
	assert(w->depth == 0);
	if (!w->failed)
		return 0;
	w->buf->end = w->buf->start + w->origin;
	errno = ENOBUFS;
	return -1;
}

static void
container_begin(struct json_writer *w, const char *bracket)
{
	put_comma(w);
	put(w, bracket, 1);
	w->comma = false;
	w->depth++;
}

static void
container_end(struct json_writer *w, const char *bracket)
{
	assert(w->depth > 0);
	put(w, bracket, 1);
	w->comma = true;
	w->depth--;
}

void
json_object_begin(struct json_writer *w)
{
	container_begin(w, "{");
}

void
json_object_end(struct json_writer *w)
{
	container_end(w, "}");
}

void
json_array_begin(struct json_writer *w)
{
	container_begin(w, "[");
}

void
json_array_end(struct json_writer *w)
{
	container_end(w, "]");
}

/* Bytes at `text` that may stand in a string as they are. */
static size_t
plain_run(const char *text, size_t length)
{
	size_t at = 0;
	while (at < length && (uint8_t)text[at] >= 0x20 && text[at] != '"' && text[at] != '\\') {
		bool ascii = (uint8_t)text[at] < 0x80;
		size_t size = ascii ? 1 : utf8_sequence(text + at, length - at);
		if (size == 0)
			break;
		at += size;
	}
	return at;
}

static void
put_escaped(struct json_writer *w, char byte)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *known = byte != '\0' ? strchr(from, byte) : NULL;
	if (known != NULL) {
		put(w, (char[]){'\\', to[known - from]}, 2);
	} else if ((uint8_t)byte < 0x20) {
		char code[8];
		put(w, code,
		    (size_t)snprintf(code, sizeof(code), "\\u%04x", (unsigned)(uint8_t)byte));
	} else {
		put(w, REPLACEMENT, strlen(REPLACEMENT));
	}
}

static void
put_quoted(struct json_writer *w, const char *text, size_t length)
{
	put(w, "\"", 1);
	for (size_t at = 0; at < length && !w->failed;) {
		size_t run = plain_run(text + at, length - at);
		put(w, text + at, run);
		at += run;
		if (at < length)
			put_escaped(w, text[at++]);
	}
	put(w, "\"", 1);
}

void
json_key_n(struct json_writer *w, const char *name, size_t length)
{
	put_comma(w);
	put_quoted(w, name, length);
	put(w, ":", 1);
	w->comma = false;
}

void
json_key(struct json_writer *w, const char *name)
{
	json_key_n(w, name, strlen(name));
}

void
json_put_string_n(struct json_writer *w, const char *text, size_t length)
{
	put_comma(w);
	put_quoted(w, text, length);
}

void
json_put_string(struct json_writer *w, const char *text)
{
	json_put_string_n(w, text, strlen(text));
}

void
json_put_raw(struct json_writer *w, const char *json, size_t length)
{
	put_comma(w);
	put(w, json, length);
}

void
json_put_i64(struct json_writer *w, int64_t value)
{
	char text[24];
	json_put_raw(w, text, (size_t)snprintf(text, sizeof(text), "%lld", (long long)value));
}

void
json_put_u64(struct json_writer *w, uint64_t value)
{
	char text[24];
	json_put_raw(
	    w, text, (size_t)snprintf(text, sizeof(text), "%llu", (unsigned long long)value));
}

void
json_put_double(struct json_writer *w, double value)
{
	char text[NUM_DOUBLE_SIZE];
	json_put_raw(w, text, num_format_double(value, text));
}

void
json_put_bool(struct json_writer *w, bool value)
{
	json_put_raw(w, value ? "true" : "false", value ? 4 : 5);
}

void
json_put_null(struct json_writer *w)
{
	json_put_raw(w, "null", 4);
}

void
json_put_time(struct json_writer *w, int64_t wall_ms)
{
	char text[CLOCK_RFC3339_SIZE];
	clock_rfc3339(wall_ms, text);
	json_put_string_n(w, text, CLOCK_RFC3339_SIZE - 1);
}
