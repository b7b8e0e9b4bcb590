/* SPDX-License-Identifier: MIT */
/* A dump of both collections against the rows and definitions. What is malformed must have no row;
 * what is neither a form nor a response is passed over, as it is when it comes as an event. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bson/bson.h>

#include "analyticsd/definition_text.h"
#include "analyticsd/response.h"
#include "analyticsd/verify_state.h"
#include "lib/die.h"
#include "lib/mem.h"

#define DOCUMENT_MIN 5
#define DOCUMENT_MAX 48000000
#define RECORD_MAX (17U << 20)

struct documents {
	struct verify *verify;
	struct response response;
	struct buf id, record;
	struct buf definition; /* of the form at hand, as text */
	struct verify_set rows, forms; /* by seq and by number: found among the documents */
};

static void
set_init(struct verify *verify, struct verify_set *set, const char *sql)
{
	sqlite3_stmt *most = verify_prepare(verify, sql);

	set->size = verify_step(verify, most) ? sqlite3_column_int64(most, 0) + 1 : 1;
	set->bits = mem_zalloc((size_t)set->size / 8 + 1);
	sqlite3_finalize(most);
}

static void
set_add(struct verify_set *set, int64_t number)
{
	if (number >= 0 && number < set->size)
		set->bits[number / 8] |= (uint8_t)(1U << (number % 8));
}

static bool
set_has(const struct verify_set *set, int64_t number)
{
	return number >= 0 && number < set->size &&
	    (set->bits[number / 8] & (1U << (number % 8))) != 0;
}

/* "{ "_id" : … }"; bson_free() it. */
static char *
id_text(const bson_t *doc)
{
	bson_t only = BSON_INITIALIZER;
	bson_iter_t iter;
	char *text;

	if (bson_iter_init_find(&iter, doc, "_id"))
		bson_append_iter(&only, "_id", 3, &iter);
	text = bson_as_relaxed_extended_json(&only, NULL);
	bson_destroy(&only);
	return text;
}

/* The same of a row: its id is the type and the value as they stand in BSON. */
static char *
row_id_text(const uint8_t *id, size_t length)
{
	uint32_t size = (uint32_t)(4 + 1 + 4 + length - 1 + 1), wire = BSON_UINT32_TO_LE(size);
	uint8_t *bytes = mem_zalloc(size);
	static bson_t doc;
	char *text = NULL;

	memcpy(bytes, &wire, 4);
	bytes[4] = id[0];
	memcpy(bytes + 5, "_id", 4);
	memcpy(bytes + 9, id + 1, length - 1);
	if (bson_init_static(&doc, bytes, size))
		text = bson_as_relaxed_extended_json(&doc, NULL);
	free(bytes);
	return text != NULL ? text : bson_strdup("{ }");
}

static void
differs(struct documents *documents, const bson_t *doc, const char *kind, const char *what)
{
	char *text = id_text(doc);

	verify_differs(documents->verify, "%s %s: %s", kind, text, what);
	bson_free(text);
}

static bool
same_bytes(sqlite3_stmt *statement, int column, const void *bytes, size_t length)
{
	return (size_t)sqlite3_column_bytes(statement, column) == length &&
	    (length == 0 || memcmp(sqlite3_column_blob(statement, column), bytes, length) == 0);
}

static void
check_response(struct documents *documents, const bson_t *doc)
{
	struct verify *verify = documents->verify;
	sqlite3_stmt *row = verify->row_by_id;
	const char *why;

	if (response_id(doc, &documents->id, &why) < 0)
		return;
	bool counts = response_from_bson(&documents->response, doc, &why) == 0 &&
	    response_to_record(&documents->response, &documents->record) == 0;
	sqlite3_bind_blob64(
	    row, 1, buf_bytes(&documents->id), buf_length(&documents->id), SQLITE_STATIC);
	bool found = verify_step(verify, row);
	if (found)
		set_add(&documents->rows, sqlite3_column_int64(row, 0));
	if (found && !counts)
		differs(documents, doc, "response", "is malformed, and counted");
	else if (!found && counts)
		differs(documents, doc, "response", "is not counted");
	else if (found &&
	    !same_bytes(row, 1, buf_bytes(&documents->record), buf_length(&documents->record)))
		differs(documents, doc, "response", "says something else than what is counted");
	else if (found && !same_bytes(row, 2, documents->response.form.bytes, FORM_ID_BYTES))
		differs(documents, doc, "response", "is counted for another form");
	sqlite3_reset(row);
}

static void
check_form(struct documents *documents, const bson_t *doc)
{
	struct verify *verify = documents->verify;
	sqlite3_stmt *row = verify->form_by_id;
	struct form_id id;
	bson_iter_t iter;
	const char *why;
	char zone[256];
	bool same_text = true;

	if (!bson_iter_init_find(&iter, doc, "_id") || !BSON_ITER_HOLDS_OID(&iter))
		return;
	memcpy(id.bytes, bson_iter_oid(&iter)->bytes, FORM_ID_BYTES);
	sqlite3_bind_blob(row, 1, id.bytes, FORM_ID_BYTES, SQLITE_STATIC);
	struct form *form = NULL;
	if (verify_step(verify, row)) {
		set_add(&documents->forms, sqlite3_column_int64(row, 0));
		form = verify_decode(&id, row, 1, zone, sizeof(zone));
		definition_text(doc, &id, &documents->definition);
		same_text = same_bytes(
		    row, 2, buf_bytes(&documents->definition), buf_length(&documents->definition));
	}
	sqlite3_reset(row);
	if (form == NULL || !form_defined(form))
		differs(documents, doc, "form", "its definition is not known");
	else if (form_define(form, doc, &why) != FORM_UNCHANGED)
		differs(documents, doc, "form", "has another definition");
	else if (!same_text)
		differs(documents, doc, "form", "is shown with another definition");
	if (form != NULL)
		form_free(&form);
}

/* What is kept, and is not among the documents. */
static void
check_rest(struct documents *documents)
{
	struct verify *verify = documents->verify;
	sqlite3_stmt *rows = verify_prepare(
	    verify, "SELECT seq, id FROM responses WHERE id IS NOT NULL");
	sqlite3_stmt *forms = verify_prepare(
	    verify, "SELECT forms.n, id, state FROM forms JOIN states ON states.n = forms.n");
	char zone[256];

	while (verify_step(verify, rows)) {
		if (set_has(&documents->rows, sqlite3_column_int64(rows, 0)) ||
		    sqlite3_column_bytes(rows, 1) < 1)
			continue;
		char *text = row_id_text(
		    sqlite3_column_blob(rows, 1), (size_t)sqlite3_column_bytes(rows, 1));
		verify_differs(
		    verify, "response %s: is counted, and not among the documents", text);
		bson_free(text);
	}
	while (verify_step(verify, forms)) {
		struct form_id id;
		char hex[FORM_ID_HEX + 1];

		if (set_has(&documents->forms, sqlite3_column_int64(forms, 0)) ||
		    sqlite3_column_bytes(forms, 1) != FORM_ID_BYTES)
			continue;
		memcpy(id.bytes, sqlite3_column_blob(forms, 1), FORM_ID_BYTES);
		struct form *form = verify_decode(&id, forms, 2, zone, sizeof(zone));
		form_id_format(&id, hex);
		if (form != NULL && form_defined(form))
			verify_differs(
			    verify, "form %s: is defined, and not among the documents", hex);
		if (form != NULL)
			form_free(&form);
	}
	sqlite3_finalize(rows);
	sqlite3_finalize(forms);
}

/* The next document into `bytes`. False: that was all; a piece of one is none. */
static bool
read_one(FILE *from, const char *file, uint8_t **bytes, uint32_t *length)
{
	uint8_t head[4];
	size_t got = fread(head, 1, sizeof(head), from);
	uint32_t size = head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 |
	    (uint32_t)head[3] << 24;

	if (got == 0 && !ferror(from))
		return false;
	if (got < sizeof(head) || size < DOCUMENT_MIN || size > DOCUMENT_MAX)
		die_usage("%s is not a concatenation of BSON documents", file);
	*bytes = mem_array(*bytes, size, 1);
	memcpy(*bytes, head, sizeof(head));
	if (fread(*bytes + sizeof(head), 1, size - sizeof(head), from) < size - sizeof(head))
		die_usage("%s ends in the middle of a document", file);
	*length = size;
	return true;
}

static void
check_all(struct documents *documents, const char *file)
{
	FILE *from = strcmp(file, "-") == 0 ? stdin : fopen(file, "re");
	/* Static for its alignment of 128, which ASan's stack does not keep. */
	static bson_t doc;
	uint8_t *bytes = NULL;
	uint32_t length;

	if (from == NULL)
		die_usage("unable to open %s: %s", file, strerror(errno));
	while (read_one(from, file, &bytes, &length)) {
		documents->verify->documents++;
		if (!bson_init_static(&doc, bytes, length))
			die_usage("%s is not a concatenation of BSON documents", file);
		if (bson_has_field(&doc, "formId"))
			check_response(documents, &doc);
		else if (bson_has_field(&doc, "fields"))
			check_form(documents, &doc);
	}
	free(bytes);
	if (from != stdin)
		fclose(from);
}

void
verify_documents(struct verify *verify, const char *file)
{
	struct documents documents = {.verify = verify};

	buf_init(&documents.id, RESPONSE_MAX_ID);
	buf_init(&documents.record, RECORD_MAX);
	buf_init(&documents.definition, DEFINITION_TEXT_MAX);
	set_init(verify, &documents.rows, "SELECT max(seq) FROM responses");
	set_init(verify, &documents.forms, "SELECT max(n) FROM forms");
	verify->row_by_id = verify_prepare(verify,
	    "SELECT seq, record, forms.id FROM responses JOIN forms ON forms.n = form "
	    "WHERE responses.id = ?1");
	verify->form_by_id = verify_prepare(verify,
	    "SELECT forms.n, state, json FROM forms LEFT JOIN states ON states.n = forms.n "
	    "LEFT JOIN definitions ON definitions.n = forms.n WHERE id = ?1");
	check_all(&documents, file);
	check_rest(&documents);
	sqlite3_finalize(verify->row_by_id);
	sqlite3_finalize(verify->form_by_id);
	buf_free(&documents.id);
	buf_free(&documents.record);
	buf_free(&documents.definition);
	response_free(&documents.response);
	MEM_FREE(&documents.rows.bits);
	MEM_FREE(&documents.forms.bits);
}
