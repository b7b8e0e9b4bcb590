/* SPDX-License-Identifier: MIT */
#include "lib/jwt_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "tests/unit/texts.h"
#include "tests/unit/lib/tokens.h"
#include "lib/jwt.h"

#define OLD "the old secret, of at least 32 bytes"
#define NEW "the new secret, of at least 32 bytes"
#define CLAIMS "{\"exp\":2000000000,\"forms\":\"*\"}"

static char error[JWT_ERROR_SIZE];

static enum jwt_verdict
judge(const struct jwt_keys *keys, char *token)
{
	struct form_id form = {{0}};
	int64_t expires_ms;
	enum jwt_verdict verdict = jwt_judge(
	    keys, token, strlen(token), &form, INT64_C(1700000000000), &expires_ms);

	free(token);
	return verdict;
}

static void
check_refused(int line, const struct jwt_config *config, const char *wanted)
{
	struct jwt_keys *keys;

	if (jwt_keys_load(&keys, config, error) == 0)
		unit_fail(__FILE__, line, "taken");
	CHECK(keys == NULL);
	if (strstr(error, wanted) == NULL)
		unit_fail(__FILE__, line, "\"%s\", not \"%s\"", error, wanted);
}
#define CHECK_REFUSED(wanted, ...) \
	check_refused(__LINE__, &(struct jwt_config){__VA_ARGS__}, wanted)

TEST(jwt_keys_may_be_none)
{
	struct jwt_keys *keys;
	struct jwt_config config = {.algorithm = JWT_HS256};

	CHECK(!jwt_wanted(&config));
	CHECK_INT(jwt_keys_load(&keys, &config, error), 0);
	CHECK(keys == NULL);
	/* But not where it is said what tokens are like. */
	CHECK_REFUSED("DUNE_JWT_ALGORITHM is RS256, and there is no key: set "
		      "DUNE_JWT_PUBLIC_KEY_FILE",
	    .algorithm = JWT_RS256);
	CHECK_REFUSED("DUNE_JWT_ALGORITHM is HS512, and there is no key: set DUNE_JWT_SECRET_FILE",
	    .algorithm = JWT_HS512);
	CHECK_REFUSED("DUNE_JWT_ISSUER is set, and there is no key", .issuer = "x");
	CHECK_REFUSED("DUNE_JWT_AUDIENCE is set, and there is no key", .audience = "x");
}

TEST(jwt_keys_secrets)
{
	struct jwt_config config = {
	    .secret_file = file_make("secrets", "\n" OLD "\r\n\n" NEW), .secret = "short"};
	struct jwt_keys *keys;

	CHECK(jwt_wanted(&config));
	CHECK_INT(jwt_keys_load(&keys, &config, error), 0);
	CHECK_INT(keys->count, 3);
	CHECK(keys->weak);
	CHECK_INT(judge(keys, token_hs256(CLAIMS, OLD)), JWT_OK);
	CHECK_INT(judge(keys, token_hs256(CLAIMS, NEW)), JWT_OK);
	CHECK_INT(judge(keys, token_hs256(CLAIMS, "short")), JWT_OK);
	CHECK_INT(judge(keys, token_hs256(CLAIMS, OLD "\r")), JWT_INVALID);
	CHECK_INT(judge(keys, token_hs256(CLAIMS, "")), JWT_INVALID);
	jwt_keys_free(&keys);
	config = (struct jwt_config){.secret = OLD};
	CHECK_INT(jwt_keys_load(&keys, &config, error), 0);
	CHECK(!keys->weak);
	jwt_keys_free(&keys);
}

TEST(jwt_keys_several_public)
{
	struct key_pair old = key_pair_make("EC", 0, "P-256"),
			new = key_pair_make("EC", 0, "P-256");
	char text[4096];
	struct jwt_keys *keys;

	snprintf(text, sizeof(text), "the old one:\n%s\nand the new one:\n%s-----", old.public_pem,
	    new.public_pem);
	struct jwt_config config = {
	    .algorithm = JWT_ES256, .public_key_file = file_make("keys", text)};
	CHECK_INT(jwt_keys_load(&keys, &config, error), 0);
	CHECK_INT(keys->count, 2);
	CHECK_INT(judge(keys, token_with_key(JWT_ES256, CLAIMS, old.private_pem)), JWT_OK);
	CHECK_INT(judge(keys, token_with_key(JWT_ES256, CLAIMS, new.private_pem)), JWT_OK);
	jwt_keys_free(&keys);
	key_pair_free(&old);
	key_pair_free(&new);
}

/* A rotation as it is done, with a mistake in between. */
TEST(jwt_keys_reload_all_or_nothing)
{
	struct jwt_config config = {.secret_file = file_make("secrets", OLD "\n")};
	struct jwt_keys *keys;

	CHECK_INT(jwt_keys_load(&keys, &config, error), 0);
	const struct jwt_keys *before = keys;
	file_make("secrets", "\n");
	CHECK_INT(jwt_keys_reload(&keys, &config, error), -1);
	CHECK(strstr(error, "holds no secret") != NULL);
	CHECK(keys == before);
	CHECK_INT(unlink(config.secret_file), 0);
	CHECK_INT(jwt_keys_reload(&keys, &config, error), -1);
	CHECK(strstr(error, "No such file") != NULL);
	CHECK_INT(judge(keys, token_hs256(CLAIMS, OLD)), JWT_OK);
	file_make("secrets", NEW "\n" OLD "\n");
	CHECK_INT(jwt_keys_reload(&keys, &config, error), 0);
	CHECK_INT(judge(keys, token_hs256(CLAIMS, OLD)), JWT_OK);
	CHECK_INT(judge(keys, token_hs256(CLAIMS, NEW)), JWT_OK);
	file_make("secrets", NEW "\n");
	CHECK_INT(jwt_keys_reload(&keys, &config, error), 0);
	CHECK_INT(judge(keys, token_hs256(CLAIMS, OLD)), JWT_INVALID);
	CHECK_INT(judge(keys, token_hs256(CLAIMS, NEW)), JWT_OK);
	jwt_keys_free(&keys);
}

TEST(jwt_keys_settings_exclude_each_other)
{
	CHECK_REFUSED("unset DUNE_JWT_SECRET", .secret = OLD, .algorithm = JWT_RS256);
	CHECK_REFUSED("unset DUNE_JWT_SECRET_FILE", .secret_file = "/x", .algorithm = JWT_ES256);
	CHECK_REFUSED("unset DUNE_JWT_PUBLIC_KEY_FILE", .public_key_file = "/x");
	CHECK_REFUSED("unset DUNE_JWT_PUBLIC_KEY_FILE", .public_key_file = "/x", .secret = OLD);
}

TEST(jwt_keys_bad_files)
{
	static char big[JWT_MAX_KEY_FILE + 2], many[JWT_MAX_KEYS * 2 + 3];

	CHECK_REFUSED("No such file", .secret_file = "/nonexistent/secret");
	CHECK_REFUSED("Is a directory", .secret_file = unit_directory());
	CHECK_REFUSED("holds no secret", .secret_file = file_make("s", ""));
	CHECK_REFUSED("holds no secret", .secret_file = file_make("s", "\r\n\n"));
	memset(big, 'x', sizeof(big) - 1);
	CHECK_REFUSED("is longer than", .secret_file = file_make("s", big));
	text_append(many, sizeof(many), "x\n", JWT_MAX_KEYS + 1);
	CHECK_REFUSED("more than 8 keys", .secret_file = file_make("s", many));
}

static void
check_key_refused(int line, enum jwt_algorithm algorithm, const char *pem, const char *wanted)
{
	struct jwt_config config = {
	    .algorithm = (int)algorithm, .public_key_file = file_make("key", pem)};

	check_refused(line, &config, wanted);
	CHECK(strstr(error, "BEGIN") == NULL);
}
#define CHECK_KEY_REFUSED(algorithm, pem, wanted) \
	check_key_refused(__LINE__, algorithm, pem, wanted)

TEST(jwt_keys_of_another_kind)
{
	struct key_pair rsa = key_pair_make("RSA", 2048, NULL),
			weak = key_pair_make("RSA", 1024, NULL),
			curve = key_pair_make("EC", 0, "P-256"),
			bitcoin = key_pair_make("EC", 0, "secp256k1"),
			edwards = key_pair_make("ED25519", 0, NULL);
	char text[4096];

	CHECK_KEY_REFUSED(JWT_RS256, curve.public_pem, "not RSA");
	CHECK_KEY_REFUSED(JWT_RS256, edwards.public_pem, "not RSA");
	CHECK_KEY_REFUSED(JWT_RS256, weak.public_pem, "less than 2048 bits");
	CHECK_KEY_REFUSED(JWT_RS256, rsa.private_pem, "private key");
	CHECK_KEY_REFUSED(JWT_ES256, rsa.public_pem, "no elliptic curve");
	CHECK_KEY_REFUSED(JWT_ES384, curve.public_pem, "another curve");
	CHECK_KEY_REFUSED(JWT_ES256, bitcoin.public_pem, "another curve");
	CHECK_KEY_REFUSED(JWT_ES256, curve.private_pem, "private key");
	CHECK_KEY_REFUSED(JWT_RS256, "", "holds no public key");
	CHECK_KEY_REFUSED(JWT_RS256, OLD, "holds no public key");
	/* One good key does not make up for a bad one behind it. */
	snprintf(text, sizeof(text), "%s%s", rsa.public_pem, curve.public_pem);
	CHECK_KEY_REFUSED(JWT_RS256, text, "not RSA");
	snprintf(text, sizeof(text), "%s%.60s", rsa.public_pem, rsa.public_pem);
	CHECK_KEY_REFUSED(JWT_RS256, text, "malformed PEM");
	CHECK_KEY_REFUSED(JWT_RS256, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
	    "makes no sense");
	CHECK_KEY_REFUSED(JWT_RS256,
	    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no PUBLIC KEY");
	key_pair_free(&rsa);
	key_pair_free(&weak);
	key_pair_free(&curve);
	key_pair_free(&bitcoin);
	key_pair_free(&edwards);
}
