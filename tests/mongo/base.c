/* SPDX-License-Identifier: MIT */
#include "tests/mongo/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct doc *
doc_new(const uint8_t *data, uint32_t len)
{
	struct doc *d = bson_malloc(sizeof *d + len);

	d->refs = 1;
	d->len = len;
	memcpy(d->data, data, len);
	return d;
}

struct doc *
doc_from_bson(const bson_t *b)
{
	return doc_new(bson_get_data(b), b->len);
}

struct doc *
doc_ref(struct doc *d)
{
	if (d)
		d->refs++;
	return d;
}

void
doc_unref(struct doc **d)
{
	if (*d && --(*d)->refs == 0)
		bson_free(*d);
	*d = NULL;
}

void
doc_view(const struct doc *d, bson_t *out)
{
	bson_init_static(out, d->data, d->len);
}

void
doc_list_add(struct doc_list *l, struct doc *d)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 16;
		l->at = bson_realloc(l->at, l->cap * sizeof(void *));
	}
	l->at[l->n++] = d;
}

void
doc_list_free(struct doc_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		doc_unref(&l->at[i]);
	bson_free(l->at);
	memset(l, 0, sizeof *l);
}

void
fail_fill(struct fail *f, int code, const char *fmt, ...)
{
	va_list ap;

	f->code = code;
	/* The category NonResumableChangeStreamError of the server's list of codes. */
	f->label = code == 280 || code == 286 ? "NonResumableChangeStreamError" : NULL;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof f->text, fmt, ap);
	va_end(ap);
}

/* From the server's list of error codes (manual: Reference > Error Codes). */
static const struct {
	int code;
	const char *name;
} code_names[] = {
    {1, "InternalError"},
    {2, "BadValue"},
    {9, "FailedToParse"},
    {11, "UserNotFound"},
    {13, "Unauthorized"},
    {14, "TypeMismatch"},
    {16, "InvalidLength"},
    {17, "ProtocolError"},
    {18, "AuthenticationFailed"},
    {20, "IllegalOperation"},
    {26, "NamespaceNotFound"},
    {27, "IndexNotFound"},
    {28, "PathNotViable"},
    {40, "ConflictingUpdateOperators"},
    {43, "CursorNotFound"},
    {47, "NoMatchingDocument"},
    {48, "NamespaceExists"},
    {50, "MaxTimeMSExpired"},
    {53, "InvalidIdField"},
    {56, "EmptyFieldName"},
    {59, "CommandNotFound"},
    {66, "ImmutableField"},
    {72, "InvalidOptions"},
    {73, "InvalidNamespace"},
    {76, "NoReplicationEnabled"},
    {89, "NetworkTimeout"},
    {91, "ShutdownInProgress"},
    {112, "WriteConflict"},
    {125, "CommandFailed"},
    {136, "CappedPositionLost"},
    {143, "CursorInUse"},
    {175, "QueryPlanKilled"},
    {189, "PrimarySteppedDown"},
    {202, "NetworkInterfaceExceededTimeLimit"},
    {225, "TransactionTooOld"},
    {234, "RetryChangeStream"},
    {237, "CursorKilled"},
    {238, "NotImplemented"},
    {251, "NoSuchTransaction"},
    {256, "TransactionCommitted"},
    {260, "InvalidResumeToken"},
    {263, "OperationNotSupportedInTransaction"},
    {280, "ChangeStreamFatalError"},
    {286, "ChangeStreamHistoryLost"},
    {334, "MechanismUnavailable"},
    {352, "UnsupportedOpQueryCommand"},
    {391, "ReauthenticationRequired"},
    {10107, "NotWritablePrimary"},
    {10334, "BSONObjectTooLarge"},
    {11000, "DuplicateKey"},
    {11600, "InterruptedAtShutdown"},
    {11601, "Interrupted"},
    {11602, "InterruptedDueToReplStateChange"},
    {13435, "NotPrimaryNoSecondaryOk"},
    {13436, "NotPrimaryOrSecondary"},
};

const char *
fail_name(int code)
{
	static char buf[32];

	for (size_t i = 0; i < sizeof code_names / sizeof *code_names; i++)
		if (code_names[i].code == code)
			return code_names[i].name;
	snprintf(buf, sizeof buf, "Location%d", code);
	return buf;
}

static bool
sound_at(const uint8_t *data, size_t len, int depth)
{
	bson_iter_t it;

	if (depth > MAX_DEPTH || len < 5 || len > INT32_MAX)
		return false;
	if (!bson_iter_init_from_data(&it, data, len))
		return false;
	while (bson_iter_next(&it)) {
		const uint8_t *sub = NULL;
		uint32_t n = 0;

		if (BSON_ITER_HOLDS_DOCUMENT(&it))
			bson_iter_document(&it, &n, &sub);
		else if (BSON_ITER_HOLDS_ARRAY(&it))
			bson_iter_array(&it, &n, &sub);
		else if (BSON_ITER_HOLDS_CODEWSCOPE(&it))
			bson_iter_codewscope(&it, NULL, &n, &sub);
		else
			continue;
		if (!sub || !sound_at(sub, n, depth + 1))
			return false;
	}
	return it.err_off == 0;
}

bool
bson_sound(const uint8_t *data, size_t len)
{
	int32_t said;

	if (len < 5 || data[len - 1] != 0)
		return false;
	memcpy(&said, data, 4);
	if ((size_t)BSON_UINT32_FROM_LE((uint32_t)said) != len)
		return false;
	return sound_at(data, len, 0);
}

bool
iter_view(const bson_iter_t *it, bson_t *out)
{
	const uint8_t *data = NULL;
	uint32_t len = 0;

	if (BSON_ITER_HOLDS_DOCUMENT(it))
		bson_iter_document(it, &len, &data);
	else if (BSON_ITER_HOLDS_ARRAY(it))
		bson_iter_array(it, &len, &data);
	return data && bson_init_static(out, data, len);
}

bool
bson_get(const bson_t *b, const char *key, bson_iter_t *it)
{
	return bson_iter_init_find(it, b, key);
}

bool
iter_is_number(const bson_iter_t *it)
{
	bson_type_t t = bson_iter_type(it);

	return t == BSON_TYPE_INT32 || t == BSON_TYPE_INT64 || t == BSON_TYPE_DOUBLE ||
	    t == BSON_TYPE_DECIMAL128;
}

int64_t
iter_number(const bson_iter_t *it, int64_t dflt)
{
	switch (bson_iter_type(it)) {
	case BSON_TYPE_INT32:
		return bson_iter_int32(it);
	case BSON_TYPE_INT64:
		return bson_iter_int64(it);
	case BSON_TYPE_DOUBLE: {
		double d = bson_iter_double(it);

		if (d != d)
			return dflt;
		if (d >= 9.2e18)
			return INT64_MAX;
		return d <= -9.2e18 ? INT64_MIN : (int64_t)d;
	}
	case BSON_TYPE_BOOL:
		return bson_iter_bool(it);
	default:
		return dflt;
	}
}

int64_t
bson_number(const bson_t *b, const char *key, int64_t dflt)
{
	bson_iter_t it;

	return bson_get(b, key, &it) ? iter_number(&it, dflt) : dflt;
}

bool
bson_bool(const bson_t *b, const char *key, bool dflt)
{
	return bson_number(b, key, dflt) != 0;
}

const char *
bson_str(const bson_t *b, const char *key)
{
	bson_iter_t it;

	if (!bson_get(b, key, &it) || !BSON_ITER_HOLDS_UTF8(&it))
		return NULL;
	return bson_iter_utf8(&it, NULL);
}

int64_t
wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const char *
type_name(bson_type_t t)
{
	switch (t) {
	case BSON_TYPE_DOUBLE:
		return "double";
	case BSON_TYPE_UTF8:
		return "string";
	case BSON_TYPE_DOCUMENT:
		return "object";
	case BSON_TYPE_ARRAY:
		return "array";
	case BSON_TYPE_BINARY:
		return "binData";
	case BSON_TYPE_UNDEFINED:
		return "undefined";
	case BSON_TYPE_OID:
		return "objectId";
	case BSON_TYPE_BOOL:
		return "bool";
	case BSON_TYPE_DATE_TIME:
		return "date";
	case BSON_TYPE_NULL:
		return "null";
	case BSON_TYPE_REGEX:
		return "regex";
	case BSON_TYPE_INT32:
		return "int";
	case BSON_TYPE_TIMESTAMP:
		return "timestamp";
	case BSON_TYPE_INT64:
		return "long";
	case BSON_TYPE_DECIMAL128:
		return "decimal";
	case BSON_TYPE_MINKEY:
		return "minKey";
	case BSON_TYPE_MAXKEY:
		return "maxKey";
	case BSON_TYPE_CODE:
		return "javascript";
	case BSON_TYPE_CODEWSCOPE:
		return "javascriptWithScope";
	case BSON_TYPE_SYMBOL:
		return "symbol";
	case BSON_TYPE_DBPOINTER:
		return "dbPointer";
	default:
		return "missing";
	}
}
