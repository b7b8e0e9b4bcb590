/* SPDX-License-Identifier: MIT */
/* verify_state: the inside of verify, for verify*.c alone. */
#ifndef ANALYTICSD_VERIFY_STATE_H
#define ANALYTICSD_VERIFY_STATE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "analyticsd/form.h"
#include "lib/base.h"
#include "analyticsd/response.h"
#include "lib/buf.h"

/* A set of small numbers. */
struct verify_set {
	uint8_t *bits;
	int64_t size;
};

struct verify {
	const char *path;
	sqlite3 *handle;
	sqlite3_stmt *row, *row_by_id, *form_by_id;
	uint64_t forms, responses, documents, differences;
	struct response response;
};

/* "form <id>: what\n" */
void verify_differs(struct verify *verify, const char *format, ...) PRINTF_LIKE(2, 3);
/* Dies with 111 and SQLite's words. */
NORETURN void verify_failed(struct verify *verify);
/* A statement; dies when it cannot be prepared. */
sqlite3_stmt *verify_prepare(struct verify *verify, const char *sql);
/* Whether there is a row; dies when it cannot be read. */
bool verify_step(struct verify *verify, sqlite3_stmt *statement);

/* The form that column `column` encodes, as store and forms write it, and the name of its zone;
 * NULL: it does not decode. */
struct form *verify_decode(
    const struct form_id *id, sqlite3_stmt *statement, int column, char *zone, size_t size);

/* verify_compare.c: a difference for each value that is another. */
void verify_compare(
    struct verify *verify, const struct form *stored, const struct form *counted, int64_t now_ms);

/* Responses that the row of a form does not account for yet. */
struct verify_late {
	int64_t total, last_ms;
};

/* verify_listing.c: columns title, total, last and the definition's text, from `column` on. */
void verify_listing(struct verify *verify, sqlite3_stmt *statement, int column,
    const struct verify_late *late, const struct form *counted);

/* verify_documents.c */
void verify_documents(struct verify *verify, const char *file);

#endif
