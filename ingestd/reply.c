/* SPDX-License-Identifier: MIT */
#include "ingestd/reply.h"

#include <bson/bson.h>
#include <string.h>

static void
read_members(const bson_t *said, struct reply *reply)
{
	bson_iter_t at;

	reply->kind = REPLY_UNKNOWN;
	if (bson_iter_init_find(&at, said, "error") && BSON_ITER_HOLDS_UTF8(&at)) {
		reply->kind = REPLY_ERROR;
		reply->text = bson_iter_utf8(&at, NULL);
	} else if (bson_iter_init_find(&at, said, "committed") && BSON_ITER_HOLDS_DOCUMENT(&at)) {
		reply->kind = REPLY_COMMITTED;
		bson_iter_document(&at, &reply->position_length, &reply->position);
	} else if (bson_iter_init_find(&at, said, "hello") &&
	    bson_iter_init_find(&at, said, "position")) {
		reply->kind = REPLY_HELLO;
		if (BSON_ITER_HOLDS_DOCUMENT(&at))
			bson_iter_document(&at, &reply->position_length, &reply->position);
	}
}

long
reply_parse(const uint8_t *data, size_t length, struct reply *reply)
{
	uint32_t size;
	bson_t said;

	memset(reply, 0, sizeof(*reply));
	if (length < 4)
		return 0;
	size = data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
	if (size < 5 || size > REPLY_MAX)
		return -1;
	if (length < size)
		return 0;
	if (!bson_init_static(&said, data, size) || !bson_validate(&said, BSON_VALIDATE_NONE, NULL))
		return -1;
	read_members(&said, reply);
	return (long)size;
}
