/* SPDX-License-Identifier: MIT */
#include "lib/jwt.h"

#include <stdlib.h>
#include <string.h>

#include <jwt.h>
#include <openssl/err.h>

#include "lib/json_read.h"

#define MAX_TOKENS 4096 /* JSON tokens: as many as a token of the longest length may hold */
#define LAST_MS INT64_C(253402300799000) /* the end of the year 9999 */
#define BASE64URL                                                        \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" \
	"-_"

static const jwt_alg_t algorithms[] = {
    [JWT_HS256] = JWT_ALG_HS256,
    [JWT_HS384] = JWT_ALG_HS384,
    [JWT_HS512] = JWT_ALG_HS512,
    [JWT_RS256] = JWT_ALG_RS256,
    [JWT_RS384] = JWT_ALG_RS384,
    [JWT_RS512] = JWT_ALG_RS512,
    [JWT_ES256] = JWT_ALG_ES256,
    [JWT_ES384] = JWT_ALG_ES384,
    [JWT_ES512] = JWT_ALG_ES512,
};

/* Three parts of base64url without padding (RFC 7515, 7.1). libjwt's decoder passes over what
 * it does not know, and reads an empty part beyond its end. */
static bool
shape_good(const char *token)
{
	for (int part = 0;; part++) {
		size_t length = strspn(token, BASE64URL);
		if (length == 0 || length % 4 == 1)
			return false;
		token += length;
		if (part == 2)
			return *token == '\0';
		if (*token++ != '.')
			return false;
	}
}

static bool
header_good(jwt_t *jwt, enum jwt_algorithm wanted)
{
	const char *name = jwt_get_header(jwt, "alg");
	char *critical = jwt_get_headers_json(jwt, "crit");
	bool good = critical == NULL && jwt_get_alg(jwt) == algorithms[wanted] && name != NULL &&
	    strcmp(name, jwt_algorithm_name(wanted)) == 0;

	free(critical);
	return good;
}

/* The claims of a token that one of the keys has signed, as JSON (to be freed), or NULL. */
static char *
verify(const struct jwt_keys *keys, const char *token)
{
	char *claims = NULL;

	for (size_t i = 0; i < keys->count && claims == NULL; i++) {
		jwt_t *jwt = NULL;
		if (jwt_decode(&jwt, token, keys->keys[i].bytes, (int)keys->keys[i].length) != 0)
			continue;
		if (header_good(jwt, keys->algorithm))
			claims = jwt_get_grants_json(jwt, NULL);
		jwt_free(jwt);
	}
	/* A key that did not fit leaves its errors behind. */
	ERR_clear_error();
	return claims;
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
judge_claims(const struct jwt_keys *keys, const struct json_doc *doc, int64_t now_ms,
    struct jwt_grant *grant)
{
	if (json_type(doc, 0) != JSON_OBJECT)
		return JWT_INVALID;
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

enum jwt_verdict
jwt_read(const struct jwt_keys *keys, const char *token, size_t length, int64_t now_ms,
    struct jwt_grant *grant)
{
	char copy[JWT_MAX_TOKEN + 1];
	struct json_doc doc;

	if (length == 0)
		return JWT_MISSING;
	if (length > JWT_MAX_TOKEN || memchr(token, '\0', length) != NULL)
		return JWT_INVALID;
	memcpy(copy, token, length);
	copy[length] = '\0';
	char *claims = shape_good(copy) ? verify(keys, copy) : NULL;
	if (claims == NULL)
		return JWT_INVALID;
	enum jwt_verdict verdict = JWT_INVALID;
	if (json_parse(&doc, claims, strlen(claims), MAX_TOKENS, NULL) == 0) {
		verdict = judge_claims(keys, &doc, now_ms, grant);
		json_free(&doc);
	}
	free(claims);
	return verdict;
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
