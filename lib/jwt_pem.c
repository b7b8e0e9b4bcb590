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

static const char *
check_rsa(EVP_PKEY *key)
{
	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
		return "a key that is not RSA";
	return EVP_PKEY_get_bits(key) < RSA_MIN_BITS ? "an RSA key of less than 2048 bits" : NULL;
}

static const char *
check_elliptic(EVP_PKEY *key, const char *curve)
{
	char group[64];

	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)
		return "a key of no elliptic curve";
	if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1 ||
	    OBJ_txt2nid(group) != EC_curve_nist2nid(curve))
		return "a key of another curve";
	return NULL;
}

/* NULL, or why the key is not for that algorithm. */
static const char *
check_key(EVP_PKEY *key, const struct jwt_kind *kind)
{
	int id = EVP_PKEY_get_base_id(key);

	if (kind->family == JWT_ECDSA)
		return check_elliptic(key, kind->curve);
	if (kind->family == JWT_EDWARDS)
		return id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448
		    ? NULL
		    : "a key that is neither Ed25519 nor Ed448";
	return check_rsa(key);
}

/* The key, or NULL and why. */
static EVP_PKEY *
read_key(const unsigned char *der, long length, enum jwt_algorithm algorithm, const char **why)
{
	EVP_PKEY *key = d2i_PUBKEY(NULL, &der, length);

	*why = key == NULL ? "a public key that makes no sense"
			   : check_key(key, jwt_kind(algorithm));
	if (*why == NULL)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

int
jwt_pem_next(struct jwt_pem *pem, enum jwt_algorithm algorithm, EVP_PKEY **key, const char **why)
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
		*key = read_key(der, der_length, algorithm, why);
		result = *key != NULL ? 1 : -1;
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
