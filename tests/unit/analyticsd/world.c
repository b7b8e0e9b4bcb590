/* SPDX-License-Identifier: MIT */
#include "tests/unit/analyticsd/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "analyticsd/forms_recount.h"
#include "analyticsd/snapshot.h"
#include "lib/log.h"
#include "tests/unit/unit.h"

static void
count_change(void *owner, struct hot_form *hot UNUSED, int64_t at_ms)
{
	struct world *world = owner;

	world->at_ms = at_ms;
	world->changes++;
}

void
world_up(struct world *w)
{
	w->ledger = ledger_new(w->store);
	w->forms = forms_new(&(struct forms_config){.store = w->store,
				 .ledger = w->ledger,
				 .zone = w->zone,
				 .max = w->max,
				 .max_bytes = w->max_bytes,
				 .step_rows = w->step_rows},
	    WORLD_NOW);
	w->apply = apply_new(&(struct apply_config){.store = w->store,
	    .ledger = w->ledger,
	    .forms = w->forms,
	    .changed = count_change,
	    .owner = w});
	CHECK(w->ledger != NULL && w->forms != NULL && w->apply != NULL);
}

void
world_down(struct world *w)
{
	apply_free(&w->apply);
	forms_free(&w->forms);
	ledger_free(&w->ledger);
}

void
world_begin(struct world *w, size_t max)
{
	memset(w, 0, sizeof(*w));
	log_init("test", LOG_ERROR, LOG_TEXT);
	w->zone = zone_open("UTC");
	w->store = store_memory_new();
	w->max = max;
	world_up(w);
}

void
world_end(struct world *w)
{
	world_down(w);
	w->store->ops->free(&w->store);
	zone_close(&w->zone);
}

void
world_take_bson(struct world *w, const bson_t *doc)
{
	/* Static for the alignment of its bson_t, which ASan's stack does not keep. */
	static struct event event;

	CHECK(event_read(&event, doc));
	CHECK_INT(apply_document(w->apply, &event, WORLD_NOW), 0);
}

void
world_take(struct world *w, const char *format, ...)
{
	char json[4096];
	bson_error_t error;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(json, sizeof(json), format, arguments);
	va_end(arguments);
	bson_t *doc = bson_new_from_json((const uint8_t *)json, -1, &error);
	if (doc == NULL)
		unit_fail(__FILE__, __LINE__, "%s: %s", error.message, json);
	world_take_bson(w, doc);
	bson_destroy(doc);
}

void
world_commit(struct world *w)
{
	CHECK_INT(apply_commit(w->apply, true, WORLD_NOW), 0);
	CHECK(!apply_pending(w->apply));
}

struct hot_form *
world_find(struct world *w, int form)
{
	char hex[FORM_ID_HEX + 1];
	struct hot_form *hot = NULL;
	struct form_id id;

	snprintf(hex, sizeof(hex), "%024d", form);
	CHECK(form_id_parse(&id, hex, FORM_ID_HEX) == 0);
	int found = forms_find(w->forms, &id, WORLD_NOW, &hot);
	CHECK(found >= 0);
	if (found > 0)
		CHECK(forms_fresh(w->forms, hot, WORLD_NOW) == 0);
	return found > 0 ? hot : NULL;
}

void
world_put(struct world *w, int id, int form, int value)
{
	world_take(w,
	    "{\"op\":\"response\",\"position\":{\"p\":1},\"doc\":{\"_id\":{\"$oid\":\"%024d\"},"
	    "\"formId\":{\"$oid\":\"%024d\"},\"answers\":[{\"fieldId\":\"r\",\"value\":%d}],"
	    "\"submittedAt\":{\"$date\":\"2026-03-01T09:10:00Z\"}}}",
	    id, form, value);
}

void
world_take_away(struct world *w, int id)
{
	world_take(w, "{\"op\":\"responseDeleted\",\"doc\":{\"_id\":{\"$oid\":\"%024d\"}}}", id);
}

int64_t
world_total(struct world *w, int form)
{
	struct hot_form *hot = world_find(w, form);

	return hot == NULL ? -1 : (int64_t)form_total(hot->form);
}

char *
world_frame(struct world *w, int form)
{
	struct hot_form *hot = world_find(w, form);
	struct buf out;

	if (hot == NULL || form_total(hot->form) == 0)
		return strdup("");
	form_touch(hot->form, WORLD_NOW);
	buf_init(&out, 1 << 20);
	CHECK(snapshot_analytics(hot->form, false, 0, &out) == 0);
	char *text = strndup((const char *)buf_bytes(&out), buf_length(&out));
	buf_free(&out);
	return text;
}
