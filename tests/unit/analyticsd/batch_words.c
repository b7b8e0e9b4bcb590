/* SPDX-License-Identifier: MIT */
#include "tests/unit/analyticsd/batch_words.h"

#include <stdio.h>
#include <string.h>

const char *const batch_types[4] = {"text", "mcq", "checkbox", "rating"};
const char *const batch_fields[BATCH_FIELD_NAMES] = {"alpha", "Alpha", "b", "b-1", "c_2", "zz", "Z",
    "0", "long-name-of-a-field-up-to-fifty-characters-abcdef", "omega"};
static const char *const options[BATCH_OPTIONS] = {
    "", "No", "_other", "a", "b", "maybe so", "no", "yes", "z9", "\xc3\xa9t\xc3\xa9"};
const struct batch_word batch_words[BATCH_WORDS] = {
    {"apple", "apple"},
    {"APPLE", "apple"},
    {"Apples", "apples"},
    {"Stra\xc3\x9f"
     "e",
	"strasse"},
    {"STRASSE", "strasse"},
    {"na\xc3\xafve", "na\xc3\xafve"},
    {"NAI\xcc\x88VE", "na\xc3\xafve"},
    {"\xce\x95\xce\xbb\xce\xbb\xce\xac\xcf\x82", "\xce\xb5\xce\xbb\xce\xbb\xce\xac\xcf\x83"},
    {"the", NULL},
    {"Don\xe2\x80\x99t", NULL},
    {"ok", NULL},
    {"a1b2", "a1b2"},
    {"2026", NULL},
    {"covid19", "covid19"},
    {"o'clock", "o'clock"},
    {"delivery", "delivery"},
    {"fast", "fast"},
    {"slow", "slow"},
    {"friendly", "friendly"},
    {"staff", "staff"},
    {"price", "price"},
    {"quality", "quality"},
};

const char *
batch_option(unsigned option)
{
	static char oversize[202];

	if (option < BATCH_OPTIONS)
		return options[option];
	memset(oversize, 'o', 201);
	return oversize;
}

void
batch_text(const struct batch_answer *answer, char out[static BATCH_TEXT_SIZE])
{
	size_t length = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < answer->piece_count; i++)
		length += (size_t)snprintf(out + length, BATCH_TEXT_SIZE - length, "%s%s",
		    batch_words[answer->pieces[i]].raw, i % 3 == 0 ? ", " : " ");
}
