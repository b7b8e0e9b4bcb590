/* SPDX-License-Identifier: MIT */
#include "lib/jwt_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "lib/mem.h"
#include "lib/sock.h"
#include "lib/jwt_pem.h"

#define SECRET_SETTING "DUNE_JWT_SECRET"
#define SECRET_FILE_SETTING "DUNE_JWT_SECRET_FILE"
#define PUBLIC_KEY_SETTING "DUNE_JWT_PUBLIC_KEY_FILE"

static const struct kind {
	const char *name;
	size_t secret_bytes; /* of the hash, for secrets; 0: public keys */
} kinds[] = {
    [JWT_HS256] = {"HS256", 32},
    [JWT_HS384] = {"HS384", 48},
    [JWT_HS512] = {"HS512", 64},
    [JWT_RS256] = {"RS256", 0},
    [JWT_RS384] = {"RS384", 0},
    [JWT_RS512] = {"RS512", 0},
    [JWT_ES256] = {"ES256", 0},
    [JWT_ES384] = {"ES384", 0},
    [JWT_ES512] = {"ES512", 0},
};

bool
jwt_wanted(const struct jwt_config *config)
{
	return config->secret != NULL || config->secret_file != NULL ||
	    config->public_key_file != NULL;
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

static int
add_key(struct jwt_keys *keys, const char *setting, const void *bytes, size_t length, char *error)
{
	if (keys->count == JWT_MAX_KEYS)
		return fail(error, "%s: more than %d keys", setting, JWT_MAX_KEYS);
	struct jwt_key *key = &keys->keys[keys->count++];
	key->bytes = mem_dup(bytes, length);
	key->length = length;
	return 0;
}

static int
add_secret(
    struct jwt_keys *keys, const char *setting, const char *secret, size_t length, char *error)
{
	if (length < kinds[keys->algorithm].secret_bytes)
		keys->weak = true;
	return add_key(keys, setting, secret, length, error);
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
	char *bytes;
	size_t key;
	int result;

	while ((result = jwt_pem_next(pem, keys->algorithm, &bytes, &key, &why)) > 0) {
		int added = add_key(keys, PUBLIC_KEY_SETTING, bytes, key, error);
		MEM_FREE(&bytes);
		if (added < 0) {
			result = -2;
			break;
		}
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

	if (kinds[keys->algorithm].secret_bytes == 0) {
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

int
jwt_keys_load(
    struct jwt_keys **keys, const struct jwt_config *config, char error[static JWT_ERROR_SIZE])
{
	*keys = NULL;
	if (!jwt_wanted(config))
		return 0;
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
	}
	MEM_FREE(&keys->issuer);
	MEM_FREE(&keys->audience);
	MEM_FREE(&keys);
}
