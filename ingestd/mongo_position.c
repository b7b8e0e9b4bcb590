/* SPDX-License-Identifier: MIT */
#include "ingestd/mongo_position.h"

#include <stdio.h>
#include <string.h>

#include "ingestd/file_position.h"

static const char *const scan_names[] = {
    [SCAN_FORMS] = "forms",
    [SCAN_RESPONSES] = "responses",
};

void
mongo_position_init(struct mongo_position *position)
{
	position->at = bson_new();
	position->after = bson_new();
	position->scan = SCAN_NONE;
	position->scanned = 0;
	position->since_time = position->since_increment = 0;
	position->rebuild = false;
	position->until_time = position->until_increment = 0;
}

void
mongo_position_forget(struct mongo_position *position)
{
	mongo_position_clear(position);
	mongo_position_init(position);
}

void
mongo_position_clear(struct mongo_position *position)
{
	bson_destroy(position->at);
	bson_destroy(position->after);
}

void
mongo_position_copy(struct mongo_position *to, const struct mongo_position *from)
{
	mongo_position_clear(to);
	*to = *from;
	to->at = bson_copy(from->at);
	to->after = bson_copy(from->after);
}

void
mongo_position_set_token(struct mongo_position *position, const bson_t *token)
{
	bson_reinit(position->at);
	BSON_APPEND_DOCUMENT(position->at, "token", token);
}

void
mongo_position_set_time(struct mongo_position *position, uint32_t time, uint32_t increment)
{
	bson_reinit(position->at);
	BSON_APPEND_TIMESTAMP(position->at, "time", time, increment);
}

void
mongo_position_set_after(struct mongo_position *position, const bson_iter_t *id)
{
	bson_reinit(position->after);
	bson_append_iter(position->after, "_id", 3, id);
}

/* A KeyString's type byte of a timestamp, which is then eight bytes in network order. */
#define KEY_TIMESTAMP 0x82
#define KEY_BYTES 9

static int
digit(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF", *at = strchr(digits, c);

	return c != '\0' && at ? (int)(at - digits) % 16 : -1;
}

/* The first bytes of _data, which is hex (or binary, as 4.0 keeps it in compatibility with 3.6). */
static bool
token_head(const bson_t *token, uint8_t head[KEY_BYTES])
{
	bson_subtype_t subtype;
	const uint8_t *data;
	uint32_t length;
	bson_iter_t at;
	const char *text;

	if (!bson_iter_init_find(&at, token, "_data"))
		return false;
	if (BSON_ITER_HOLDS_BINARY(&at)) {
		bson_iter_binary(&at, &subtype, &length, &data);
		if (length >= KEY_BYTES)
			memcpy(head, data, KEY_BYTES);
		return length >= KEY_BYTES;
	}
	text = BSON_ITER_HOLDS_UTF8(&at) ? bson_iter_utf8(&at, NULL) : "";
	if (strlen(text) < (size_t)2 * KEY_BYTES)
		return false;
	for (size_t i = 0; i < KEY_BYTES; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		head[i] = (uint8_t)(high * 16 + low);
	}
	return true;
}

static uint32_t
be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

bool
mongo_token_time(const bson_t *token, uint32_t *time, uint32_t *increment)
{
	uint8_t head[KEY_BYTES];

	if (!token_head(token, head) || head[0] != KEY_TIMESTAMP)
		return false;
	*time = be32(head + 1);
	*increment = be32(head + 5);
	return true;
}

bool
mongo_position_time(const struct mongo_position *position, uint32_t *time, uint32_t *increment)
{
	const uint8_t *data;
	uint32_t length;
	bson_t token;
	bson_iter_t at;

	if (!bson_iter_init(&at, position->at) || !bson_iter_next(&at))
		return false;
	if (BSON_ITER_HOLDS_TIMESTAMP(&at)) {
		bson_iter_timestamp(&at, time, increment);
		return true;
	}
	if (!BSON_ITER_HOLDS_DOCUMENT(&at))
		return false;
	bson_iter_document(&at, &length, &data);
	return bson_init_static(&token, data, length) && mongo_token_time(&token, time, increment);
}

bool
mongo_time_is_behind(uint32_t time, uint32_t increment, uint32_t than_time, uint32_t than_increment)
{
	return time > than_time || (time == than_time && increment > than_increment);
}

static void
append_uuid(bson_t *of, const char *name, const struct mongo_uuid *uuid)
{
	if (*uuid->text)
		bson_append_utf8(of, name, -1, uuid->text, -1);
}

void
mongo_position_encode(
    const struct mongo_position *position, const struct mongo_origin *origin, bson_t *out)
{
	bson_t of, scan;

	bson_init(out);
	BSON_APPEND_INT32(out, "v", 1);
	BSON_APPEND_UTF8(out, "source", "mongodb");
	BSON_APPEND_DOCUMENT_BEGIN(out, "of", &of);
	BSON_APPEND_UTF8(&of, "database", origin->database);
	BSON_APPEND_UTF8(&of, "forms", origin->forms);
	BSON_APPEND_UTF8(&of, "responses", origin->responses);
	BSON_APPEND_UTF8(&of, "set", origin->set);
	append_uuid(&of, "formsUuid", &origin->forms_uuid);
	append_uuid(&of, "responsesUuid", &origin->responses_uuid);
	bson_append_document_end(out, &of);
	BSON_APPEND_DOCUMENT(out, "at", position->at);
	if (position->rebuild)
		BSON_APPEND_TIMESTAMP(
		    out, "rebuild", position->until_time, position->until_increment);
	if (position->scan == SCAN_NONE)
		return;
	BSON_APPEND_DOCUMENT_BEGIN(out, "scan", &scan);
	BSON_APPEND_UTF8(&scan, "collection", scan_names[position->scan]);
	if (!bson_empty(position->after))
		BSON_APPEND_DOCUMENT(&scan, "after", position->after);
	BSON_APPEND_INT64(&scan, "done", (int64_t)position->scanned);
	if (position->since_time != 0)
		BSON_APPEND_TIMESTAMP(
		    &scan, "since", position->since_time, position->since_increment);
	bson_append_document_end(out, &scan);
}

static const char *
find_text(const bson_t *doc, const char *path)
{
	bson_iter_t at, found;

	if (!bson_iter_init(&at, doc) || !bson_iter_find_descendant(&at, path, &found) ||
	    !BSON_ITER_HOLDS_UTF8(&found))
		return "";
	return bson_iter_utf8(&found, NULL);
}

/* Copies the document at `path`. */
static bool
find_document(const bson_t *doc, const char *path, bson_t **copy)
{
	const uint8_t *data;
	uint32_t length;
	bson_iter_t at, found;
	bson_t inside;

	if (!bson_iter_init(&at, doc) || !bson_iter_find_descendant(&at, path, &found) ||
	    !BSON_ITER_HOLDS_DOCUMENT(&found))
		return false;
	bson_iter_document(&found, &length, &data);
	if (!bson_init_static(&inside, data, length))
		return false;
	bson_destroy(*copy);
	*copy = bson_copy(&inside);
	return true;
}

static enum mongo_scan
scan_of(const char *name)
{
	for (int i = SCAN_FORMS; i <= SCAN_RESPONSES; i++) {
		if (strcmp(scan_names[i], name) == 0)
			return (enum mongo_scan)i;
	}
	return SCAN_NONE;
}

/* A scan that was begun by an ingestd that knew no `since` begins again, from the same point. */
static void
read_scan(const bson_t *doc, struct mongo_position *position)
{
	bson_iter_t at, found;

	position->scan = scan_of(find_text(doc, "scan.collection"));
	position->since_time = position->since_increment = 0;
	if (bson_iter_init(&at, doc) && bson_iter_find_descendant(&at, "scan.since", &found) &&
	    BSON_ITER_HOLDS_TIMESTAMP(&found))
		bson_iter_timestamp(&found, &position->since_time, &position->since_increment);
	position->scanned = 0;
	if (bson_iter_init(&at, doc) && bson_iter_find_descendant(&at, "scan.done", &found))
		position->scanned = (uint64_t)MAX(bson_iter_as_int64(&found), 0);
	if (!find_document(doc, "scan.after", &position->after))
		bson_reinit(position->after);
	if (position->scan == SCAN_NONE || position->since_time != 0)
		return;
	position->scan = SCAN_FORMS;
	position->scanned = 0;
	bson_reinit(position->after);
}

static void
read_rebuild(const bson_t *doc, struct mongo_position *position)
{
	bson_iter_t at;

	position->rebuild = bson_iter_init_find(&at, doc, "rebuild") &&
	    BSON_ITER_HOLDS_TIMESTAMP(&at);
	if (position->rebuild)
		bson_iter_timestamp(&at, &position->until_time, &position->until_increment);
}

const char *
mongo_position_decode(
    const bson_t *doc, struct mongo_origin *origin, struct mongo_position *position)
{
	const char *kind = position_kind(doc);

	if (!kind || strcmp(kind, "mongodb") != 0)
		return "its position is not one in MongoDB";
	if (strcmp(find_text(doc, "of.database"), origin->database) != 0)
		return "its position is one of another database";
	if (strcmp(find_text(doc, "of.forms"), origin->forms) != 0 ||
	    strcmp(find_text(doc, "of.responses"), origin->responses) != 0)
		return "its position is one of other collections";
	if (!find_document(doc, "at", &position->at) || bson_empty(position->at))
		return "its position is of another version of ingestd";
	snprintf(origin->set, sizeof(origin->set), "%s", find_text(doc, "of.set"));
	snprintf(origin->forms_uuid.text, sizeof(origin->forms_uuid.text), "%s",
	    find_text(doc, "of.formsUuid"));
	snprintf(origin->responses_uuid.text, sizeof(origin->responses_uuid.text), "%s",
	    find_text(doc, "of.responsesUuid"));
	read_scan(doc, position);
	read_rebuild(doc, position);
	return NULL;
}
