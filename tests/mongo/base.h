/* SPDX-License-Identifier: MIT */
/*
 * The ground floor of the stand-in MongoDB: shared documents, error values and
 * a few helpers over libbson. Everything else in this directory may use it.
 *
 * Memory is never out here: libbson's allocator aborts, and this is a test tool.
 */
#ifndef TESTS_MONGO_BASE_H
#define TESTS_MONGO_BASE_H

#include <bson/bson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits of the server, as hello reports them ("hello", MongoDB manual, Output). */
#define MAX_DOC_BYTES (16 * 1024 * 1024)
#define MAX_INTERNAL_DOC_BYTES (MAX_DOC_BYTES + 16 * 1024)
#define MAX_MESSAGE_BYTES 48000000
#define MAX_WRITE_BATCH 100000
#define MAX_DEPTH 200

/* A BSON document that collections, the oplog and cursors share. Never changed once made. */
struct doc {
	unsigned refs;
	uint32_t len;
	uint8_t data[];
};

struct doc *doc_new(const uint8_t *data, uint32_t len);

struct doc *doc_from_bson(const bson_t *b);

struct doc *doc_ref(struct doc *d);

/* Drops one reference and leaves NULL; NULL is allowed. */
void doc_unref(struct doc **d);

/* A view of d, good for as long as d is. */
void doc_view(const struct doc *d, bson_t *out);

/* A growing list of shared documents; it owns one reference to each. */
struct doc_list {
	struct doc **at;
	size_t n, cap;
};

void doc_list_add(struct doc_list *l, struct doc *d);

void doc_list_free(struct doc_list *l);

/* What went wrong, as a command's reply says it. */
struct fail {
	int code; /* 0: nothing */
	const char *label; /* an error label, or NULL */
	char text[600];
};

/* Fills f; the text is made as printf makes it. */
void fail_fill(struct fail *f, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same as an expression that is -1, for `return fail_set(...)`. */
#define fail_set(...) (fail_fill(__VA_ARGS__), -1)

/* The codeName that goes with an error code; "Location<code>" where it has none. The result may
 * point to a static buffer. */
const char *fail_name(int code);

/* Checks BSON that came from outside: structure and depth. Returns true when it is sound. */
bool bson_sound(const uint8_t *data, size_t len);

/* Copies the document or array that it stands on into a view; false when it is neither. */
bool iter_view(const bson_iter_t *it, bson_t *out);

/* Finds a top-level key. */
bool bson_get(const bson_t *b, const char *key, bson_iter_t *it);

/* The number that it stands on, of whatever type, or dflt. */
int64_t iter_number(const bson_iter_t *it, int64_t dflt);

bool iter_is_number(const bson_iter_t *it);

/* A number or bool under key; dflt where it is missing. */
int64_t bson_number(const bson_t *b, const char *key, int64_t dflt);

bool bson_bool(const bson_t *b, const char *key, bool dflt);

/* A string under key, or NULL. Points into b. */
const char *bson_str(const bson_t *b, const char *key);

/* Milliseconds since 1970, and monotonic ones. */
int64_t wall_ms(void);

/* The name of a BSON type as the server prints it. */
const char *type_name(bson_type_t t);

#endif
