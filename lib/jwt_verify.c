/* SPDX-License-Identifier: MIT */
#include "lib/jwt_verify.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "lib/die.h"

/* Two integers of up to 66 bytes, in DER. */
#define DER_SIZE 160

struct signature {
	const unsigned char *bytes;
	size_t length;
};

static bool
hmac_good(const struct jwt_kind *kind, const struct jwt_key *key, const char *text, size_t length,
    const struct signature *signature)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_length = 0;

	return HMAC(EVP_get_digestbyname(kind->hash), key->bytes, (int)key->length,
		   (const unsigned char *)text, length, mac, &mac_length) != NULL &&
	    signature->length == mac_length &&
	    CRYPTO_memcmp(signature->bytes, mac, mac_length) == 0;
}

/* Both halves side by side (RFC 7518, 3.4) as the DER that libcrypto wants. Its length, or -1. */
static int
put_der(const struct jwt_kind *kind, const struct signature *signature,
    unsigned char der[static DER_SIZE])
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	int half = (int)kind->bytes, length = -1;

	if (pair == NULL)
		die_system("unable to allocate memory");
	if (signature->length == 2 * kind->bytes &&
	    ECDSA_SIG_set0(pair, BN_bin2bn(signature->bytes, half, NULL),
		BN_bin2bn(signature->bytes + half, half, NULL)) == 1)
		length = i2d_ECDSA_SIG(pair, &der);
	ECDSA_SIG_free(pair);
	return length;
}

static bool
public_good(const struct jwt_kind *kind, const struct jwt_key *key, const char *text, size_t length,
    const struct signature *signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *padding; /* the context's */
	bool good;

	if (context == NULL)
		die_system("unable to allocate memory");
	good = EVP_DigestVerifyInit_ex(
		   context, &padding, kind->hash, NULL, NULL, key->public_key, NULL) == 1 &&
	    (kind->family != JWT_PSS ||
		(EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 &&
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) == 1)) &&
	    EVP_DigestVerify(context, signature->bytes, signature->length,
		(const unsigned char *)text, length) == 1;
	EVP_MD_CTX_free(context);
	return good;
}

bool
jwt_verify(const struct jwt_keys *keys, const char *text, size_t length,
    const unsigned char *signature, size_t signature_length)
{
	const struct jwt_kind *kind = jwt_kind(keys->algorithm);
	struct signature given = {signature, signature_length};
	unsigned char der[DER_SIZE];
	bool good = false;

	if (kind->family == JWT_ECDSA) {
		int der_length = put_der(kind, &given, der);

		given = (struct signature){der, der_length > 0 ? (size_t)der_length : 0};
	}
	for (size_t i = 0; i < keys->count && !good; i++)
		good = kind->family == JWT_HMAC
		    ? hmac_good(kind, &keys->keys[i], text, length, &given)
		    : public_good(kind, &keys->keys[i], text, length, &given);
	/* What does not fit leaves its errors behind. */
	ERR_clear_error();
	return good;
}
