/* SPDX-License-Identifier: MIT */
/* A form's saved state, with the checksum that it should have: what decodes can be worked
 * with, and encodes to a state that decodes to the same. */
#include "analyticsd/form.h"

#include <string.h>

#include "analyticsd/hash.h"
#include "tests/fuzz/fuzz.h"

#define CHECKSUM_BYTES 8
#define MAX_STATE (4 << 20)

static void
use(struct form *form)
{
	struct json_writer w;
	struct buf out;

	buf_init(&out, MAX_STATE);
	json_write_begin(&w, &out);
	form_write_analytics(form, &w);
	FUZZ_CHECK(json_write_end(&w) == 0);
	(void)form_title(form);
	(void)form_memory(form);
	(void)form_last_submission(form);
	(void)form_count_between(form, 0, INT64_C(86400000));
	buf_free(&out);
}

static void
check_again(const struct form *form, const struct form_id *id)
{
	struct buf once, twice;

	buf_init(&once, MAX_STATE);
	buf_init(&twice, MAX_STATE);
	FUZZ_CHECK(form_encode(form, &once) == 0);
	struct form *again = form_decode(id, buf_bytes(&once), buf_length(&once));
	FUZZ_CHECK(again != NULL);
	FUZZ_CHECK(form_encode(again, &twice) == 0);
	FUZZ_CHECK(buf_length(&once) == buf_length(&twice) &&
	    memcmp(buf_bytes(&once), buf_bytes(&twice), buf_length(&once)) == 0);
	form_free(&again);
	buf_free(&once);
	buf_free(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct form_id id = {{1}};
	uint8_t *state = malloc(size + CHECKSUM_BYTES);
	uint64_t sum = hash_bytes64(data, size);

	memcpy(state, data, size);
	for (size_t i = 0; i < CHECKSUM_BYTES; i++)
		state[size + i] = (uint8_t)(sum >> 8 * i);
	struct form *form = form_decode(&id, state, size + CHECKSUM_BYTES);
	free(state);
	if (form == NULL)
		return 0;
	check_again(form, &id);
	use(form);
	form_free(&form);
	return 0;
}
