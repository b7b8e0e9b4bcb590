/* SPDX-License-Identifier: MIT */
/* jwt_keys: the keys that tokens are verified with, and what else is asked of them.
 *
 * Several keys hold at once, so that they can be changed while old tokens still live: add the
 * new one, HUP, let issuers change over, remove the old one, HUP. DUNE_JWT_SECRET is one secret,
 * its bytes as they stand (no base64). DUNE_JWT_SECRET_FILE holds one secret a line (LF or CR LF;
 * empty lines are passed over), DUNE_JWT_PUBLIC_KEY_FILE one or several PEM blocks "PUBLIC KEY"
 * (RFC 7468, 13; `openssl pkey -pubout`), with any text between them. Secrets from
 * both settings count together. */
#ifndef LIB_JWT_KEYS_H
#define LIB_JWT_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base.h"

#define JWT_MAX_KEYS 8
#define JWT_MAX_KEY_FILE 65536

/* RFC 7518, 3.1, and RFC 8037, 3.1. In the order of DUNE_JWT_ALGORITHM's choices. */
enum jwt_algorithm {
	JWT_HS256,
	JWT_HS384,
	JWT_HS512,
	JWT_RS256,
	JWT_RS384,
	JWT_RS512,
	JWT_ES256,
	JWT_ES384,
	JWT_ES512,
	JWT_PS256,
	JWT_PS384,
	JWT_PS512,
	JWT_EDDSA,
};

enum jwt_family { JWT_HMAC, JWT_RSA, JWT_PSS, JWT_ECDSA, JWT_EDWARDS };

struct jwt_kind {
	const char *name; /* "HS256" */
	enum jwt_family family;
	const char *hash; /* as libcrypto calls it; NULL: the algorithm has its own */
	const char *curve; /* ECDSA: the one that goes with it (RFC 7518, 3.4) */
	size_t bytes; /* HMAC: of the hash; ECDSA: of half a signature */
};

/* The settings; NULL where unset. */
struct jwt_config {
	int algorithm; /* enum jwt_algorithm, from a CHOICE */
	const char *secret, *secret_file, *public_key_file;
	const char *issuer, *audience;
};

struct jwt_key {
	unsigned char *bytes; /* a secret; else NULL */
	size_t length;
	struct evp_pkey_st *public_key; /* libcrypto's EVP_PKEY; or NULL */
};

struct jwt_keys {
	enum jwt_algorithm algorithm;
	char *issuer, *audience; /* NULL: not asked */
	struct jwt_key keys[JWT_MAX_KEYS];
	size_t count; /* at least 1 */
	/* A secret is shorter than the hash, which RFC 7518, 3.2, forbids: worth a warning. */
	bool weak;
};

/* Of a daemon whose settings.def includes lib/settings_jwt.def. */
#define JWT_CONFIG(settings)                                                              \
	{                                                                                 \
		.algorithm = (settings)->jwt_algorithm, .secret = (settings)->jwt_secret, \
		.secret_file = (settings)->jwt_secret_file,                               \
		.public_key_file = (settings)->jwt_public_key_file,                       \
		.issuer = (settings)->jwt_issuer, .audience = (settings)->jwt_audience    \
	}

/* Whether tokens are asked at all. */
bool jwt_wanted(const struct jwt_config *config);

const struct jwt_kind *jwt_kind(enum jwt_algorithm algorithm);
/* "HS256". */
const char *jwt_algorithm_name(enum jwt_algorithm algorithm);

#define JWT_ERROR_SIZE 512

/* Reads the settings and files. 0, and *keys is NULL where no token is wanted; -1, and `error`
 * names the setting and what is wrong: a file that cannot be read, is empty or too long, holds
 * no key or a private one, a key that is not of the algorithm's kind (RSA of at least 2,048
 * bits, RFC 7518, 3.3; the algorithm's own curve, 3.4), settings that exclude each other, or
 * ones of tokens without any key. Never what the files hold. */
MUST_CHECK int jwt_keys_load(
    struct jwt_keys **keys, const struct jwt_config *config, char error[static JWT_ERROR_SIZE]);

/* For HUP: puts newly loaded keys in place of *keys, all or nothing: on -1 the old ones stay. */
MUST_CHECK int jwt_keys_reload(
    struct jwt_keys **keys, const struct jwt_config *config, char error[static JWT_ERROR_SIZE]);

/* Wipes the keys. */
void jwt_keys_free(struct jwt_keys **pointer);

#endif
