/* SPDX-License-Identifier: MIT */
#include "analyticsd/hot_definition.h"

#include <string.h>

#include "analyticsd/definition_text.h"
#include "lib/mem.h"

int
hot_definition(struct store *store, const struct hot_form *hot, struct buf *text)
{
	buf_clear(text);
	if (hot->definition == NULL)
		return store->ops->definition(store, hot->row.number, text);
	if (buf_append(text, hot->definition, hot->definition_length) < 0)
		return -1;
	return hot->definition_length > 0;
}

int
hot_definition_differs(struct store *store, const struct hot_form *hot, const struct buf *text)
{
	struct buf old;

	buf_init(&old, DEFINITION_TEXT_MAX);
	int found = hot_definition(store, hot, &old);
	if (found >= 0)
		found = buf_length(&old) != buf_length(text) ||
		    (buf_length(text) > 0 &&
			memcmp(buf_bytes(&old), buf_bytes(text), buf_length(text)) != 0);
	buf_free(&old);
	return found;
}

void
hot_definition_set(struct hot_form *hot, const struct buf *text)
{
	MEM_FREE(&hot->definition);
	hot->definition_length = buf_length(text);
	hot->definition = mem_alloc(hot->definition_length + 1);
	if (hot->definition_length > 0)
		memcpy(hot->definition, buf_bytes(text), hot->definition_length);
}

int
hot_definition_write(struct store *store, const struct hot_form *hot)
{
	if (hot->definition == NULL)
		return 0;
	return store->ops->put_definition(
	    store, hot->row.number, hot->definition, hot->definition_length);
}

void
hot_definition_forget(struct hot_form *hot)
{
	MEM_FREE(&hot->definition);
	hot->definition_length = 0;
}
