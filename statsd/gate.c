/* SPDX-License-Identifier: MIT */
#include "statsd/gate.h"

#include <string.h>
#include <strings.h>

#include "lib/jwt.h"

#define SCHEME "Bearer "

/* RFC 6750, 2.1; NULL: none, or of another scheme. */
static const char *
bearer(const struct request *request)
{
	const char *value = request->authorization;

	if (!value || strncasecmp(value, SCHEME, strlen(SCHEME)) != 0)
		return NULL;
	value += strlen(SCHEME);
	return value + strspn(value, " ");
}

static bool
refuse(struct answer *answer, unsigned status, const char *why, const char *authenticate)
{
	answer_error(answer, status, why);
	answer->authenticate = authenticate;
	return false;
}

bool
gate_pass(const struct jwt_keys *keys, const struct request *request, const struct form_id *form,
    int64_t now_ms, struct answer *answer)
{
	size_t length = 0;
	const char *token = request->query(request, "token", &length);
	const char *header = bearer(request);
	struct jwt_grant grant;

	if (!keys)
		return true;
	if (!token || length == 0) {
		token = header ? header : "";
		length = strlen(token);
	} else if (header && (strlen(header) != length || memcmp(header, token, length) != 0)) {
		return refuse(answer, 400, "several tokens that differ", NULL);
	}
	enum jwt_verdict verdict = jwt_read(keys, token, length, now_ms, &grant);
	if (verdict != JWT_OK)
		return refuse(answer, 401, jwt_verdict_text(verdict),
		    verdict == JWT_MISSING ? "Bearer" : "Bearer error=\"invalid_token\"");
	if (form ? !jwt_covers(&grant, form) : !grant.all)
		return refuse(answer, 403,
		    form ? jwt_verdict_text(JWT_FORM_NOT_COVERED)
			 : "token does not cover all forms",
		    "Bearer error=\"insufficient_scope\"");
	return true;
}
