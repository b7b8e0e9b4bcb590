/* SPDX-License-Identifier: MIT */
/* tokens: keys and signed tokens for tests. */
#ifndef TESTS_UNIT_LIB_TOKENS_H
#define TESTS_UNIT_LIB_TOKENS_H

#include <stddef.h>

#include "lib/jwt_keys.h"

/* A token of these two JSON texts, signed with HMAC under `hash` ("SHA256"; NULL: an empty
 * signature). The caller frees it. */
char *token_sign(const char *header, const char *claims, const char *hash, const void *secret,
    size_t secret_length);
/* {"alg":"HS256"}, and these claims. */
char *token_hs256(const char *claims, const char *secret);

struct key_pair {
	char *private_pem, *public_pem;
};

/* "RSA" with its bits, or "EC" with its curve; the other is 0 or NULL. */
struct key_pair key_pair_make(const char *kind, size_t bits, const char *curve);
void key_pair_free(struct key_pair *pair);
/* Signed with that private key. */
char *token_with_key(enum jwt_algorithm algorithm, const char *claims, const char *private_pem);

/* Writes `text` into a file of that name in the test's directory; its path, valid until the
 * test ends. */
const char *file_make(const char *name, const char *text);

#endif
