/* SPDX-License-Identifier: MIT */
#include "analyticsd/apply.h"

#include <errno.h>
#include <string.h>

#include "analyticsd/apply_state.h"
#include "analyticsd/counters.h"
#include "analyticsd/definition_text.h"
#include "analyticsd/forms_recount.h"
#include "analyticsd/hot_definition.h"
#include "analyticsd/malformed.h"
#include "lib/log.h"
#include "lib/mem.h"

#define POSITION_MAX (1U << 20)
/* A response document has at most 16 MiB, and a record says no more than its document. */
#define RECORD_MAX (17U << 20)
#define FULL_BYTES (8U << 20)
#define FULL_EVENTS 20000

struct apply *
apply_new(const struct apply_config *config)
{
	struct apply *apply = mem_zalloc(sizeof(*apply));

	apply->config = *config;
	if (apply->config.full_events == 0)
		apply->config.full_events = FULL_EVENTS;
	buf_init(&apply->id, RESPONSE_MAX_ID);
	buf_init(&apply->record, RECORD_MAX);
	buf_init(&apply->old_record, RECORD_MAX);
	buf_init(&apply->definition, DEFINITION_TEXT_MAX);
	buf_init(&apply->position, POSITION_MAX);
	buf_init(&apply->committed, POSITION_MAX);
	if (config->store->ops->position(config->store, &apply->committed, &apply->partial) < 0)
		apply_free(&apply);
	return apply;
}

void
apply_free(struct apply **pointer)
{
	struct apply *apply = *pointer;

	response_free(&apply->response);
	response_free(&apply->old_response);
	buf_free(&apply->id);
	buf_free(&apply->record);
	buf_free(&apply->old_record);
	buf_free(&apply->definition);
	buf_free(&apply->position);
	buf_free(&apply->committed);
	MEM_FREE(pointer);
}

static bool
read_form_id(const bson_t *doc, const char *kind, struct form_id *id)
{
	bson_iter_t iter;

	if (!bson_iter_init_find(&iter, doc, "_id") || !BSON_ITER_HOLDS_OID(&iter)) {
		malformed_note(doc, kind, "its _id is no ObjectId");
		return false;
	}
	memcpy(id->bytes, bson_iter_oid(&iter)->bytes, FORM_ID_BYTES);
	return true;
}

static int
apply_form(struct apply *apply, const bson_t *doc, int64_t now_ms)
{
	struct form_id id;
	struct hot_form *hot;
	const char *why = NULL;

	counters[COUNTER_forms_defined]++;
	if (!read_form_id(doc, "form", &id))
		return 0;
	if (forms_get(apply->config.forms, &id, now_ms, &hot) < 0)
		return -1;
	definition_text(doc, &id, &apply->definition);
	int other = hot_definition_differs(apply->config.store, hot, &apply->definition);
	if (other < 0)
		return -1;
	struct form *before = forms_before(apply->config.forms, hot);
	enum form_result result = form_define(hot->form, doc, &why);
	if (why != NULL)
		malformed_definition(doc, why);
	if (other > 0)
		hot_definition_set(hot, &apply->definition);
	if (result == FORM_REBUILD)
		forms_redefined(apply->config.forms, hot, &before, now_ms);
	form_free(&before);
	if (result == FORM_UNCHANGED && other == 0) {
		counters[COUNTER_unchanged]++;
		return 0;
	}
	forms_changed(apply->config.forms, hot, true);
	apply_changed_form(apply, hot, now_ms);
	return 0;
}

static int
apply_form_deleted(struct apply *apply, const bson_t *doc, int64_t now_ms)
{
	struct form_id id;
	struct hot_form *hot;

	counters[COUNTER_forms_deleted]++;
	if (!read_form_id(doc, "deletion of a form", &id))
		return 0;
	/* Also one that is not known yet: a scan passed it by, and its responses are to come. */
	if (forms_get(apply->config.forms, &id, now_ms, &hot) < 0)
		return -1;
	if (form_defined(hot->form)) {
		buf_clear(&apply->definition);
		hot_definition_set(hot, &apply->definition);
	}
	forms_undefine(hot);
	forms_changed(apply->config.forms, hot, true);
	apply_changed_form(apply, hot, now_ms);
	return 0;
}

static int
apply_bare(struct apply *apply, const struct event *event, int64_t now_ms)
{
	if (event->has_form_id)
		return apply_response(apply, event->whole, now_ms);
	if (event->has_fields)
		return apply_form(apply, event->whole, now_ms);
	malformed_note(event->whole, "document", "neither formId nor fields");
	return 0;
}

static int
apply_event(struct apply *apply, const struct event *event, int64_t now_ms)
{
	static const struct {
		const char *op;
		int (*apply)(struct apply *apply, const bson_t *doc, int64_t now_ms);
	} kinds[] = {
	    {"response", apply_response},
	    {"responseDeleted", apply_response_deleted},
	    {"form", apply_form},
	    {"formDeleted", apply_form_deleted},
	};
	static struct log_limit limit = LOG_LIMIT(5, 10000);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(event->op, kinds[i].op) != 0)
			continue;
		if (event->has_doc)
			return kinds[i].apply(apply, &event->doc, now_ms);
		malformed_note(event->whole, "event", "no doc");
		return 0;
	}
	if (strcmp(event->op, "position") == 0 || event->turn != TURN_NONE) {
		counters[COUNTER_positions]++;
		return 0;
	}
	counters[COUNTER_unknown_ops]++;
	log_limited(&limit, LOG_WARN, "event of unknown op '%.64s' skipped", event->op);
	return 0;
}

static void
move_position(struct apply *apply, const struct event *event)
{
	buf_clear(&apply->position);
	if (buf_append(&apply->position, event->position, event->position_length) < 0) {
		log_warn(
		    "a position of %u bytes is too long, it is not kept", event->position_length);
		return;
	}
	apply->moved = true;
	apply->partial = event->partial;
}

static void
measure(struct apply *apply, int64_t now_ms)
{
	apply->lag_ms = MAX(now_ms - apply->at_ms, 0);
	apply->lag_seen_ms = now_ms;
	counters[COUNTER_applied_lag] = (uint64_t)apply->lag_ms;
	/* What is sent again changes nothing and was fresh the first time. */
	if (apply->effective)
		histogram_observe(&histogram_applied, apply->lag_ms * 1000);
}

int64_t
apply_lag(const struct apply *apply, int64_t now_ms)
{
	return now_ms - apply->lag_seen_ms <= APPLY_LAG_AGE_MS ? apply->lag_ms : 0;
}

int
apply_document(struct apply *apply, const struct event *event, int64_t now_ms)
{
	int result;

	forms_trim(apply->config.forms);
	apply->at_ms = event->op != NULL ? event->at_ms : -1;
	apply->effective = false;
	result = event->op == NULL ? apply_bare(apply, event, now_ms)
				   : apply_event(apply, event, now_ms);
	if (result < 0)
		return -1;
	if (event->op != NULL && event->position != NULL)
		move_position(apply, event);
	if (apply->at_ms >= 0)
		measure(apply, now_ms);
	apply->events++;
	apply->bytes += event->whole->len;
	return 0;
}

bool
apply_pending(const struct apply *apply)
{
	return apply->moved || ledger_pending(apply->config.ledger) > 0 ||
	    forms_dirty(apply->config.forms);
}

bool
apply_full(const struct apply *apply)
{
	return apply->events >= apply->config.full_events || apply->bytes >= FULL_BYTES ||
	    forms_crowded(apply->config.forms) || forms_tail_full(apply->config.forms);
}

static int
write_all(struct apply *apply, bool forms)
{
	struct store *store = apply->config.store;

	if (store->ops->begin(store) < 0 || ledger_write(apply->config.ledger) < 0 ||
	    forms_write(apply->config.forms, forms) < 0)
		return -1;
	if (apply->moved &&
	    store->ops->put_position(store, buf_bytes(&apply->position),
		buf_length(&apply->position), apply->partial) < 0)
		return -1;
	return store->ops->commit(store);
}

int
apply_commit(struct apply *apply, bool forms, int64_t now_ms)
{
	struct store *store = apply->config.store;

	if (forms_repair(apply->config.forms, now_ms) < 0)
		return -1;
	if (write_all(apply, forms || forms_tail_full(apply->config.forms)) < 0) {
		int error = errno;
		store->ops->rollback(store);
		errno = error;
		return -1;
	}
	ledger_committed(apply->config.ledger);
	forms_committed(apply->config.forms);
	if (apply->moved) {
		struct buf swap = apply->committed;
		apply->committed = apply->position;
		apply->position = swap;
		apply->moved = false;
	}
	apply->events = apply->bytes = 0;
	return 0;
}

const struct buf *
apply_position(const struct apply *apply)
{
	return &apply->committed;
}

bool
apply_partial(const struct apply *apply)
{
	return apply->partial;
}

bool
apply_placed(const struct apply *apply)
{
	return apply->moved || buf_length(&apply->committed) > 0;
}
