/* SPDX-License-Identifier: MIT */
/* field_choice: counts by option id, for mcq (one id an answer) and checkbox (several).
 *
 * The options of the definition come first, in its order, and stay at zero. Beside them
 * CHOICE_MAX_OTHERS distinct ids are counted; the rest, and ids over CHOICE_MAX_ID bytes, are
 * counted together as `_other`. Which ids those are depends on the order of their coming. While
 * there are such, an id that has fallen to zero keeps its place (it is "dead"), so that counts
 * and removals always meet; when CHOICE_MAX_DEAD are dead, or when as many places are dead as
 * answers are in `_other`, choice_remove() asks for a rebuild, which fills them anew. */
#ifndef ANALYTICSD_FIELD_CHOICE_H
#define ANALYTICSD_FIELD_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "analyticsd/bag.h"
#include "analyticsd/codec.h"
#include "analyticsd/response.h"
#include "lib/base.h"
#include "lib/json_write.h"

#define CHOICE_MAX_ID 200
#define CHOICE_MAX_OTHERS 256
#define CHOICE_MAX_OPTIONS 1024 /* of the definition */
#define CHOICE_MAX_DEAD 64
#define CHOICE_OTHER "_other"

/* bag.entries[0 .. option_count) are the definition's options, behind them the other ids.
 * overflow > 0 only while there are CHOICE_MAX_OTHERS of those; dead > 0 only
 * while overflow > 0. All zero is an empty aggregate without options. */
struct choice {
	struct bag bag;
	uint32_t option_count;
	uint32_t dead;
	uint64_t overflow; /* answers whose id found no place */
	uint64_t oversize; /* answers whose id is too long */
};

void choice_free(struct choice *choice);
void choice_add(struct choice *choice, const struct option_ref *option);
/* False: what is left cannot be told exactly from what is held; rebuild. */
MUST_CHECK bool choice_remove(struct choice *choice, const struct option_ref *option);

/* Is this the definition's list, in its order? */
bool choice_has_options(
    const struct choice *choice, const struct option_ref *options, size_t count);
/* Takes a new list of options (each once, none over CHOICE_MAX_ID, at most CHOICE_MAX_OPTIONS);
 * the counts stay. False: they cannot be told any more; rebuild. */
MUST_CHECK bool choice_set_options(
    struct choice *choice, const struct option_ref *options, size_t count);
/* All counts to nothing; the options stay. */
void choice_reset(struct choice *choice);

/* The object that is "distribution". NULL is an empty one. */
void choice_write(const struct choice *choice, struct json_writer *w);

size_t choice_memory(const struct choice *choice);
void choice_encode(const struct choice *choice, struct encoder *e);
void choice_decode(struct choice *choice, struct decoder *d);

#endif
