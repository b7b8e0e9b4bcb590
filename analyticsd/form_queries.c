/* SPDX-License-Identifier: MIT */
#include "analyticsd/form_queries.h"

#include <errno.h>

#include "analyticsd/forms_recount.h"
#include "analyticsd/hot_definition.h"
#include "analyticsd/snapshot.h"
#include "lib/clock.h"
#include "lib/log.h"

struct asked {
	const struct state *state;
	bool stale;
	const struct json_doc *doc;
	struct buf body;
};

static unsigned
put_error(struct asked *asked, unsigned status, const char *error)
{
	struct json_writer w;

	buf_clear(&asked->body);
	json_write_begin(&w, &asked->body);
	json_object_begin(&w);
	json_key(&w, "error");
	json_put_string(&w, error);
	json_object_end(&w);
	return json_write_end(&w) < 0 ? 500 : status;
}

static unsigned
store_failed(struct asked *asked)
{
	static struct log_limit limit = LOG_LIMIT(3, 10000);
	int error = errno;

	log_limited(&limit, LOG_ERROR, "a question about forms cannot be answered: %m");
	committer_read_failed(asked->state->committer, error);
	return put_error(asked, 503, "The store cannot be read now");
}

static bool
read_id(const struct asked *asked, const char *name, struct form_id *id)
{
	char hex[FORM_ID_HEX + 1];
	int length = json_string(asked->doc, json_get(asked->doc, 0, name), hex, sizeof(hex));

	return length >= 0 && form_id_parse(id, hex, (size_t)length) == 0;
}

static void
put_listed(void *owner, const struct store_form *form)
{
	struct json_writer *w = owner;
	char hex[FORM_ID_HEX + 1];

	form_id_format(&form->id, hex);
	json_object_begin(w);
	json_key(w, "formId");
	json_put_string(w, hex);
	json_key(w, "title");
	json_put_string(w, form->title);
	json_key(w, "totalResponses");
	json_put_u64(w, form->total);
	json_key(w, "lastSubmission");
	if (form->last_ms == RESPONSE_NO_TIME)
		json_put_null(w);
	else
		json_put_time(w, form->last_ms);
	json_object_end(w);
}

static unsigned
answer_forms(struct asked *asked)
{
	struct store *store = asked->state->store;
	struct json_writer w;
	struct form_id after;
	int64_t limit;
	bool behind = json_get(asked->doc, 0, "after") >= 0;

	if (json_i64(asked->doc, json_get(asked->doc, 0, "limit"), &limit) < 0 || limit < 1 ||
	    limit > FORMS_LIMIT_MAX || (behind && !read_id(asked, "after", &after)))
		return put_error(asked, 400, "A malformed question");
	json_write_begin(&w, &asked->body);
	json_array_begin(&w);
	int found = store->ops->list(store, behind ? &after : NULL, (size_t)limit, put_listed, &w);
	json_array_end(&w);
	if (found < 0)
		return store_failed(asked);
	if (found == 0)
		return put_error(asked, 404, "The form to go on behind is not known");
	if (json_write_end(&w) < 0)
		return put_error(asked, 500, "The answer is too long; take a smaller limit");
	return 200;
}

static unsigned
put_definition(struct asked *asked, struct hot_form *hot)
{
	int found = hot_definition(asked->state->store, hot, &asked->body);

	if (found < 0)
		return store_failed(asked);
	return found > 0 ? 200 : put_error(asked, 404, "The form has no definition");
}

static unsigned
put_analytics(struct asked *asked, struct hot_form *hot)
{
	struct json_writer w;

	if (forms_fresh(asked->state->forms, hot, clock_wall_ms()) < 0)
		return store_failed(asked);
	const struct form *shown = forms_shown(hot);
	if (shown == NULL)
		return put_error(asked, 503, "The form is being counted anew");
	json_write_begin(&w, &asked->body);
	snapshot_data(shown, asked->stale || hot->recount != NULL, &w);
	if (json_write_end(&w) < 0)
		return put_error(asked, 500, "The answer is too long");
	return 200;
}

static unsigned
answer_of_form(struct asked *asked, unsigned (*put)(struct asked *asked, struct hot_form *hot))
{
	struct forms *forms = asked->state->forms;
	struct form_id id;
	struct hot_form *hot;

	if (!read_id(asked, "formId", &id))
		return put_error(asked, 400, "A malformed question");
	int found = forms_find(forms, &id, clock_wall_ms(), &hot);
	if (found < 0)
		return store_failed(asked);
	unsigned status = found > 0 && forms_is_known(hot)
	    ? put(asked, hot)
	    : put_error(asked, 404, "The form is not known");
	forms_trim(forms);
	return status;
}

void
form_query_answer(
    const struct state *state, bool stale, struct report *report, const struct report_query *query)
{
	struct asked asked = {.state = state, .stale = stale, .doc = query->doc};
	int what = json_get(query->doc, 0, "what");
	unsigned status;

	buf_init(&asked.body, REPORT_MAX_FRAME);
	if (json_string_is(query->doc, what, "forms"))
		status = answer_forms(&asked);
	else if (json_string_is(query->doc, what, "form"))
		status = answer_of_form(&asked, put_definition);
	else if (json_string_is(query->doc, what, "analytics"))
		status = answer_of_form(&asked, put_analytics);
	else
		status = put_error(&asked, 404, "Nothing is known of that");
	if (report_answer(
		report, query->id, status, buf_bytes(&asked.body), buf_length(&asked.body)) < 0)
		log_debug("statsd is behind, an answer is left out");
	buf_free(&asked.body);
}
