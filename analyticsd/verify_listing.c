/* SPDX-License-Identifier: MIT */
/* What /api/forms shows of a form: its place in the list, title, total and newest submission, and
 * its definition, against what is counted. */
#include <inttypes.h>
#include <string.h>

#include "analyticsd/verify_state.h"
#include "lib/json_read.h"

#define TOKENS_MAX (1 << 20)
#define TITLE_SIZE 2048

static void
compare_list(struct verify *verify, const char *id, sqlite3_stmt *statement, int column,
    const struct verify_late *late, const struct form *counted)
{
	bool listed = sqlite3_column_type(statement, column + 2) != SQLITE_NULL;
	const char *title = (const char *)sqlite3_column_text(statement, column);
	int64_t total = sqlite3_column_int64(statement, column + 1) + late->total;
	int64_t last = MAX(sqlite3_column_int64(statement, column + 2), late->last_ms);

	if (listed != form_known(counted)) {
		verify_differs(verify, "form %s: is %slisted, and %s", id, listed ? "" : "not ",
		    listed ? "nothing is known of it" : "it is known");
		return;
	}
	if (!listed)
		return;
	if (title == NULL || strcmp(title, form_title(counted)) != 0)
		verify_differs(verify,
		    "form %s: is listed with the title \"%.200s\", it is \"%.200s\"", id,
		    title != NULL ? title : "", form_title(counted));
	if ((uint64_t)total != form_total(counted))
		verify_differs(verify,
		    "form %s: is listed with %" PRId64 " responses, counted %" PRIu64, id, total,
		    form_total(counted));
	if (last != form_last_submission(counted))
		verify_differs(verify,
		    "form %s: is listed with the newest submission %" PRId64 ", counted %" PRId64,
		    id, last, form_last_submission(counted));
}

/* The text says the form's id and title. */
static bool
says(const struct json_doc *doc, const char *id, const struct form *counted)
{
	char text[TITLE_SIZE];

	if (json_string(doc, json_get(doc, 0, "formId"), text, sizeof(text)) < 0 ||
	    strcmp(text, id) != 0)
		return false;
	return json_string(doc, json_get(doc, 0, "title"), text, sizeof(text)) >= 0 &&
	    strcmp(text, form_title(counted)) == 0;
}

/* One that was too long is there, and empty. */
static void
compare_definition(struct verify *verify, const char *id, sqlite3_stmt *statement, int column,
    const struct form *counted)
{
	bool kept = sqlite3_column_type(statement, column) != SQLITE_NULL;
	const char *text = sqlite3_column_blob(statement, column);
	size_t length = (size_t)sqlite3_column_bytes(statement, column);
	struct json_doc doc;

	if (form_defined(counted) && !kept)
		verify_differs(verify, "form %s: its definition is not kept", id);
	if (!form_defined(counted) && length > 0)
		verify_differs(verify, "form %s: a definition is kept, and it has none", id);
	if (!form_defined(counted) || length == 0)
		return;
	if (json_parse(&doc, text, length, TOKENS_MAX, NULL) < 0) {
		verify_differs(verify, "form %s: its definition cannot be read", id);
		return;
	}
	if (!says(&doc, id, counted))
		verify_differs(verify, "form %s: its definition is of another form or title", id);
	json_free(&doc);
}

void
verify_listing(struct verify *verify, sqlite3_stmt *statement, int column,
    const struct verify_late *late, const struct form *counted)
{
	char id[FORM_ID_HEX + 1];

	form_id_format(form_id_of(counted), id);
	compare_list(verify, id, statement, column, late, counted);
	compare_definition(verify, id, statement, column + 3, counted);
}
