/* SPDX-License-Identifier: MIT */
#include "lib/jwt.h"

#include <string.h>
#include <strings.h>

#include "lib/base64url.h"
#include "lib/json_read.h"
#include "lib/jwt_verify.h"

#define MAX_TOKENS 4096 /* JSON tokens: as many as a token of the longest length may hold */
#define LAST_MS INT64_C(253402300799000) /* the end of the year 9999 */
#define MAX_BYTES (JWT_MAX_TOKEN * 3 / 4)

/* One part of a token, decoded. */
struct part {
	unsigned char bytes[MAX_BYTES + 1];
	size_t length;
};

/* Header, claims, signature: base64url with dots between (RFC 7515, 7.1). None is empty. */
struct parts {
	struct part header, claims, signature;
	size_t signed_length; /* of the token: header and claims */
};

/* The part up to `end`, which is `mark`. What is behind it, or NULL. */
static const char *
read_part(struct part *part, const char *text, const char *end)
{
	ssize_t length;

	if (end == NULL || end == text)
		return NULL;
	length = base64url_decode(part->bytes, text, (size_t)(end - text));
	if (length <= 0)
		return NULL;
	part->length = (size_t)length;
	return end + 1;
}

static bool
read_parts(struct parts *parts, const char *token, size_t length)
{
	const char *end = token + length, *at = token;

	at = read_part(&parts->header, at, memchr(at, '.', length));
	if (at == NULL)
		return false;
	at = read_part(&parts->claims, at, memchr(at, '.', (size_t)(end - at)));
	if (at == NULL)
		return false;
	parts->signed_length = (size_t)(at - 1 - token);
	return read_part(&parts->signature, at, end) != NULL;
}

/* A name that stands there twice means what its reader likes: such a document is refused (RFC
 * 7515, 4; RFC 7519, 4), as far as we read it. */
static bool
names_once(const struct json_doc *doc, const char *const *names)
{
	for (; *names != NULL; names++) {
		int seen = 0;

		JSON_FOR_EACH (key, doc, 0)
			seen += json_string_is(doc, key, *names);
		if (seen > 1)
			return false;
	}
	return true;
}

static bool
read_object(struct json_doc *doc, const struct part *part, const char *const *names)
{
	if (json_parse(doc, (const char *)part->bytes, part->length, MAX_TOKENS, NULL) < 0)
		return false;
	if (json_type(doc, 0) == JSON_OBJECT && names_once(doc, names))
		return true;
	json_free(doc);
	return false;
}

static bool
header_good(const struct part *header, enum jwt_algorithm wanted)
{
	static const char *const names[] = {"alg", "crit", "typ", NULL};
	struct json_doc doc;
	char type[8];
	bool good;

	if (!read_object(&doc, header, names))
		return false;
	good = json_string_is(&doc, json_get(&doc, 0, "alg"), jwt_algorithm_name(wanted)) &&
	    json_get(&doc, 0, "crit") < 0 &&
	    (json_get(&doc, 0, "typ") < 0 ||
		(json_string(&doc, json_get(&doc, 0, "typ"), type, sizeof(type)) > 0 &&
		    strcasecmp(type, "JWT") == 0));
	json_free(&doc);
	return good;
}

/* A NumericDate (RFC 7519, 2) in milliseconds. 1, 0: not there, -1: no number. */
static int
read_date(const struct json_doc *doc, const char *name, int64_t *ms)
{
	int value = json_get(doc, 0, name);
	double seconds;

	if (value < 0)
		return 0;
	if (json_double(doc, value, &seconds) < 0)
		return -1;
	double limit = (double)LAST_MS / 1000;
	seconds = seconds > limit ? limit : seconds < -limit ? -limit : seconds;
	*ms = (int64_t)(seconds * 1000);
	return 1;
}

static enum jwt_verdict
judge_time(const struct json_doc *doc, int64_t now_ms, int64_t *expires_ms)
{
	int64_t exp, nbf;
	int expiry = read_date(doc, "exp", &exp), start = read_date(doc, "nbf", &nbf);

	if (expiry < 0 || start < 0)
		return JWT_INVALID;
	if (expiry == 0)
		return JWT_NO_EXPIRY;
	if (now_ms >= exp + JWT_SKEW_MS)
		return JWT_EXPIRED;
	if (start > 0 && now_ms < nbf - JWT_SKEW_MS)
		return JWT_NOT_YET;
	*expires_ms = exp > now_ms ? exp : exp + JWT_SKEW_MS;
	return JWT_OK;
}

static bool
audience_good(const struct json_doc *doc, const char *wanted)
{
	int audience = json_get(doc, 0, "aud");

	if (json_type(doc, audience) != JSON_ARRAY)
		return json_string_is(doc, audience, wanted);
	JSON_FOR_EACH (one, doc, audience)
		if (json_string_is(doc, one, wanted))
			return true;
	return false;
}

static void
read_forms(const struct json_doc *doc, struct jwt_grant *grant)
{
	int forms = json_get(doc, 0, "forms");
	char text[FORM_ID_HEX + 1];

	grant->all = json_string_is(doc, forms, "*");
	grant->count = 0;
	if (json_type(doc, forms) != JSON_ARRAY)
		return;
	JSON_FOR_EACH (one, doc, forms) {
		int length = json_string(doc, one, text, sizeof(text));
		if (length > 0 && grant->count < JWT_MAX_FORMS &&
		    form_id_parse(&grant->forms[grant->count], text, (size_t)length) == 0)
			grant->count++;
	}
}

static enum jwt_verdict
judge_document(const struct jwt_keys *keys, const struct json_doc *doc, int64_t now_ms,
    struct jwt_grant *grant)
{
	enum jwt_verdict verdict = judge_time(doc, now_ms, &grant->expires_ms);

	if (verdict != JWT_OK)
		return verdict;
	if (keys->issuer != NULL && !json_string_is(doc, json_get(doc, 0, "iss"), keys->issuer))
		return JWT_WRONG_ISSUER;
	if (keys->audience != NULL && !audience_good(doc, keys->audience))
		return JWT_WRONG_AUDIENCE;
	read_forms(doc, grant);
	return JWT_OK;
}

static enum jwt_verdict
judge_claims(
    const struct jwt_keys *keys, const struct part *claims, int64_t now_ms, struct jwt_grant *grant)
{
	static const char *const names[] = {"exp", "nbf", "iss", "aud", "forms", NULL};
	struct json_doc doc;
	enum jwt_verdict verdict;

	if (!read_object(&doc, claims, names))
		return JWT_INVALID;
	verdict = judge_document(keys, &doc, now_ms, grant);
	json_free(&doc);
	return verdict;
}

enum jwt_verdict
jwt_read(const struct jwt_keys *keys, const char *token, size_t length, int64_t now_ms,
    struct jwt_grant *grant)
{
	struct parts parts;
	enum jwt_verdict verdict;

	if (length == 0)
		return JWT_MISSING;
	if (length > JWT_MAX_TOKEN || !read_parts(&parts, token, length) ||
	    !header_good(&parts.header, keys->algorithm))
		return JWT_INVALID;
	verdict = judge_claims(keys, &parts.claims, now_ms, grant);
	if (verdict == JWT_INVALID || verdict == JWT_EXPIRED)
		return verdict;
	/* What else is wrong is for those who have a token of ours. */
	return jwt_verify(
		   keys, token, parts.signed_length, parts.signature.bytes, parts.signature.length)
	    ? verdict
	    : JWT_INVALID;
}

bool
jwt_covers(const struct jwt_grant *grant, const struct form_id *form)
{
	if (grant->all)
		return true;
	for (size_t i = 0; i < grant->count; i++)
		if (form_id_equal(&grant->forms[i], form))
			return true;
	return false;
}

enum jwt_verdict
jwt_judge(const struct jwt_keys *keys, const char *token, size_t length, const struct form_id *form,
    int64_t now_ms, int64_t *expires_ms)
{
	struct jwt_grant grant;
	enum jwt_verdict verdict = jwt_read(keys, token, length, now_ms, &grant);

	if (verdict != JWT_OK)
		return verdict;
	if (!jwt_covers(&grant, form))
		return JWT_FORM_NOT_COVERED;
	*expires_ms = grant.expires_ms;
	return JWT_OK;
}

const char *
jwt_verdict_text(enum jwt_verdict verdict)
{
	static const char *const texts[] = {
	    [JWT_OK] = "token accepted",
	    [JWT_MISSING] = "token missing",
	    [JWT_INVALID] = "token invalid",
	    [JWT_EXPIRED] = "token expired",
	    [JWT_NO_EXPIRY] = "token without expiry",
	    [JWT_NOT_YET] = "token not valid yet",
	    [JWT_WRONG_ISSUER] = "token of another issuer",
	    [JWT_WRONG_AUDIENCE] = "token for another audience",
	    [JWT_FORM_NOT_COVERED] = "token does not cover this form",
	};
	return texts[verdict];
}
