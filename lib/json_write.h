/* SPDX-License-Identifier: MIT */
/* json_write: JSON into a bounded buffer. Commas come by themselves; what would
 * be invalid JSON cannot be written: strings are escaped, bytes that are no
 * UTF-8 become U+FFFD, NaN and infinities become null. An overflow of the
 * buffer is remembered and told once, by json_write_end().
 *
 *     struct json_writer w;
 *     json_write_begin(&w, &buf);
 *     json_object_begin(&w);
 *     json_key(&w, "type"); json_put_string(&w, "pong");
 *     json_object_end(&w);
 *     if (json_write_end(&w) < 0) ...
 */
#ifndef LIB_JSON_WRITE_H
#define LIB_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"
#include "lib/buf.h"

struct json_writer {
	struct buf *buf;
	size_t origin; /* buf_length() at json_write_begin() */
	bool comma; /* the next value needs one */
	bool failed;
	int depth;
};

/* Appends to `buf`, which stays the caller's. */
void json_write_begin(struct json_writer *w, struct buf *buf);
/* 0; or -1 with errno ENOBUFS when it did not fit: then the buffer is cut back
 * to what it was at the beginning. */
MUST_CHECK int json_write_end(struct json_writer *w);

void json_object_begin(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w);
void json_array_end(struct json_writer *w);
void json_key(struct json_writer *w, const char *name);
void json_key_n(struct json_writer *w, const char *name, size_t length);
void json_put_string(struct json_writer *w, const char *text);
void json_put_string_n(struct json_writer *w, const char *text, size_t length);
void json_put_i64(struct json_writer *w, int64_t value);
void json_put_u64(struct json_writer *w, uint64_t value);
void json_put_double(struct json_writer *w, double value);
void json_put_bool(struct json_writer *w, bool value);
void json_put_null(struct json_writer *w);
/* A value that is valid JSON already. */
void json_put_raw(struct json_writer *w, const char *json, size_t length);
/* Milliseconds since the epoch as an RFC 3339 string. */
void json_put_time(struct json_writer *w, int64_t wall_ms);

#endif
