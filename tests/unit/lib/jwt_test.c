/* SPDX-License-Identifier: MIT */
#include "lib/jwt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base64url.h"
#include "lib/jwt_verify.h"
#include "tests/unit/unit.h"
#include "tests/unit/texts.h"
#include "tests/unit/lib/tokens.h"

#define SECRET "a secret of at least 32 bytes, as RFC 7518 wants"
#define FORM "60f7b1b9e1234567890abcde"
#define NOW INT64_C(1700000000000)
#define GOOD "\"exp\":1700000100,\"forms\":\"*\""
#define HS256 "{\"alg\":\"HS256\"}"

static struct jwt_keys *
load(const struct jwt_config *config)
{
	char error[JWT_ERROR_SIZE];
	struct jwt_keys *keys;

	if (jwt_keys_load(&keys, config, error) < 0)
		unit_fail(__FILE__, __LINE__, "%s", error);
	return keys;
}

static enum jwt_verdict
judge_at(const struct jwt_keys *keys, const char *token, int64_t now_ms, int64_t *expires_ms)
{
	struct form_id form;

	CHECK_INT(form_id_parse(&form, FORM, strlen(FORM)), 0);
	return jwt_judge(keys, token, strlen(token), &form, now_ms, expires_ms);
}

/* Of a token that is freed. */
static enum jwt_verdict
judge_once(const struct jwt_keys *keys, char *token)
{
	int64_t expires_ms;
	enum jwt_verdict verdict = judge_at(keys, token, NOW, &expires_ms);

	free(token);
	return verdict;
}

static void
check_claims(int line, const struct jwt_keys *keys, const char *claims, enum jwt_verdict wanted)
{
	char text[8192];

	snprintf(text, sizeof(text), "{%s}", claims);
	enum jwt_verdict verdict = judge_once(keys, token_hs256(text, SECRET));
	if (verdict != wanted)
		unit_fail(__FILE__, line, "%s, not %s, for %s", jwt_verdict_text(verdict),
		    jwt_verdict_text(wanted), claims);
}
#define CHECK_CLAIMS(claims, wanted) check_claims(__LINE__, keys, claims, wanted)

TEST(jwt_forms)
{
	struct jwt_keys *keys = load(&(struct jwt_config){.secret = SECRET});

#define EXP "\"exp\":1700000100,"
	CHECK_CLAIMS(EXP "\"forms\":\"*\"", JWT_OK);
	CHECK_CLAIMS(EXP "\"forms\":[\"" FORM "\"]", JWT_OK);
	CHECK_CLAIMS(EXP "\"forms\":[\"60F7B1B9E1234567890ABCDE\"]", JWT_OK);
	CHECK_CLAIMS(EXP "\"forms\":[1,null,\"x\",[],\"" FORM "\"]", JWT_OK);
	CHECK_CLAIMS(EXP "\"forms\":[\"60f7b1b9e1234567890abcdf\"]", JWT_FORM_NOT_COVERED);
	CHECK_CLAIMS(EXP "\"forms\":[\"" FORM "0\"]", JWT_FORM_NOT_COVERED);
	CHECK_CLAIMS(EXP "\"forms\":[]", JWT_FORM_NOT_COVERED);
	CHECK_CLAIMS(EXP "\"forms\":[\"*\"]", JWT_FORM_NOT_COVERED);
	CHECK_CLAIMS(EXP "\"forms\":\"" FORM "\"", JWT_FORM_NOT_COVERED);
	CHECK_CLAIMS(EXP "\"forms\":true", JWT_FORM_NOT_COVERED);
	CHECK_CLAIMS(EXP "\"forms\":{\"*\":1}", JWT_FORM_NOT_COVERED);
	CHECK_CLAIMS(EXP "\"sub\":\"me\"", JWT_FORM_NOT_COVERED);
	jwt_keys_free(&keys);
	CHECK(keys == NULL);
}

TEST(jwt_times)
{
	struct jwt_keys *keys = load(&(struct jwt_config){.secret = SECRET});

#define ALL ",\"forms\":\"*\""
	CHECK_CLAIMS("\"exp\":1700000000.5" ALL, JWT_OK);
	CHECK_CLAIMS("\"exp\":1699999971" ALL, JWT_OK);
	CHECK_CLAIMS("\"exp\":1699999970" ALL, JWT_EXPIRED);
	CHECK_CLAIMS("\"exp\":0" ALL, JWT_EXPIRED);
	CHECK_CLAIMS("\"exp\":-1e300" ALL, JWT_EXPIRED);
	CHECK_CLAIMS("\"forms\":\"*\"", JWT_NO_EXPIRY);
	CHECK_CLAIMS("\"exp\":\"1700000100\"" ALL, JWT_INVALID);
	CHECK_CLAIMS("\"exp\":null" ALL, JWT_INVALID);
	CHECK_CLAIMS(GOOD ",\"nbf\":1700000000", JWT_OK);
	CHECK_CLAIMS(GOOD ",\"nbf\":1700000030", JWT_OK);
	CHECK_CLAIMS(GOOD ",\"nbf\":1700000031", JWT_NOT_YET);
	CHECK_CLAIMS(GOOD ",\"nbf\":1e300", JWT_NOT_YET);
	CHECK_CLAIMS(GOOD ",\"nbf\":true", JWT_INVALID);
	jwt_keys_free(&keys);
}

TEST(jwt_ends_at)
{
	static const struct {
		const char *claims;
		int64_t now_ms, expires_ms;
	} cases[] = {
	    {"{" GOOD "}", NOW, INT64_C(1700000100000)},
	    {"{" GOOD "}", INT64_C(1700000099999), INT64_C(1700000100000)},
	    /* Already within the tolerance. */
	    {"{" GOOD "}", INT64_C(1700000100000), INT64_C(1700000130000)},
	    {"{" GOOD "}", INT64_C(1700000129999), INT64_C(1700000130000)},
	    {"{\"exp\":1e300,\"forms\":\"*\"}", NOW, INT64_C(253402300799000)},
	};
	struct jwt_keys *keys = load(&(struct jwt_config){.secret = SECRET});
	int64_t expires_ms;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *token = token_hs256(cases[i].claims, SECRET);

		CHECK_INT(judge_at(keys, token, cases[i].now_ms, &expires_ms), JWT_OK);
		CHECK_INT(expires_ms, cases[i].expires_ms);
		free(token);
	}
	jwt_keys_free(&keys);
}

TEST(jwt_issuer_and_audience)
{
	struct jwt_keys *keys = load(
	    &(struct jwt_config){.secret = SECRET, .issuer = "https://id", .audience = "dune"});

	CHECK_CLAIMS(GOOD ",\"iss\":\"https://id\",\"aud\":\"dune\"", JWT_OK);
	CHECK_CLAIMS(GOOD ",\"iss\":\"https://id\",\"aud\":[\"x\",\"dune\"]", JWT_OK);
	CHECK_CLAIMS(GOOD ",\"aud\":\"dune\"", JWT_WRONG_ISSUER);
	CHECK_CLAIMS(GOOD ",\"iss\":\"https://id/\",\"aud\":\"dune\"", JWT_WRONG_ISSUER);
	CHECK_CLAIMS(GOOD ",\"iss\":[\"https://id\"],\"aud\":\"dune\"", JWT_WRONG_ISSUER);
	CHECK_CLAIMS(GOOD ",\"iss\":\"https://id\"", JWT_WRONG_AUDIENCE);
	CHECK_CLAIMS(GOOD ",\"iss\":\"https://id\",\"aud\":[]", JWT_WRONG_AUDIENCE);
	CHECK_CLAIMS(GOOD ",\"iss\":\"https://id\",\"aud\":[\"Dune\",1]", JWT_WRONG_AUDIENCE);
	CHECK_CLAIMS(GOOD ",\"iss\":\"https://id\",\"aud\":{\"dune\":1}", JWT_WRONG_AUDIENCE);
	jwt_keys_free(&keys);
}

static void
check_token(int line, const struct jwt_keys *keys, const char *token, enum jwt_verdict wanted)
{
	int64_t expires_ms;
	enum jwt_verdict verdict = judge_at(keys, token, NOW, &expires_ms);

	if (verdict != wanted)
		unit_fail(__FILE__, line, "%s: %s", jwt_verdict_text(verdict), token);
}

TEST(jwt_shape)
{
	struct jwt_keys *keys = load(&(struct jwt_config){.secret = SECRET});
	static const char *const bad[] = {"x", ".", "..", "...", "a.b.c", "aa.bb.cc", "a b", " ",
	    "\n", "..aaaa", "aaaa..aaaa", "aaaa.aaaa.", "aaaa.aaaa", "aaaa.aaaa.aaaa.aaaa",
	    "aaaa.aaaa.aaaa=", "\xff\xff"};
	char *good = token_hs256("{" GOOD "}", SECRET), text[1024];
	int64_t expires_ms;
	struct form_id form = {{0}};

	check_token(__LINE__, keys, "", JWT_MISSING);
	check_token(__LINE__, keys, good, JWT_OK);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		check_token(__LINE__, keys, bad[i], JWT_INVALID);
	for (size_t i = 0; i < strlen(good); i++) {
		/* Cut off, and each character changed. */
		snprintf(text, sizeof(text), "%.*s", (int)i, good);
		check_token(__LINE__, keys, text, i == 0 ? JWT_MISSING : JWT_INVALID);
		snprintf(text, sizeof(text), "%s", good);
		text[i] = text[i] == 'A' ? 'B' : 'A';
		/* Where its claims are not good, they are the reason. */
		CHECK(judge_at(keys, text, NOW, &expires_ms) != JWT_OK);
		text[i] = '=';
		check_token(__LINE__, keys, text, JWT_INVALID);
	}
	for (const char *behind = "=\n. A"; *behind != '\0'; behind++) {
		snprintf(text, sizeof(text), "%.*s%c", 1000, good, *behind);
		check_token(__LINE__, keys, text, JWT_INVALID);
	}
	CHECK_INT(jwt_judge(keys, good, strlen(good) + 1, &form, NOW, &expires_ms), JWT_INVALID);
	free(good);
	jwt_keys_free(&keys);
}

TEST(jwt_is_bounded)
{
	struct jwt_keys *keys = load(&(struct jwt_config){.secret = SECRET});
	char claims[9000] = "{" GOOD ",\"x\":[0";

	/* Many tokens of JSON in as long a token as is read. */
	text_append(claims, 6081, ",0", 6000);
	text_append(claims, sizeof(claims), claims[strlen(claims) - 1] == ',' ? "0]}" : "]}", 1);
	char *token = token_hs256(claims, SECRET);
	CHECK(strlen(token) > JWT_MAX_TOKEN - 100 && strlen(token) <= JWT_MAX_TOKEN);
	CHECK_INT(judge_once(keys, token), JWT_OK);
	char *too_long = calloc(1, JWT_MAX_TOKEN + 2);
	memset(too_long, 'a', JWT_MAX_TOKEN + 1);
	CHECK_INT(judge_once(keys, too_long), JWT_INVALID);
	/* Nested deeper than our own JSON goes. */
	snprintf(claims, sizeof(claims), "{%s,\"x\":", GOOD);
	text_append(claims, sizeof(claims), "[", 100);
	text_append(claims, sizeof(claims), "]", 100);
	text_append(claims, sizeof(claims), "}", 1);
	CHECK_INT(judge_once(keys, token_hs256(claims, SECRET)), JWT_INVALID);
	jwt_keys_free(&keys);
}

TEST(jwt_header_decides_nothing)
{
	static const struct {
		const char *header, *hash;
		enum jwt_verdict verdict;
	} cases[] = {
	    {HS256, "SHA256", JWT_OK},
	    {"{\"typ\":\"JWT\",\"kid\":\"2\",\"alg\":\"HS256\"}", "SHA256", JWT_OK},
	    {"{\"alg\":\"none\"}", NULL, JWT_INVALID},
	    {"{\"alg\":\"none\"}", "SHA256", JWT_INVALID},
	    {"{\"alg\":\"None\"}", "SHA256", JWT_INVALID},
	    {"{\"alg\":\"HS384\"}", "SHA384", JWT_INVALID},
	    {"{\"alg\":\"HS512\"}", "SHA512", JWT_INVALID},
	    {"{\"alg\":\"RS256\"}", "SHA256", JWT_INVALID},
	    {"{\"alg\":\"hs256\"}", "SHA256", JWT_INVALID},
	    {"{\"alg\":\"HS256\"}", "SHA384", JWT_INVALID},
	    {"{\"alg\":[\"HS256\"]}", "SHA256", JWT_INVALID},
	    {"{\"alg\":\"HS256\",\"alg\":\"none\"}", "SHA256", JWT_INVALID},
	    {"{}", "SHA256", JWT_INVALID},
	    {"[]", "SHA256", JWT_INVALID},
	    {"\"HS256\"", "SHA256", JWT_INVALID},
	    {"{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}", "SHA256", JWT_INVALID},
	    {"{\"alg\":\"HS256\",\"typ\":\"other\"}", "SHA256", JWT_INVALID},
	};
	struct jwt_keys *keys = load(&(struct jwt_config){.secret = SECRET});

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *token = token_sign(
		    cases[i].header, "{" GOOD "}", cases[i].hash, SECRET, strlen(SECRET));
		check_token(__LINE__, keys, token, cases[i].verdict);
		free(token);
	}
	/* Signed well, but no object of claims. */
	CHECK_INT(judge_once(keys, token_sign(HS256, "[1]", "SHA256", SECRET, strlen(SECRET))),
	    JWT_INVALID);
	jwt_keys_free(&keys);
}

TEST(jwt_other_hashes)
{
	struct jwt_keys *keys = load(
	    &(struct jwt_config){.secret = SECRET SECRET, .algorithm = JWT_HS512});
	char *token = token_sign(
	    "{\"alg\":\"HS512\"}", "{" GOOD "}", "SHA512", SECRET SECRET, strlen(SECRET SECRET));

	CHECK_INT(judge_once(keys, token), JWT_OK);
	CHECK_INT(judge_once(keys, token_hs256("{" GOOD "}", SECRET SECRET)), JWT_INVALID);
	jwt_keys_free(&keys);
}

/* Only HMAC's signature has been seen to count: a token of jwt.io, whose claims lack `exp`. */
TEST(jwt_of_another_library)
{
	struct jwt_keys *keys = load(&(struct jwt_config){.secret = "your-256-bit-secret"});

	CHECK(keys->weak);
	check_token(__LINE__, keys,
	    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
	    "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ."
	    "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
	    JWT_NO_EXPIRY);
	jwt_keys_free(&keys);
}

/* RFC 8725, 2.1: what the public key has signed as if it were a secret. */
static void
check_confusion(const struct jwt_keys *keys, const char *public_pem)
{
	static const char *const hashes[] = {"SHA256", "SHA384", "SHA512"};
	char header[64];

	for (int i = 0; i < 3; i++) {
		snprintf(header, sizeof(header), "{\"alg\":\"HS%s\"}", hashes[i] + 3);
		CHECK_INT(judge_once(keys,
			      token_sign(
				  header, "{" GOOD "}", hashes[i], public_pem, strlen(public_pem))),
		    JWT_INVALID);
	}
	CHECK_INT(judge_once(keys, token_sign("{\"alg\":\"none\"}", "{" GOOD "}", NULL, "", 0)),
	    JWT_INVALID);
}

static void
check_public(enum jwt_algorithm algorithm, enum jwt_algorithm other, struct key_pair pair,
    struct key_pair stranger)
{
	struct jwt_config config = {
	    .algorithm = (int)algorithm, .public_key_file = file_make("key", pair.public_pem)};
	struct jwt_keys *keys = load(&config);
	char *token = token_with_key(algorithm, "{" GOOD "}", pair.private_pem);

	check_token(__LINE__, keys, token, JWT_OK);
	token[strlen(token) - 5] ^= 3;
	CHECK_INT(judge_once(keys, token), JWT_INVALID);
	CHECK_INT(judge_once(keys, token_with_key(algorithm, "{" GOOD "}", stranger.private_pem)),
	    JWT_INVALID);
	/* The same key, but another hash than the configured one. */
	CHECK_INT(
	    judge_once(keys, token_with_key(other, "{" GOOD "}", pair.private_pem)), JWT_INVALID);
	check_confusion(keys, pair.public_pem);
	jwt_keys_free(&keys);
	key_pair_free(&pair);
	key_pair_free(&stranger);
}

TEST(jwt_rsa)
{
	check_public(JWT_RS256, JWT_RS512, key_pair_make("RSA", 2048, NULL),
	    key_pair_make("RSA", 2048, NULL));
}

TEST(jwt_elliptic)
{
	check_public(
	    JWT_ES256, JWT_ES384, key_pair_make("EC", 0, "P-256"), key_pair_make("EC", 0, "P-256"));
	check_public(
	    JWT_ES384, JWT_ES256, key_pair_make("EC", 0, "P-384"), key_pair_make("EC", 0, "P-384"));
	check_public(
	    JWT_ES512, JWT_ES256, key_pair_make("EC", 0, "P-521"), key_pair_make("EC", 0, "P-521"));
}

/* A forged token is told that it has expired, since that is seen first; whatever else is wrong with
 * its claims, it is invalid. */
TEST(jwt_forged_tokens_learn_nothing)
{
	struct jwt_keys *keys = load(
	    &(struct jwt_config){.secret = SECRET, .issuer = "us", .audience = "dune"});
#define OURS ",\"iss\":\"us\",\"aud\":\"dune\""
	static const char *const claims[] = {
	    "{" GOOD OURS "}",
	    "{" GOOD ",\"iss\":\"them\",\"aud\":\"dune\"}",
	    "{" GOOD ",\"iss\":\"us\",\"aud\":\"x\"}",
	    "{" GOOD OURS ",\"nbf\":1700000031}",
	    "{\"forms\":\"*\"" OURS "}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(claims); i++)
		CHECK_INT(judge_once(keys, token_hs256(claims[i], "other")), JWT_INVALID);
	CHECK_INT(judge_once(keys, token_hs256(claims[1], SECRET)), JWT_WRONG_ISSUER);
	jwt_keys_free(&keys);
}

TEST(jwt_signature_last)
{
	struct jwt_keys *keys = load(&(struct jwt_config){.secret = SECRET});

	CHECK_INT(judge_once(keys, token_hs256("{\"exp\":1}", "other")), JWT_EXPIRED);
	CHECK_INT(judge_once(keys, token_hs256("{" GOOD "}", "other")), JWT_INVALID);
	CHECK_INT(judge_once(keys, token_hs256("{" EXP "\"forms\":[]}", "other")), JWT_INVALID);
	jwt_keys_free(&keys);
}

TEST(jwt_names_stand_once)
{
	struct jwt_keys *keys = load(&(struct jwt_config){.secret = SECRET});

	CHECK_CLAIMS(GOOD ",\"exp\":1700000100", JWT_INVALID);
	CHECK_CLAIMS(GOOD ",\"forms\":[]", JWT_INVALID);
	CHECK_CLAIMS(GOOD ",\"e\\u0078p\":1700000100", JWT_INVALID);
	CHECK_CLAIMS(GOOD ",\"x\":1,\"x\":2", JWT_OK);
	jwt_keys_free(&keys);
}

static void
check_signed(enum jwt_algorithm algorithm, enum jwt_algorithm other, const char *kind, size_t bits)
{
	struct key_pair pair = key_pair_make(kind, bits, NULL);
	struct key_pair stranger = key_pair_make(kind, bits, NULL);
	struct jwt_keys *keys = load(&(struct jwt_config){
	    .algorithm = (int)algorithm, .public_key_file = file_make("key", pair.public_pem)});
	char *token = token_with_key(algorithm, "{" GOOD "}", pair.private_pem);

	check_token(__LINE__, keys, token, JWT_OK);
	token[strlen(token) - 5] ^= 3;
	CHECK_INT(judge_once(keys, token), JWT_INVALID);
	CHECK_INT(judge_once(keys, token_with_key(algorithm, "{" GOOD "}", stranger.private_pem)),
	    JWT_INVALID);
	if (other != algorithm)
		CHECK_INT(judge_once(keys, token_with_key(other, "{" GOOD "}", pair.private_pem)),
		    JWT_INVALID);
	check_confusion(keys, pair.public_pem);
	jwt_keys_free(&keys);
	key_pair_free(&pair);
	key_pair_free(&stranger);
}

TEST(jwt_pss)
{
	check_signed(JWT_PS256, JWT_RS256, "RSA", 2048);
	check_signed(JWT_PS512, JWT_PS256, "RSA", 2048);
	check_signed(JWT_RS256, JWT_PS256, "RSA", 2048);
}

TEST(jwt_edwards)
{
	check_signed(JWT_EDDSA, JWT_EDDSA, "ED25519", 0);
	check_signed(JWT_EDDSA, JWT_EDDSA, "ED448", 0);
}

/* RFC 8037, A.1 and A.4. */
TEST(jwt_verify_of_the_rfc)
{
	static const char signed_text[] =
	    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
	static const char public_pem[] =
	    "-----BEGIN PUBLIC KEY-----\n"
	    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
	    "-----END PUBLIC KEY-----\n";
	static const char signature[] =
	    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylG"
	    "jg5BhVsPt9g7sVvpAr_MuM0KAg";
	struct jwt_keys *keys = load(&(struct jwt_config){
	    .algorithm = JWT_EDDSA, .public_key_file = file_make("key", public_pem)});
	unsigned char bytes[64];

	CHECK_INT(base64url_decode(bytes, signature, strlen(signature)), 64);
	CHECK(jwt_verify(keys, signed_text, strlen(signed_text), bytes, 64));
	CHECK(!jwt_verify(keys, signed_text, strlen(signed_text) - 1, bytes, 64));
	CHECK(!jwt_verify(keys, signed_text, strlen(signed_text), bytes, 63));
	bytes[63] ^= 0x10;
	CHECK(!jwt_verify(keys, signed_text, strlen(signed_text), bytes, 64));
	jwt_keys_free(&keys);
}

/* RFC 4648, 10, without the padding. */
TEST(jwt_base64url)
{
	static const struct {
		const char *text, *bytes;
	} good[] = {{"", ""}, {"Zg", "f"}, {"Zm8", "fo"}, {"Zm9v", "foo"}, {"Zm9vYg", "foob"},
	    {"Zm9vYmE", "fooba"}, {"Zm9vYmFy", "foobar"}, {"-_8", "\xfb\xff"}};
	static const char *const bad[] = {"Z", "Zm9vY", "Zg==", "Zh", "Zm9", "Z g", "+/8", "Zm\n8"};
	unsigned char out[16];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		ssize_t length = base64url_decode(out, good[i].text, strlen(good[i].text));

		CHECK(length >= 0);
		CHECK_BYTES(out, (size_t)length, good[i].bytes, strlen(good[i].bytes));
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_INT(base64url_decode(out, bad[i], strlen(bad[i])), -1);
}

TEST(jwt_grants)
{
	struct jwt_keys *keys = load(&(struct jwt_config){.secret = SECRET});
	char *token = token_hs256(
	    "{" EXP "\"forms\":[\"x\",\"" FORM "\",\"000000000000000000000001\"]}", SECRET);
	struct jwt_grant grant;
	struct form_id form;

	CHECK_INT(jwt_read(keys, token, strlen(token), NOW, &grant), JWT_OK);
	free(token);
	CHECK_INT(grant.expires_ms, INT64_C(1700000100000));
	CHECK(!grant.all);
	CHECK_INT(grant.count, 2);
	CHECK_INT(form_id_parse(&form, FORM, strlen(FORM)), 0);
	CHECK(jwt_covers(&grant, &form));
	form.bytes[0] ^= 1;
	CHECK(!jwt_covers(&grant, &form));
	/* No forms at all is a good token that covers nothing. */
	token = token_hs256("{\"exp\":1700000100}", SECRET);
	CHECK_INT(jwt_read(keys, token, strlen(token), NOW, &grant), JWT_OK);
	free(token);
	CHECK(!jwt_covers(&grant, &form));
	jwt_keys_free(&keys);
}
