/* SPDX-License-Identifier: MIT */
#include "lib/jwt_pem.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "lib/die.h"
#include "lib/mem.h"

#define RSA_MIN_BITS 2048

struct jwt_pem {
	BIO *bio;
};

struct jwt_pem *
jwt_pem_open(const char *text, size_t length)
{
	struct jwt_pem *pem = mem_zalloc(sizeof(*pem));

	pem->bio = BIO_new_mem_buf(text, (int)length);
	if (pem->bio == NULL)
		die_system("unable to allocate memory");
	return pem;
}

void
jwt_pem_close(struct jwt_pem **pointer)
{
	BIO_free((*pointer)->bio);
	MEM_FREE(pointer);
}

/* The curve that goes with an algorithm (RFC 7518, 3.4), or NID_undef for RSA. */
static int
curve_of(enum jwt_algorithm algorithm)
{
	switch (algorithm) {
	case JWT_ES256:
		return NID_X9_62_prime256v1;
	case JWT_ES384:
		return NID_secp384r1;
	case JWT_ES512:
		return NID_secp521r1;
	default:
		return NID_undef;
	}
}

/* NULL, or why the key is not for that algorithm. */
static const char *
check_key(EVP_PKEY *key, enum jwt_algorithm algorithm)
{
	int curve = curve_of(algorithm);
	char group[64];

	if (curve == NID_undef) {
		if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
			return "a key that is not RSA";
		return EVP_PKEY_get_bits(key) < RSA_MIN_BITS ? "an RSA key of less than 2048 bits"
							     : NULL;
	}
	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)
		return "a key of no elliptic curve";
	if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1 ||
	    OBJ_txt2nid(group) != curve)
		return "a key of another curve";
	return NULL;
}

/* The key alone, in PEM. */
static int
write_key(EVP_PKEY *key, char **text, size_t *length)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *bytes;
	int result = -1;

	if (out == NULL)
		die_system("unable to allocate memory");
	if (PEM_write_bio_PUBKEY(out, key) == 1) {
		*length = (size_t)BIO_get_mem_data(out, &bytes);
		*text = mem_dup(bytes, *length);
		result = 1;
	}
	BIO_free(out);
	return result;
}

static int
read_key(const unsigned char *der, long length, enum jwt_algorithm algorithm, char **text,
    size_t *text_length, const char **why)
{
	EVP_PKEY *key = d2i_PUBKEY(NULL, &der, length);
	int result = -1;

	if (key == NULL)
		*why = "a public key that makes no sense";
	else
		*why = check_key(key, algorithm);
	if (*why == NULL && (result = write_key(key, text, text_length)) < 0)
		*why = "a public key that cannot be written";
	EVP_PKEY_free(key);
	return result;
}

int
jwt_pem_next(struct jwt_pem *pem, enum jwt_algorithm algorithm, char **text, size_t *length,
    const char **why)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long der_length;
	int result = -1;

	ERR_clear_error();
	if (PEM_read_bio(pem->bio, &name, &header, &der, &der_length) != 1) {
		/* What the file ends with is either no block, or half of one. */
		if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
			result = 0;
		else
			*why = "malformed PEM";
	} else if (strcmp(name, PEM_STRING_PUBLIC) == 0) {
		result = read_key(der, der_length, algorithm, text, length, why);
	} else if (strstr(name, "PRIVATE KEY") != NULL) {
		*why = "a private key, which does not belong here";
	} else {
		*why = "a block that is no PUBLIC KEY";
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_clear_free(der, der != NULL ? (size_t)der_length : 0);
	ERR_clear_error();
	return result;
}
