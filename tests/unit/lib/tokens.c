/* SPDX-License-Identifier: MIT */
#include "tests/unit/lib/tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

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

/* DER, which libcrypto writes, as the two halves side by side (RFC 7518, 3.4). The length. */
static size_t
put_halves(unsigned char *signature, size_t length, int half)
{
	const unsigned char *der = signature;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)length);

	CHECK(pair != NULL);
	CHECK_INT(BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, half), half);
	CHECK_INT(BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + half, half), half);
	ECDSA_SIG_free(pair);
	return 2 * (size_t)half;
}

char *
token_with_key(enum jwt_algorithm algorithm, const char *claims, const char *private_pem)
{
	const struct jwt_kind *kind = jwt_kind(algorithm);
	BIO *bio = BIO_new_mem_buf(private_pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *padding;
	unsigned char signature[512];
	size_t length = sizeof(signature);
	char header[64], *token;

	snprintf(header, sizeof(header), "{\"typ\":\"JWT\",\"alg\":\"%s\"}", kind->name);
	token = token_sign(header, claims, NULL, "", 0);
	CHECK_INT(EVP_DigestSignInit_ex(context, &padding, kind->hash, NULL, NULL, key, NULL), 1);
	if (kind->family == JWT_PSS) {
		CHECK(EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) > 0);
		CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) > 0);
	}
	CHECK_INT(EVP_DigestSign(
		      context, signature, &length, (const unsigned char *)token, strlen(token) - 1),
	    1);
	if (kind->family == JWT_ECDSA)
		length = put_halves(signature, length, (EVP_PKEY_get_bits(key) + 7) / 8);
	put_base64(token, signature, length);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	BIO_free(bio);
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
