/* SPDX-License-Identifier: MIT */
#include "tests/mongo/auth.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define MAX_HASH 32
#define MAX_LINE 1024

struct scram {
	const EVP_MD *md;
	size_t len;
	int iterations;
	size_t salt_len;
};

static struct scram
scram_of(bool sha256)
{
	return sha256 ? (struct scram){EVP_sha256(), 32, 15000, 28}
		      : (struct scram){EVP_sha1(), 20, 10000, 16};
}

void
auth_clear(struct auth *a)
{
	bson_free(a->nonce);
	bson_free(a->first);
	memset(a, 0, sizeof *a);
}

/* The same salt for a user each time, as of a user that is stored. */
static void
salt_make(const char *user, uint8_t out[MAX_HASH])
{
	unsigned n;

	EVP_Digest(user, strlen(user), out, &n, EVP_sha256(), NULL);
}

static void
base64(const uint8_t *data, size_t n, char *out)
{
	EVP_EncodeBlock((unsigned char *)out, data, (int)n);
}

/* The value of an attribute, "r=…", up to the next comma. */
static bool
attribute(const char *msg, char name, char *out, size_t size)
{
	const char *p = msg;

	while (p) {
		if (p[0] == name && p[1] == '=') {
			size_t n = strcspn(p + 2, ",");

			if (n >= size)
				return false;
			memcpy(out, p + 2, n);
			out[n] = 0;
			return true;
		}
		p = strchr(p, ',');
		p = p ? p + 1 : NULL;
	}
	return false;
}

/* A user name as it is sent: "=2C" for a comma, "=3D" for "=". */
static void
name_decode(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (strncmp(s, "=2C", 3) == 0 || strncmp(s, "=3D", 3) == 0) {
			*to++ = s[2] == 'C' ? ',' : '=';
			s += 2;
		} else {
			*to++ = *s;
		}
	}
	*to = 0;
}

int
auth_first(struct auth *a, const char *user, bool sha256, const char *msg, size_t len, char *out,
    size_t size)
{
	char text[MAX_LINE], name[256], nonce[256], salt64[64], mine64[64];
	uint8_t salt[MAX_HASH], mine[24];
	struct scram s = scram_of(sha256);
	const char *bare;
	int n;

	auth_clear(a);
	if (len >= sizeof text || memchr(msg, 0, len))
		return -1;
	memcpy(text, msg, len);
	text[len] = 0;
	/* The GS2 header: no channel binding, no authorization identity. */
	if (strncmp(text, "n,,", 3) != 0 && strncmp(text, "y,,", 3) != 0)
		return -1;
	bare = text + 3;
	if (!attribute(bare, 'n', name, sizeof name) ||
	    !attribute(bare, 'r', nonce, sizeof nonce) || RAND_bytes(mine, sizeof mine) != 1)
		return -1;
	name_decode(name);
	if (strcmp(name, user) != 0)
		return -1;
	salt_make(user, salt);
	base64(salt, s.salt_len, salt64);
	base64(mine, sizeof mine, mine64);
	n = snprintf(out, size, "r=%s%s,s=%s,i=%d", nonce, mine64, salt64, s.iterations);
	if (n < 0 || (size_t)n >= size)
		return -1;
	a->sha256 = sha256;
	a->step = 1;
	a->nonce = bson_strdup_printf("%s%s", nonce, mine64);
	a->first = bson_strdup_printf("%s,%s", bare, out);
	return 0;
}

static void
salted_password(const struct scram *s, bool sha256, const char *user, const char *password,
    uint8_t out[MAX_HASH])
{
	uint8_t salt[MAX_HASH], md5[16];
	char digest[33], *joined;
	unsigned n;

	salt_make(user, salt);
	if (!sha256) {
		joined = bson_strdup_printf("%s:mongo:%s", user, password);
		EVP_Digest(joined, strlen(joined), md5, &n, EVP_md5(), NULL);
		bson_free(joined);
		for (size_t i = 0; i < sizeof md5; i++)
			snprintf(digest + 2 * i, 3, "%02x", md5[i]);
		password = digest;
	}
	PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, (int)s->salt_len, s->iterations,
	    s->md, (int)s->len, out);
}

static void
keyed(const struct scram *s, const uint8_t *key, const char *text, uint8_t out[MAX_HASH])
{
	unsigned n;

	HMAC(s->md, key, (int)s->len, (const uint8_t *)text, strlen(text), out, &n);
}

int
auth_last(struct auth *a, const char *user, const char *password, const char *msg, size_t len,
    char *out, size_t size)
{
	char text[MAX_LINE], nonce[512], proof64[128], expect64[128], sign64[128], *without, *whole;
	uint8_t salted[MAX_HASH], key[MAX_HASH], stored[MAX_HASH], sign[MAX_HASH], proof[MAX_HASH];
	struct scram s = scram_of(a->sha256);
	const char *p;
	unsigned n;

	if (a->step != 1 || len >= sizeof text || memchr(msg, 0, len))
		return -1;
	memcpy(text, msg, len);
	text[len] = 0;
	p = strstr(text, ",p=");
	if (!p || !attribute(text, 'r', nonce, sizeof nonce) || strcmp(nonce, a->nonce) != 0 ||
	    !attribute(text, 'p', proof64, sizeof proof64))
		return -1;
	without = bson_strndup(text, (size_t)(p - text));
	whole = bson_strdup_printf("%s,%s", a->first, without);
	salted_password(&s, a->sha256, user, password, salted);
	keyed(&s, salted, "Client Key", key);
	EVP_Digest(key, s.len, stored, &n, s.md, NULL);
	keyed(&s, stored, whole, sign);
	for (size_t i = 0; i < s.len; i++)
		proof[i] = key[i] ^ sign[i];
	base64(proof, s.len, expect64);
	keyed(&s, salted, "Server Key", key);
	keyed(&s, key, whole, sign);
	base64(sign, s.len, sign64);
	bson_free(without);
	bson_free(whole);
	if (strlen(proof64) != strlen(expect64) ||
	    CRYPTO_memcmp(proof64, expect64, strlen(expect64)))
		return -1;
	a->step = 2;
	return snprintf(out, size, "v=%s", sign64) < (int)size ? 0 : -1;
}
