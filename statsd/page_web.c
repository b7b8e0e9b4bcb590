/* SPDX-License-Identifier: MIT */
#include "statsd/page_web.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/base.h"
#include "statsd/web_files.h"

#define ETAG_SIZE 20
#define FILES_MAX 32

/* FNV-1a, 64 bits (draft-eastlake-fnv): enough to tell versions of a file apart. */
static uint64_t
fnv1a(const char *start, const char *end)
{
	uint64_t hash = 0xcbf29ce484222325U;
	for (const char *c = start; c < end; c++)
		hash = (hash ^ (uint8_t)*c) * 0x100000001b3U;
	return hash;
}

static const char *
etag_of(size_t index)
{
	static char etags[FILES_MAX][ETAG_SIZE];
	assert(index < FILES_MAX);
	if (!etags[index][0])
		snprintf(etags[index], ETAG_SIZE, "\"%016" PRIx64 "\"",
		    fnv1a(web_files[index].start, web_files[index].end));
	return etags[index];
}

/* If-None-Match (RFC 9110, 13.1.2) compares weakly: our tag anywhere in the list, or "*". */
static bool
known(const char *if_none_match, const char *etag)
{
	return if_none_match && (strcmp(if_none_match, "*") == 0 || strstr(if_none_match, etag));
}

void
page_web(struct answer *answer, const struct request *request, const char *name)
{
	size_t i = 0;
	while (i < web_file_count && strcmp(web_files[i].name, name) != 0)
		i++;
	assert(i < web_file_count);
	const struct web_file *file = &web_files[i];
	answer->type = file->type;
	answer->cache = "no-cache";
	answer->etag = etag_of(i);
	answer->page = true;
	if (known(request->if_none_match, answer->etag)) {
		answer->status = 304;
		return;
	}
	answer->file = file->start;
	answer->file_length = (size_t)(file->end - file->start);
}
