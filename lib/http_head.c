/* SPDX-License-Identifier: MIT */
#include "lib/http_head.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

/* What is left of the head while it is being parsed. */
struct cursor {
	const char *at, *end;
	const char *error;
};

static int
fail(struct cursor *cursor, const char *error)
{
	cursor->error = error;
	return -1;
}

/* RFC 9110, section 5.6.2. */
static bool
is_token_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	    (byte >= '0' && byte <= '9') ||
	    (byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

static size_t
token_span(struct slice slice)
{
	size_t length = 0;
	while (length < slice.length && is_token_byte(slice.bytes[length]))
		length++;
	return length;
}

static bool
is_control(char byte)
{
	return ((uint8_t)byte < 0x20 && byte != '\t') || byte == 0x7f;
}

/* 1 and the next line without its CR LF; 0 when it has not come whole; -1. What
 * there is of an unfinished line is judged at once, so that no garbage waits. */
static int
next_line(struct cursor *cursor, struct slice *line)
{
	const char *at = cursor->at;
	while (at < cursor->end && !is_control(*at))
		at++;
	if (at == cursor->end)
		return 0;
	if (*at == '\n')
		return fail(cursor, "bare LF");
	if (*at != '\r')
		return fail(cursor, "control character");
	if (at + 1 == cursor->end)
		return 0;
	if (at[1] != '\n')
		return fail(cursor, "bare CR");
	*line = (struct slice){cursor->at, (size_t)(at - cursor->at)};
	cursor->at = at + 2;
	return 1;
}

/* Up to the next space; the space is gone too. */
static struct slice
take_word(struct slice *rest)
{
	const char *space = memchr(rest->bytes, ' ', rest->length);
	size_t length = space != NULL ? (size_t)(space - rest->bytes) : rest->length;
	struct slice word = {rest->bytes, length};
	size_t skipped = length + (space != NULL);
	rest->bytes += skipped;
	rest->length -= skipped;
	return word;
}

static bool
target_good(struct slice target)
{
	if (target.length == 0 || target.bytes[0] != '/')
		return false;
	for (size_t i = 0; i < target.length; i++)
		if (target.bytes[i] <= ' ' || (uint8_t)target.bytes[i] >= 0x7f ||
		    target.bytes[i] == '#')
			return false;
	return true;
}

static int
parse_request_line(struct cursor *cursor, struct http_head *head, struct slice line)
{
	head->method = take_word(&line);
	head->target = take_word(&line);
	if (head->method.length == 0 || token_span(head->method) != head->method.length)
		return fail(cursor, "malformed request line");
	if (!target_good(head->target))
		return fail(cursor, "malformed request target");
	/* What is left is the version, or has a space too many. */
	if (slice_equal(line, "HTTP/1.1"))
		head->minor = 1;
	else if (slice_equal(line, "HTTP/1.0"))
		head->minor = 0;
	else if (line.length == 8 && memcmp(line.bytes, "HTTP/", 5) == 0)
		return fail(cursor, "unsupported HTTP version");
	else
		return fail(cursor, "malformed request line");

	const char *mark = memchr(head->target.bytes, '?', head->target.length);
	const char *end = head->target.bytes + head->target.length;
	const char *path_end = mark != NULL ? mark : end;
	const char *query = mark != NULL ? mark + 1 : end;
	head->path = (struct slice){head->target.bytes, (size_t)(path_end - head->target.bytes)};
	head->query = (struct slice){query, (size_t)(end - query)};
	return 0;
}

static int
parse_field(struct cursor *cursor, struct http_head *head, struct slice line)
{
	if (http_is_blank(line.bytes[0]))
		return fail(cursor, "folded header field");
	size_t name = token_span(line);
	if (name < line.length && http_is_blank(line.bytes[name]))
		return fail(cursor, "space in a header field name");
	if (name == 0 || name == line.length || line.bytes[name] != ':')
		return fail(cursor, "malformed header field");
	if (head->field_count == HTTP_HEAD_MAX_FIELDS)
		return fail(cursor, "too many header fields");
	struct http_field *field = &head->fields[head->field_count++];
	field->name = (struct slice){line.bytes, name};
	field->value = slice_trim((struct slice){line.bytes + name + 1, line.length - name - 1});
	return 0;
}

static bool
digits_only(struct slice slice)
{
	for (size_t i = 0; i < slice.length; i++)
		if (slice.bytes[i] < '0' || slice.bytes[i] > '9')
			return false;
	return slice.length > 0;
}

/* What the fields must be to each other (RFC 9112, sections 3.2 and 6.3). */
static int
check_fields(struct cursor *cursor, const struct http_head *head)
{
	const struct http_field *host = http_head_find(head, "Host", NULL);
	if (host == NULL && head->minor == 1)
		return fail(cursor, "missing Host");
	if (host != NULL && http_head_find(head, "Host", host) != NULL)
		return fail(cursor, "several Host fields");
	const struct http_field *length = http_head_find(head, "Content-Length", NULL);
	if (length == NULL)
		return 0;
	if (http_head_find(head, "Content-Length", length) != NULL)
		return fail(cursor, "several Content-Length fields");
	if (!digits_only(length->value))
		return fail(cursor, "malformed Content-Length");
	if (http_head_find(head, "Transfer-Encoding", NULL) != NULL)
		return fail(cursor, "Content-Length with Transfer-Encoding");
	return 0;
}

/* 1 when the head is whole. */
static int
parse(struct cursor *cursor, struct http_head *head)
{
	struct slice line;
	int got = next_line(cursor, &line);
	if (got <= 0)
		return got;
	if (parse_request_line(cursor, head, line) < 0)
		return -1;
	for (;;) {
		got = next_line(cursor, &line);
		if (got <= 0)
			return got;
		if (line.length == 0)
			return check_fields(cursor, head) < 0 ? -1 : 1;
		if (parse_field(cursor, head, line) < 0)
			return -1;
	}
}

long
http_head_parse(struct http_head *head, const char *data, size_t length, const char **error)
{
	struct cursor cursor = {.at = data, .end = data + length};
	head->field_count = 0;
	int result = parse(&cursor, head);
	if (result < 0 && error != NULL)
		*error = cursor.error;
	return result > 0 ? (long)(cursor.at - data) : result;
}

const struct http_field *
http_head_find(const struct http_head *head, const char *name, const struct http_field *after)
{
	const struct http_field *end = head->fields + head->field_count;
	const struct http_field *field = after != NULL ? after + 1 : head->fields;
	for (; field < end; field++)
		if (slice_equal_nocase(field->name, name))
			return field;
	return NULL;
}

static bool
list_has(struct slice list, const char *token)
{
	while (list.length > 0) {
		const char *comma = memchr(list.bytes, ',', list.length);
		size_t length = comma != NULL ? (size_t)(comma - list.bytes) : list.length;
		if (slice_equal_nocase(slice_trim((struct slice){list.bytes, length}), token))
			return true;
		size_t skipped = length + (comma != NULL);
		list.bytes += skipped;
		list.length -= skipped;
	}
	return false;
}

bool
http_head_has_token(const struct http_head *head, const char *name, const char *token)
{
	const struct http_field *field = NULL;
	while ((field = http_head_find(head, name, field)) != NULL)
		if (list_has(field->value, token))
			return true;
	return false;
}

static int
hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	char lower = (char)(digit | 0x20);
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static int
percent_decode(struct slice text, char *out, size_t size)
{
	size_t used = 0;
	for (size_t i = 0; i < text.length; i++) {
		char byte = text.bytes[i];
		if (byte == '%') {
			if (text.length - i < 3)
				return -1;
			int high = hex_value(text.bytes[i + 1]), low = hex_value(text.bytes[i + 2]);
			if (high < 0 || low < 0)
				return -1;
			byte = (char)(high * 16 + low);
			i += 2;
		}
		if (byte == '\0' || used + 1 >= size)
			return -1;
		out[used++] = byte;
	}
	if (used >= size)
		return -1;
	out[used] = '\0';
	return (int)used;
}

int
http_query_get(struct slice query, const char *name, char *out, size_t size)
{
	size_t name_length = strlen(name);
	const char *at = query.bytes, *end = query.bytes + query.length;
	while (at < end) {
		const char *mark = memchr(at, '&', (size_t)(end - at));
		const char *stop = mark != NULL ? mark : end;
		size_t length = (size_t)(stop - at);
		bool named = length >= name_length && memcmp(at, name, name_length) == 0;
		if (named && length == name_length)
			return percent_decode((struct slice){stop, 0}, out, size);
		if (named && at[name_length] == '=')
			return percent_decode(
			    (struct slice){at + name_length + 1, length - name_length - 1}, out,
			    size);
		at = mark != NULL ? mark + 1 : end;
	}
	return -1;
}

struct slice
slice_trim(struct slice slice)
{
	while (slice.length > 0 && http_is_blank(slice.bytes[0])) {
		slice.bytes++;
		slice.length--;
	}
	while (slice.length > 0 && http_is_blank(slice.bytes[slice.length - 1]))
		slice.length--;
	return slice;
}

bool
slice_equal(struct slice slice, const char *text)
{
	return slice.length == strlen(text) && memcmp(slice.bytes, text, slice.length) == 0;
}

bool
slice_equal_nocase(struct slice slice, const char *text)
{
	return slice.length == strlen(text) && strncasecmp(slice.bytes, text, slice.length) == 0;
}
