/* SPDX-License-Identifier: MIT */
/* A BSON document as the ingest port lets it in: as an event, a response, a form's definition. */
#include <string.h>

#include "analyticsd/event.h"
#include "analyticsd/form.h"
#include "analyticsd/response.h"
#include "analyticsd/zone.h"
#include "lib/json_scan.h"
#include "tests/fuzz/fuzz.h"

#define MAX_RECORD (1 << 20)
#define MAX_JSON (8 << 20)

/* Whether all numbers of both are the same; NaN is none of a response's. */
static void
check_same(const struct response *a, const struct response *b)
{
	FUZZ_CHECK(a->answer_count == b->answer_count && a->submitted_ms == b->submitted_ms &&
	    a->duration_ms == b->duration_ms);
	for (size_t i = 0; i < a->answer_count; i++) {
		const struct answer *x = &a->answers[i], *y = &b->answers[i];
		FUZZ_CHECK(x->kind == y->kind && x->field_length == y->field_length &&
		    x->field_hash == y->field_hash);
		FUZZ_CHECK(x->kind != VALUE_NUMBER || (x->whole == y->whole));
		FUZZ_CHECK(x->kind != VALUE_OPTIONS || x->option_count == y->option_count);
		FUZZ_CHECK(x->kind != VALUE_STRING || x->text_length == y->text_length);
	}
}

static void
check_form(struct form *form)
{
	struct json_writer w;
	struct buf out;

	buf_init(&out, MAX_JSON);
	json_write_begin(&w, &out);
	form_write_analytics(form, &w);
	FUZZ_CHECK(json_write_end(&w) == 0);
	FUZZ_CHECK(json_scan_value((const char *)buf_bytes(&out), buf_length(&out), NULL) == 0);
	buf_free(&out);
}

/* Counted, kept, and taken back by its record. */
static void
try_response(const bson_t *doc)
{
	static struct response response, again;
	static struct zone *zone;
	struct buf record;
	const char *why = NULL;

	if (zone == NULL)
		FUZZ_CHECK((zone = zone_open("UTC")) != NULL);
	buf_init(&record, MAX_RECORD);
	(void)!response_id(doc, &record, &why);
	buf_clear(&record);
	if (response_from_bson(&response, doc, &why) < 0) {
		FUZZ_CHECK(why != NULL);
	} else if (response_to_record(&response, &record) == 0) {
		FUZZ_CHECK(
		    response_from_record(&again, buf_bytes(&record), buf_length(&record)) == 0);
		again.form = response.form;
		check_same(&response, &again);
		struct form *form = form_new(&response.form);
		form_add(form, &response, zone);
		check_form(form);
		FUZZ_CHECK(form_total(form) == 1);
		if (form_remove(form, &again, zone) != FORM_REBUILD)
			FUZZ_CHECK(form_total(form) == 0);
		check_form(form);
		form_free(&form);
	}
	buf_free(&record);
}

static void
try_definition(const bson_t *doc)
{
	struct form_id id = {{1}};
	struct form *form = form_new(&id);
	const char *why = NULL;

	(void)!form_define(form, doc, &why);
	check_form(form);
	FUZZ_CHECK(form_define(form, doc, &why) == FORM_UNCHANGED);
	form_free(&form);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Static for its alignment of 128, which ASan's stack does not keep. */
	static bson_t doc;
	static struct event event;

	if (size < 5 || size > 65536 || !bson_init_static(&doc, data, size) ||
	    !event_read(&event, &doc))
		return 0;
	const bson_t *inner = event.has_doc ? &event.doc : &doc;
	try_response(inner);
	try_definition(inner);
	return 0;
}
