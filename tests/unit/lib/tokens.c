/* SPDX-License-Identifier: MIT */
#include "tests/unit/lib/tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jwt.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "tests/unit/unit.h"
#include "tests/unit/texts.h"

#define TEXT_SIZE 32768

/* Appends base64url without padding (RFC 7515, appendix C). */
static void
put_base64(char *out, const void *data, size_t length)
{
	out += strlen(out);
	EVP_EncodeBlock((unsigned char *)out, data, (int)length);
	out[strcspn(out, "=")] = '\0';
	for (; *out != '\0'; out++)
		*out = *out == '+' ? '-' : *out == '/' ? '_' : *out;
}

char *
token_sign(const char *header, const char *claims, const char *hash, const void *secret,
    size_t secret_length)
{
	char *token = calloc(1, TEXT_SIZE);
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	put_base64(token, header, strlen(header));
	text_append(token, TEXT_SIZE, ".", 1);
	put_base64(token, claims, strlen(claims));
	if (hash != NULL)
		HMAC(EVP_get_digestbyname(hash), secret, (int)secret_length,
		    (const unsigned char *)token, strlen(token), mac, &length);
	text_append(token, TEXT_SIZE, ".", 1);
	put_base64(token, mac, length);
	return token;
}

char *
token_hs256(const char *claims, const char *secret)
{
	return token_sign(
	    "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", claims, "SHA256", secret, strlen(secret));
}

static char *
pem_text(BIO *bio)
{
	char *bytes;
	size_t length = (size_t)BIO_get_mem_data(bio, &bytes);
	char *text = calloc(1, length + 1);

	memcpy(text, bytes, length);
	BIO_free(bio);
	return text;
}

struct key_pair
key_pair_make(const char *kind, size_t bits, const char *curve)
{
	EVP_PKEY *key = curve != NULL ? EVP_PKEY_Q_keygen(NULL, NULL, kind, curve)
	    : bits > 0                ? EVP_PKEY_Q_keygen(NULL, NULL, kind, bits)
				      : EVP_PKEY_Q_keygen(NULL, NULL, kind);
	BIO *private_bio = BIO_new(BIO_s_mem()), *public_bio = BIO_new(BIO_s_mem());

	CHECK(key != NULL);
	CHECK_INT(PEM_write_bio_PrivateKey(private_bio, key, NULL, NULL, 0, NULL, NULL), 1);
	CHECK_INT(PEM_write_bio_PUBKEY(public_bio, key), 1);
	EVP_PKEY_free(key);
	return (struct key_pair){pem_text(private_bio), pem_text(public_bio)};
}

void
key_pair_free(struct key_pair *pair)
{
	free(pair->private_pem);
	free(pair->public_pem);
}

char *
token_with_key(enum jwt_algorithm algorithm, const char *claims, const char *private_pem)
{
	jwt_t *jwt;

	CHECK_INT(jwt_new(&jwt), 0);
	CHECK_INT(jwt_add_grants_json(jwt, claims), 0);
	CHECK_INT(jwt_set_alg(jwt, jwt_str_alg(jwt_algorithm_name(algorithm)),
		      (const unsigned char *)private_pem, (int)strlen(private_pem)),
	    0);
	char *token = jwt_encode_str(jwt);
	CHECK(token != NULL);
	jwt_free(jwt);
	return token;
}

const char *
file_make(const char *name, const char *text)
{
	static char paths[8][4096];
	static int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", unit_directory(), name);
	FILE *file = fopen(path, "w");
	CHECK(file != NULL);
	CHECK(fputs(text, file) >= 0);
	CHECK_INT(fclose(file), 0);
	return path;
}
