/* SPDX-License-Identifier: MIT */
/* From a request to the verdict on its token. An input that begins with '!' is a header and,
 * behind a newline, claims, which are signed here, since no fuzzer guesses a signature; any
 * other is a whole request, whose token must never be good. */
#include "lib/jwt.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "tests/fuzz/fuzz.h"
#include "lib/token_source.h"

#define SECRET "a secret of at least 32 bytes, as RFC 7518 wants"
#define NOW INT64_C(1700000000000)
#define MAX_REQUEST 8192
#define MAX_SIGNED (2 * MAX_REQUEST)

static struct jwt_keys *keys;
static struct form_id form;

static void
prepare(void)
{
	struct jwt_config config = {.secret = SECRET};
	char error[JWT_ERROR_SIZE];

	if (keys != NULL)
		return;
	FUZZ_CHECK(jwt_keys_load(&keys, &config, error) == 0);
	FUZZ_CHECK(form_id_parse(&form, "60f7b1b9e1234567890abcde", FORM_ID_HEX) == 0);
}

static enum jwt_verdict
judge(const char *token, size_t length)
{
	int64_t expires_ms = 0;
	enum jwt_verdict verdict = jwt_judge(keys, token, length, &form, NOW, &expires_ms);

	FUZZ_CHECK(jwt_verdict_text(verdict) != NULL);
	FUZZ_CHECK(
	    verdict != JWT_OK || (expires_ms > NOW && expires_ms < INT64_C(253402300800000)));
	return verdict;
}

static void
try_request(const char *data, size_t size)
{
	static struct token_source source;
	struct http_head head;
	const char *error = NULL;

	if (http_head_parse(&head, data, size, &error) <= 0)
		return;
	if (token_source_find(&source, &head, &error) < 0) {
		FUZZ_CHECK(error != NULL);
		return;
	}
	FUZZ_CHECK(source.length == strlen(source.token) && source.length <= TOKEN_MAX);
	FUZZ_CHECK((source.place == TOKEN_NOWHERE) == (source.length == 0));
	FUZZ_CHECK(judge(source.token, source.length) != JWT_OK);
}

static size_t
put_base64(char *out, const void *data, size_t length)
{
	size_t used = (size_t)EVP_EncodeBlock((unsigned char *)out, data, (int)length);

	for (size_t i = 0; i < used; i++)
		out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
	while (used > 0 && out[used - 1] == '=')
		used--;
	return used;
}

static void
try_signed(const char *data, size_t size)
{
	static char token[MAX_SIGNED];
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_length = 0;
	const char *newline = memchr(data, '\n', size);

	if (newline == NULL)
		return;
	size_t header = (size_t)(newline - data);
	size_t used = put_base64(token, data, header);
	token[used++] = '.';
	used += put_base64(token + used, newline + 1, size - header - 1);
	HMAC(EVP_sha256(), SECRET, (int)strlen(SECRET), (const unsigned char *)token, used, mac,
	    &mac_length);
	token[used++] = '.';
	used += put_base64(token + used, mac, mac_length);
	judge(token, used);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	prepare();
	if (size > MAX_REQUEST)
		return 0;
	if (size > 0 && data[0] == '!')
		try_signed((const char *)data + 1, size - 1);
	else
		try_request((const char *)data, size);
	return 0;
}
