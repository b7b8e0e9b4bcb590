/* SPDX-License-Identifier: MIT */
#include "lib/jwt_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "lib/mem.h"
#include "lib/sock.h"
#include "lib/jwt_pem.h"

#define SECRET_SETTING "DUNE_JWT_SECRET"
#define SECRET_FILE_SETTING "DUNE_JWT_SECRET_FILE"
#define PUBLIC_KEY_SETTING "DUNE_JWT_PUBLIC_KEY_FILE"

static const struct jwt_kind kinds[] = {
    [JWT_HS256] = {"HS256", JWT_HMAC, "SHA256", NULL, 32},
    [JWT_HS384] = {"HS384", JWT_HMAC, "SHA384", NULL, 48},
    [JWT_HS512] = {"HS512", JWT_HMAC, "SHA512", NULL, 64},
    [JWT_RS256] = {"RS256", JWT_RSA, "SHA256", NULL, 0},
    [JWT_RS384] = {"RS384", JWT_RSA, "SHA384", NULL, 0},
    [JWT_RS512] = {"RS512", JWT_RSA, "SHA512", NULL, 0},
    [JWT_ES256] = {"ES256", JWT_ECDSA, "SHA256", "P-256", 32},
    [JWT_ES384] = {"ES384", JWT_ECDSA, "SHA384", "P-384", 48},
    [JWT_ES512] = {"ES512", JWT_ECDSA, "SHA512", "P-521", 66},
    [JWT_PS256] = {"PS256", JWT_PSS, "SHA256", NULL, 0},
    [JWT_PS384] = {"PS384", JWT_PSS, "SHA384", NULL, 0},
    [JWT_PS512] = {"PS512", JWT_PSS, "SHA512", NULL, 0},
    [JWT_EDDSA] = {"EdDSA", JWT_EDWARDS, NULL, NULL, 0},
};

bool
jwt_wanted(const struct jwt_config *config)
{
	return config->secret != NULL || config->secret_file != NULL ||
	    config->public_key_file != NULL;
}

const struct jwt_kind *
jwt_kind(enum jwt_algorithm algorithm)
{
	return &kinds[algorithm];
}

const char *
jwt_algorithm_name(enum jwt_algorithm algorithm)
{
	return kinds[algorithm].name;
}

static int PRINTF_LIKE(2, 3) fail(char *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, JWT_ERROR_SIZE, format, arguments);
	va_end(arguments);
	return -1;
}

/* The whole file into `out`. The length, or -1. */
static ssize_t
read_file(const char *setting, const char *path, char *out, char *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got = fd < 0 ? -1 : 1;

	while (got > 0 && length <= JWT_MAX_KEY_FILE) {
		got = read(fd, out + length, JWT_MAX_KEY_FILE + 1 - length);
		if (got > 0)
			length += (size_t)got;
		else if (got < 0 && errno == EINTR)
			got = 1;
	}
	if (got < 0)
		fail(error, "%s: unable to read %s: %s", setting, path, strerror(errno));
	fd_close(&fd);
	if (got < 0)
		return -1;
	if (length > JWT_MAX_KEY_FILE)
		return fail(
		    error, "%s: %s is longer than %d bytes", setting, path, JWT_MAX_KEY_FILE);
	return (ssize_t)length;
}

/* A new one, or NULL where there is no room. */
static struct jwt_key *
add_key(struct jwt_keys *keys, const char *setting, char *error)
{
	if (keys->count < JWT_MAX_KEYS)
		return &keys->keys[keys->count++];
	(void)fail(error, "%s: more than %d keys", setting, JWT_MAX_KEYS);
	return NULL;
}

static int
add_secret(
    struct jwt_keys *keys, const char *setting, const char *secret, size_t length, char *error)
{
	struct jwt_key *key = add_key(keys, setting, error);

	if (key == NULL)
		return -1;
	if (length < kinds[keys->algorithm].bytes)
		keys->weak = true;
	key->bytes = mem_dup(secret, length);
	key->length = length;
	return 0;
}

static int
add_secret_lines(
    struct jwt_keys *keys, const char *path, const char *text, size_t length, char *error)
{
	size_t before = keys->count;

	while (length > 0) {
		const char *end = memchr(text, '\n', length);
		size_t line = end != NULL ? (size_t)(end - text) : length;
		size_t secret = line - (line > 0 && text[line - 1] == '\r');
		if (secret > 0 && add_secret(keys, SECRET_FILE_SETTING, text, secret, error) < 0)
			return -1;
		text += line + (end != NULL);
		length -= line + (end != NULL);
	}
	if (keys->count == before)
		return fail(error, SECRET_FILE_SETTING ": %s holds no secret", path);
	return 0;
}

static int
add_public_keys(
    struct jwt_keys *keys, const char *path, const char *text, size_t length, char *error)
{
	struct jwt_pem *pem = jwt_pem_open(text, length);
	const char *why = NULL;
	EVP_PKEY *public_key;
	int result;

	while ((result = jwt_pem_next(pem, keys->algorithm, &public_key, &why)) > 0) {
		struct jwt_key *key = add_key(keys, PUBLIC_KEY_SETTING, error);

		if (key == NULL) {
			EVP_PKEY_free(public_key);
			result = -2;
			break;
		}
		key->public_key = public_key;
	}
	jwt_pem_close(&pem);
	if (result == -1)
		return fail(error, PUBLIC_KEY_SETTING ": %s: %s (DUNE_JWT_ALGORITHM is %s)", path,
		    why, jwt_algorithm_name(keys->algorithm));
	if (result == 0 && keys->count == 0)
		return fail(error, PUBLIC_KEY_SETTING ": %s holds no public key in PEM", path);
	return result;
}

static int
load_secrets(struct jwt_keys *keys, const struct jwt_config *config, char *error)
{
	int result = 0;

	if (config->secret != NULL)
		result = add_secret(
		    keys, SECRET_SETTING, config->secret, strlen(config->secret), error);
	if (result < 0 || config->secret_file == NULL)
		return result;
	char *text = mem_alloc(JWT_MAX_KEY_FILE + 1);
	ssize_t length = read_file(SECRET_FILE_SETTING, config->secret_file, text, error);
	result = length < 0
	    ? -1
	    : add_secret_lines(keys, config->secret_file, text, (size_t)length, error);
	OPENSSL_cleanse(text, JWT_MAX_KEY_FILE + 1);
	MEM_FREE(&text);
	return result;
}

static int
load_public_keys(struct jwt_keys *keys, const struct jwt_config *config, char *error)
{
	char *text = mem_alloc(JWT_MAX_KEY_FILE + 1);
	ssize_t length = read_file(PUBLIC_KEY_SETTING, config->public_key_file, text, error);
	int result = length < 0
	    ? -1
	    : add_public_keys(keys, config->public_key_file, text, (size_t)length, error);

	/* It may have been a private one. */
	OPENSSL_cleanse(text, JWT_MAX_KEY_FILE + 1);
	MEM_FREE(&text);
	return result;
}

static int
load(struct jwt_keys *keys, const struct jwt_config *config, char *error)
{
	const char *algorithm = jwt_algorithm_name(keys->algorithm);
	bool secrets = config->secret != NULL || config->secret_file != NULL;

	if (kinds[keys->algorithm].family != JWT_HMAC) {
		if (secrets)
			return fail(error,
			    "DUNE_JWT_ALGORITHM is %s, which has a public key: unset %s", algorithm,
			    config->secret != NULL ? SECRET_SETTING : SECRET_FILE_SETTING);
		return load_public_keys(keys, config, error);
	}
	if (config->public_key_file != NULL)
		return fail(error,
		    "DUNE_JWT_ALGORITHM is %s, which has a secret and no public key: "
		    "unset " PUBLIC_KEY_SETTING " or set another algorithm",
		    algorithm);
	return load_secrets(keys, config, error);
}

/* Whoever says what tokens are to be like wants them asked for. */
static int
check_none(const struct jwt_config *config, char *error)
{
	const char *asked = config->issuer != NULL ? "DUNE_JWT_ISSUER is set"
	    : config->audience != NULL             ? "DUNE_JWT_AUDIENCE is set"
						   : NULL;
	const struct jwt_kind *kind = &kinds[config->algorithm];

	if (config->algorithm != JWT_HS256)
		return fail(error, "DUNE_JWT_ALGORITHM is %s, and there is no key: set %s",
		    kind->name,
		    kind->family == JWT_HMAC ? SECRET_FILE_SETTING : PUBLIC_KEY_SETTING);
	if (asked != NULL)
		return fail(error,
		    "%s, and there is no key: set " SECRET_FILE_SETTING " or " PUBLIC_KEY_SETTING,
		    asked);
	return 0;
}

int
jwt_keys_load(
    struct jwt_keys **keys, const struct jwt_config *config, char error[static JWT_ERROR_SIZE])
{
	*keys = NULL;
	if (!jwt_wanted(config))
		return check_none(config, error);
	struct jwt_keys *fresh = mem_zalloc(sizeof(*fresh));
	fresh->algorithm = (enum jwt_algorithm)config->algorithm;
	if (config->issuer != NULL)
		fresh->issuer = mem_strdup(config->issuer);
	if (config->audience != NULL)
		fresh->audience = mem_strdup(config->audience);
	if (load(fresh, config, error) < 0) {
		jwt_keys_free(&fresh);
		return -1;
	}
	*keys = fresh;
	return 0;
}

int
jwt_keys_reload(
    struct jwt_keys **keys, const struct jwt_config *config, char error[static JWT_ERROR_SIZE])
{
	struct jwt_keys *fresh;

	if (jwt_keys_load(&fresh, config, error) < 0)
		return -1;
	jwt_keys_free(keys);
	*keys = fresh;
	return 0;
}

void
jwt_keys_free(struct jwt_keys **pointer)
{
	struct jwt_keys *keys = *pointer;

	*pointer = NULL;
	if (keys == NULL)
		return;
	for (size_t i = 0; i < keys->count; i++) {
		OPENSSL_cleanse(keys->keys[i].bytes, keys->keys[i].length);
		MEM_FREE(&keys->keys[i].bytes);
		EVP_PKEY_free(keys->keys[i].public_key);
	}
	MEM_FREE(&keys->issuer);
	MEM_FREE(&keys->audience);
	MEM_FREE(&keys);
}
