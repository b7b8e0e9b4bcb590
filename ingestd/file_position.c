/* SPDX-License-Identifier: MIT */
#include "ingestd/file_position.h"

#include <string.h>

/* FNV: Fowler, Noll, Vo; draft-eastlake-fnv, section 5. */
#define FNV_OFFSET 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

uint64_t
file_head_hash(const uint8_t *head, size_t length)
{
	uint64_t hash = FNV_OFFSET;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ head[i]) * FNV_PRIME;
	return hash;
}

void
file_position_encode(const struct file_position *position, bson_t *out)
{
	bson_init(out);
	BSON_APPEND_INT32(out, "v", 1);
	BSON_APPEND_UTF8(out, "source", "file");
	BSON_APPEND_INT64(out, "inode", (int64_t)position->inode);
	BSON_APPEND_INT64(out, "offset", (int64_t)position->offset);
	BSON_APPEND_INT64(out, "line", (int64_t)position->line);
	BSON_APPEND_INT64(out, "head", (int64_t)position->head);
	if (position->scan)
		BSON_APPEND_BOOL(out, "scan", true);
	if (position->rebuild)
		BSON_APPEND_BOOL(out, "rebuild", true);
}

static bool
find_u64(const bson_t *doc, const char *name, uint64_t *value)
{
	bson_iter_t at;

	if (!bson_iter_init_find(&at, doc, name) || !BSON_ITER_HOLDS_INT64(&at))
		return false;
	*value = (uint64_t)bson_iter_int64(&at);
	return true;
}

const char *
file_position_decode(const bson_t *doc, struct file_position *position)
{
	const char *kind = position_kind(doc);

	position->scan = bson_has_field(doc, "scan");
	position->rebuild = bson_has_field(doc, "rebuild");
	if (!kind || strcmp(kind, "file") != 0)
		return "its position is not one in a file";
	if (!find_u64(doc, "inode", &position->inode) ||
	    !find_u64(doc, "offset", &position->offset) ||
	    !find_u64(doc, "line", &position->line) || !find_u64(doc, "head", &position->head))
		return "its position is of another version of ingestd";
	return NULL;
}

const char *
position_kind(const bson_t *doc)
{
	bson_iter_t at;

	if (!bson_iter_init_find(&at, doc, "source") || !BSON_ITER_HOLDS_UTF8(&at))
		return NULL;
	return bson_iter_utf8(&at, NULL);
}
