/* SPDX-License-Identifier: MIT */
/* jwt: which forms a token lets its bearer see (RFC 7519). Pure: the time is an argument.
 * Never logs; callers must not log tokens either.
 *
 * In this order, the cheapest first: the shape; the header's `alg`, which must be the configured
 * one to the letter (so neither "none" nor a public key used as a secret gets anybody in; RFC
 * 8725, 2.1); the claims; the signature. So a crowd that comes back with tokens that have expired
 * costs 2 us each, and nothing that a token says counts before its signature was found good. One
 * whose signature is not good is told that it has expired, or that it is invalid, and nothing else:
 * not which issuer or audience is wanted. A name that stands twice among those that are read is
 * refused.
 *
 * Claims: `exp` (must be there) and `nbf` (if there), numbers, with 30 s of tolerance for clocks
 * that differ; `iss` where DUNE_JWT_ISSUER is set, equal; `aud` where DUNE_JWT_AUDIENCE is set,
 * a string or an array that holds it; `forms`, an array of form ids in either case, or the
 * string "*": all forms; without it: none. A token that names `crit` headers is
 * refused (RFC 7515, 4.1.11: we know none), and so is `typ` other than JWT. */
#ifndef LIB_JWT_H
#define LIB_JWT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"
#include "lib/form_id.h"
#include "lib/jwt_keys.h"

#define JWT_MAX_TOKEN 8192
#define JWT_SKEW_MS 30000
/* More form ids than the longest token has room for. */
#define JWT_MAX_FORMS 256

enum jwt_verdict {
	JWT_OK,
	JWT_MISSING,
	JWT_INVALID, /* not a token, another algorithm, no key fits, claims of wrong types */
	JWT_EXPIRED,
	JWT_NO_EXPIRY,
	JWT_NOT_YET,
	JWT_WRONG_ISSUER,
	JWT_WRONG_AUDIENCE,
	JWT_FORM_NOT_COVERED, /* 403; everything else 401 */
};

/* What a good token allows. */
struct jwt_grant {
	/* When that ends: the token's `exp`, or, where that lies already behind `now_ms`
	 * (within the tolerance), `exp` and the tolerance; always in the future, and
	 * before the year 10000. */
	int64_t expires_ms;
	bool all; /* forms: "*" */
	size_t count;
	struct form_id forms[JWT_MAX_FORMS];
};

/* `length` 0: JWT_MISSING. On JWT_OK *grant is filled in, and never anything but JWT_OK or one of
 * the failures that are 401 comes back. `now_ms`: of the wall clock (clock_wall_ms). */
MUST_CHECK enum jwt_verdict jwt_read(const struct jwt_keys *keys, const char *token, size_t length,
    int64_t now_ms, struct jwt_grant *grant);
bool jwt_covers(const struct jwt_grant *grant, const struct form_id *form);

/* Both at once, for one form. On JWT_OK *expires_ms is the grant's. */
MUST_CHECK enum jwt_verdict jwt_judge(const struct jwt_keys *keys, const char *token, size_t length,
    const struct form_id *form, int64_t now_ms, int64_t *expires_ms);

/* What may be told to the client and to the log: "token expired". */
const char *jwt_verdict_text(enum jwt_verdict verdict);

#endif
