/* SPDX-License-Identifier: MIT */
/* jwt_pem: public keys out of a PEM text (RFC 7468), one after the other, each checked to be of
 * the algorithm's kind. Pure. */
#ifndef LIB_JWT_PEM_H
#define LIB_JWT_PEM_H

#include <stddef.h>

#include "lib/base.h"
#include "lib/jwt_keys.h"

struct jwt_pem;

/* `text` must outlive it. */
struct jwt_pem *jwt_pem_open(const char *text, size_t length);
void jwt_pem_close(struct jwt_pem **pointer);

/* 1 and the next key, an EVP_PKEY, the caller's to free; 0: there are no more; -1: a block that is
 * none of the algorithm's public keys, and *why is a literal. */
MUST_CHECK int jwt_pem_next(
    struct jwt_pem *pem, enum jwt_algorithm algorithm, struct evp_pkey_st **key, const char **why);

#endif
