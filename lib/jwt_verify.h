/* SPDX-License-Identifier: MIT */
/* jwt_verify: whether one of the keys has signed a text (RFC 7518, 3; RFC 8037, 3.1). libcrypto
 * does it, with keys that were read once, when they were loaded; secrets are compared with its
 * CRYPTO_memcmp. */
#ifndef LIB_JWT_VERIFY_H
#define LIB_JWT_VERIFY_H

#include "lib/jwt_keys.h"

/* `text` is what was signed: header and claims as they stand in the token, and the dot. */
MUST_CHECK bool jwt_verify(const struct jwt_keys *keys, const char *text, size_t length,
    const unsigned char *signature, size_t signature_length);

#endif
