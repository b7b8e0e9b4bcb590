/* SPDX-License-Identifier: MIT */
/*
 * Faults: rules that say which commands go wrong, and how. README.md has the words that a rule is
 * written in. Pure code.
 */
#ifndef TESTS_MONGO_FAULT_H
#define TESTS_MONGO_FAULT_H

#include "tests/mongo/base.h"

/* What a command is about; everything borrowed. */
struct target {
	const char *command, *db, *collection; /* "" where there is none */
	bool stream; /* opens a change stream, or reads on in one */
	int64_t cursor; /* of a getMore */
};

enum cut {
	CUT_NOT,
	CUT_BEFORE, /* nothing is run */
	CUT_EXECUTED, /* it is run; of the reply not one byte is sent */
	CUT_WITHIN, /* at cut_at bytes of the reply */
	CUT_AFTER, /* the whole reply has been sent */
};

/* What happens to one command. */
struct effect {
	bool active;
	struct doc
	    *error; /* {code, codeName, errmsg, errorLabels}, a reference of its own; or NULL */
	bool execute; /* the command is run all the same, before its error or its silence */
	bool hang; /* no reply ever, the connection stays open */
	enum cut cut;
	int64_t cut_at;
	int64_t delay_ms; /* before it is run */
	int64_t trickle_bytes, trickle_ms; /* so many bytes of the reply each so many ms */
	bool no_token; /* the reply bears no postBatchResumeToken */
	bool empty; /* a getMore finds nothing, whatever there is */
	bool close; /* the cursor ends with what the getMore brings */
	bool kill_cursor; /* what the getMore has read is lost, with its cursor */
};

struct fault;

struct fault_list {
	struct fault *first;
	int64_t last_id;
	uint64_t random;
	int64_t applied; /* by all rules, also those that are gone */
};

/* Takes a rule. Its id, or -1 with f filled. */
int64_t fault_add(struct fault_list *l, const bson_t *rule, struct fail *f);

/* Forgets one rule, or all of them (id 0). */
void fault_clear(struct fault_list *l, int64_t id);

/* The effect of the first rule that fits: *out is to be cleared. */
void fault_take(struct fault_list *l, const struct target *t, struct effect *out);

/* Appends [{id, seen, applied, over}, …]: commands that fitted, and those that it fell on. */
void fault_append(const struct fault_list *l, const char *key, bson_t *out);

/* Seeds what `chance` draws from. */
void fault_seed(struct fault_list *l, uint64_t seed);

void effect_clear(struct effect *e);

/* Takes postBatchResumeToken out of a reply with a cursor. */
void reply_strip_token(bson_t *reply);
/* Says in a reply with a cursor that the server has closed it. */
void reply_close_cursor(bson_t *reply);

#endif
