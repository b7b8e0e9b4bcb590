/* SPDX-License-Identifier: MIT */
#include "analyticsd/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "analyticsd/store.h"
#include "analyticsd/verify_state.h"
#include "analyticsd/zone.h"
#include "lib/clock.h"
#include "lib/die.h"
#include "lib/mem.h"

#define STATE_COLUMN 5
#define LISTING_COLUMN 6
#define TAIL_COLUMN 10
/* The row of a form may lag (analyticsd/forms.h): what was appended behind it is in the tail. */
#define ALL_FORMS                                                                               \
	"SELECT forms.n, id, forms.head, state_seq, updated, state, title, total, last, json, " \
	"tail.head FROM forms LEFT JOIN states ON states.n = forms.n LEFT JOIN definitions "    \
	"ON definitions.n = forms.n LEFT JOIN (SELECT form, max(seq) AS head FROM responses "   \
	"WHERE seq > (SELECT value FROM meta WHERE key = 'forms_seq') GROUP BY form) AS tail "  \
	"ON tail.form = forms.n ORDER BY forms.n"

void
verify_differs(struct verify *verify, const char *format, ...)
{
	va_list arguments;

	verify->differences++;
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

NORETURN void
verify_failed(struct verify *verify)
{
	errno = 0;
	die_system("unable to read %s: %s", verify->path, sqlite3_errmsg(verify->handle));
}

sqlite3_stmt *
verify_prepare(struct verify *verify, const char *sql)
{
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(verify->handle, sql, -1, &statement, NULL) != SQLITE_OK)
		verify_failed(verify);
	return statement;
}

bool
verify_step(struct verify *verify, sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	if (code != SQLITE_ROW && code != SQLITE_DONE)
		verify_failed(verify);
	return code == SQLITE_ROW;
}

struct form *
verify_decode(
    const struct form_id *id, sqlite3_stmt *statement, int column, char *zone, size_t size)
{
	const uint8_t *bytes = sqlite3_column_blob(statement, column);
	size_t length = (size_t)sqlite3_column_bytes(statement, column);

	if (length < 1 || length < 1U + bytes[0] || bytes[0] >= size)
		return NULL;
	memcpy(zone, bytes + 1, bytes[0]);
	zone[bytes[0]] = '\0';
	return form_decode(id, bytes + 1 + bytes[0], length - 1 - bytes[0]);
}

/* One form at work: as it stands, and as it is counted from its chain. */
struct pair {
	struct form_id id;
	char hex[FORM_ID_HEX + 1];
	int64_t number, head, state_seq;
	/* Its row accounts for its chain from here back, `late` for the rest. */
	int64_t row_head;
	struct verify_late late;
	struct form *stored, *counted;
	struct zone *zone;
	bool current; /* the stored one holds the counts of these days */
};

/* False: said, and there is nothing to be compared. */
static bool
make_pair(struct verify *verify, sqlite3_stmt *statement, const char *zone, int64_t now_ms,
    struct pair *pair)
{
	char name[256];

	snprintf(name, sizeof(name), "%s", zone);
	if (sqlite3_column_bytes(statement, 1) != FORM_ID_BYTES) {
		verify_differs(
		    verify, "form %lld: no id", (long long)sqlite3_column_int64(statement, 0));
		return false;
	}
	pair->number = sqlite3_column_int64(statement, 0);
	memcpy(pair->id.bytes, sqlite3_column_blob(statement, 1), FORM_ID_BYTES);
	form_id_format(&pair->id, pair->hex);
	pair->row_head = sqlite3_column_int64(statement, 2);
	pair->head = MAX(pair->row_head, sqlite3_column_int64(statement, TAIL_COLUMN));
	pair->late.last_ms = RESPONSE_NO_TIME;
	pair->state_seq = sqlite3_column_int64(statement, 3);
	if (pair->state_seq == STORE_NO_STATE) {
		pair->stored = form_new(&pair->id);
		pair->counted = form_new(&pair->id);
	} else {
		pair->stored = verify_decode(
		    &pair->id, statement, STATE_COLUMN, name, sizeof(name));
		pair->counted = verify_decode(
		    &pair->id, statement, STATE_COLUMN, name, sizeof(name));
	}
	pair->zone = zone_open(name);
	if (pair->stored == NULL || pair->counted == NULL || pair->zone == NULL) {
		verify_differs(verify, "form %s: its state cannot be read", pair->hex);
		return false;
	}
	form_reset(pair->counted);
	pair->current = form_set_now(pair->stored, now_ms) == FORM_OK;
	/* With no responses nothing that is needed was dropped. */
	if (form_set_now(pair->counted, now_ms) == FORM_REBUILD)
		form_reset(pair->counted);
	return true;
}

static void
free_pair(struct pair *pair)
{
	if (pair->stored != NULL)
		form_free(&pair->stored);
	if (pair->counted != NULL)
		form_free(&pair->counted);
	if (pair->zone != NULL)
		zone_close(&pair->zone);
}

static void
add_row(struct verify *verify, struct pair *pair, int64_t seq)
{
	if (response_from_record(&verify->response, sqlite3_column_blob(verify->row, 3),
		(size_t)sqlite3_column_bytes(verify->row, 3)) < 0) {
		verify_differs(verify, "form %s: row %" PRId64 " holds no record", pair->hex, seq);
		return;
	}
	verify->response.form = pair->id;
	form_add(pair->counted, &verify->response, pair->zone);
	if (seq > pair->state_seq)
		form_add(pair->stored, &verify->response, pair->zone);
	if (seq > pair->row_head) {
		pair->late.total++;
		pair->late.last_ms = MAX(pair->late.last_ms, verify->response.submitted_ms);
	}
	verify->responses++;
}

static void
walk_chain(struct verify *verify, struct pair *pair)
{
	for (int64_t seq = pair->head, prev; seq != 0; seq = prev) {
		sqlite3_bind_int64(verify->row, 1, seq);
		bool found = verify_step(verify, verify->row);
		if (!found || sqlite3_column_int64(verify->row, 1) != pair->number)
			verify_differs(verify,
			    "form %s: its chain names row %" PRId64 ", which is %s", pair->hex, seq,
			    found ? "another form's" : "not there");
		else if (sqlite3_column_type(verify->row, 0) != SQLITE_NULL)
			add_row(verify, pair, seq);
		prev = found ? sqlite3_column_int64(verify->row, 2) : 0;
		sqlite3_reset(verify->row);
		if (prev >= seq) {
			verify_differs(verify, "form %s: its chain runs in a circle", pair->hex);
			return;
		}
	}
}

static void
verify_forms(struct verify *verify, const char *zone)
{
	sqlite3_stmt *all = verify_prepare(verify, ALL_FORMS);
	int64_t now_ms = clock_wall_ms();

	while (verify_step(verify, all)) {
		struct pair pair = {0};

		verify->forms++;
		if (make_pair(verify, all, zone, now_ms, &pair)) {
			walk_chain(verify, &pair);
			/* One of older rules is counted anew when it is next used. */
			if (!form_outdated(pair.stored))
				verify_compare(
				    verify, pair.stored, pair.counted, pair.current ? now_ms : -1);
			/* Of one that is being counted anew the list is told at the end. */
			if (!form_outdated(pair.stored) && pair.state_seq != STORE_BARE)
				verify_listing(
				    verify, all, LISTING_COLUMN, &pair.late, pair.counted);
		}
		free_pair(&pair);
	}
	sqlite3_finalize(all);
}

/* Rows that no chain reaches count nowhere. */
static void
verify_count(struct verify *verify)
{
	sqlite3_stmt *count = verify_prepare(
	    verify, "SELECT count(*) FROM responses WHERE id IS NOT NULL");

	if (verify_step(verify, count) &&
	    (uint64_t)sqlite3_column_int64(count, 0) != verify->responses)
		verify_differs(verify, "%lld responses are kept, %" PRIu64 " stand in forms",
		    (long long)sqlite3_column_int64(count, 0), verify->responses);
	sqlite3_finalize(count);
}

/* One snapshot: a transaction that begins with the first read. */
static void
open_snapshot(struct verify *verify)
{
	int64_t version;
	sqlite3_stmt *pragma;

	if (sqlite3_open_v2(verify->path, &verify->handle, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
		verify_failed(verify);
	sqlite3_busy_timeout(verify->handle, 5000);
	if (sqlite3_exec(verify->handle, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		verify_failed(verify);
	pragma = verify_prepare(verify, "PRAGMA application_id");
	version = verify_step(verify, pragma) ? sqlite3_column_int64(pragma, 0) : 0;
	sqlite3_finalize(pragma);
	if (version != 0x64756e65)
		die_usage("%s is no database of analyticsd", verify->path);
	verify->row = verify_prepare(
	    verify, "SELECT id, form, prev, record FROM responses WHERE seq = ?1");
}

int
verify_run(const struct settings *settings, const char *file)
{
	char *path = mem_printf("%s/analytics.db", settings->state_dir);
	struct verify verify = {.path = path};

	open_snapshot(&verify);
	verify_forms(&verify, settings->timezone);
	verify_count(&verify);
	if (file != NULL)
		verify_documents(&verify, file);
	printf("%" PRIu64 " forms, %" PRIu64 " responses", verify.forms, verify.responses);
	if (file != NULL)
		printf(", %" PRIu64 " documents", verify.documents);
	printf(": %" PRIu64 " differences\n", verify.differences);
	if (fflush(stdout) != 0 || ferror(stdout))
		die_system("unable to write to standard output");
	sqlite3_finalize(verify.row);
	sqlite3_close(verify.handle);
	response_free(&verify.response);
	MEM_FREE(&path);
	return verify.differences > 0;
}
