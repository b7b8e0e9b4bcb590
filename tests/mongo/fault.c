/* SPDX-License-Identifier: MIT */
#include "tests/mongo/fault.h"

#include <stdio.h>
#include <string.h>

struct fault {
	struct fault *next;
	int64_t id;
	char *command, *db, *collection; /* NULL: any */
	int stream; /* 1 only change streams, 0 only others, -1 any */
	int64_t skip, times; /* times -1: no end */
	double chance;
	int64_t seen, applied;
	struct effect effect;
};

void
effect_clear(struct effect *e)
{
	doc_unref(&e->error);
	memset(e, 0, sizeof *e);
}

static void
fault_free(struct fault *f)
{
	bson_free(f->command);
	bson_free(f->db);
	bson_free(f->collection);
	effect_clear(&f->effect);
	bson_free(f);
}

static int
read_cut(struct effect *e, const bson_iter_t *it, struct fail *f)
{
	static const char *const names[] = {
	    [CUT_BEFORE] = "before", [CUT_EXECUTED] = "executed", [CUT_AFTER] = "after"};
	const char *name = BSON_ITER_HOLDS_UTF8(it) ? bson_iter_utf8(it, NULL) : "";
	bson_t within;

	if (iter_view(it, &within)) {
		e->cut = CUT_WITHIN;
		e->cut_at = bson_number(&within, "within", -1);
		return e->cut_at >= 0 ? 0 : fail_set(f, 2, "cut: {\"within\": BYTES}");
	}
	for (size_t i = CUT_BEFORE; i <= CUT_AFTER; i++)
		if (names[i] && strcmp(names[i], name) == 0)
			e->cut = (enum cut)i;
	return e->cut ? 0 : fail_set(f, 2, "cut: before, executed, after or {\"within\": BYTES}");
}

static int
read_error(struct effect *e, const bson_iter_t *it, struct fail *f)
{
	bson_t said, *made, labels;
	const char *text;
	bson_iter_t at;
	int code;

	if (!BSON_ITER_HOLDS_DOCUMENT(it) || !iter_view(it, &said))
		return fail_set(f, 2, "error: {code, codeName, errmsg, labels}");
	code = (int)bson_number(&said, "code", 0);
	made = bson_new();
	text = bson_str(&said, "errmsg");
	bson_append_utf8(made, "errmsg", -1, text ? text : "injected", -1);
	bson_append_int32(made, "code", -1, code);
	text = bson_str(&said, "codeName");
	bson_append_utf8(made, "codeName", -1, text ? text : fail_name(code), -1);
	if (bson_get(&said, "labels", &at) && iter_view(&at, &labels))
		bson_append_array(made, "errorLabels", -1, &labels);
	doc_unref(&e->error);
	e->error = doc_from_bson(made);
	bson_destroy(made);
	return 0;
}

static int
read_trickle(struct effect *e, const bson_iter_t *it, struct fail *f)
{
	bson_t said;

	if (!iter_view(it, &said))
		return fail_set(f, 2, "trickle: {bytes, ms}");
	e->trickle_bytes = bson_number(&said, "bytes", 1);
	e->trickle_ms = bson_number(&said, "ms", 1);
	return e->trickle_bytes > 0 && e->trickle_ms > 0 ? 0 : fail_set(f, 2, "trickle: above 0");
}

static bool
read_text(char **to, const bson_iter_t *it)
{
	if (!BSON_ITER_HOLDS_UTF8(it))
		return false;
	bson_free(*to);
	*to = bson_strdup(bson_iter_utf8(it, NULL));
	return true;
}

static double
read_chance(const bson_iter_t *it)
{
	return BSON_ITER_HOLDS_DOUBLE(it) ? bson_iter_double(it) : (double)iter_number(it, 1);
}

static int
read_key(struct fault *fault, const char *key, const bson_iter_t *it, struct fail *f)
{
	struct effect *e = &fault->effect;
	bool yes = iter_number(it, 0) != 0;

	if (strcmp(key, "cut") == 0)
		return read_cut(e, it, f);
	if (strcmp(key, "error") == 0)
		return read_error(e, it, f);
	if (strcmp(key, "trickle") == 0)
		return read_trickle(e, it, f);
	if ((strcmp(key, "command") == 0 && read_text(&fault->command, it)) ||
	    (strcmp(key, "db") == 0 && read_text(&fault->db, it)) ||
	    (strcmp(key, "collection") == 0 && read_text(&fault->collection, it)))
		return 0;
	if (strcmp(key, "stream") == 0)
		fault->stream = yes;
	else if (strcmp(key, "skip") == 0)
		fault->skip = iter_number(it, 0);
	else if (strcmp(key, "times") == 0)
		fault->times = iter_number(it, 1);
	else if (strcmp(key, "chance") == 0)
		fault->chance = read_chance(it);
	else if (strcmp(key, "delay_ms") == 0)
		e->delay_ms = iter_number(it, 0);
	else if (strcmp(key, "execute") == 0)
		e->execute = yes;
	else if (strcmp(key, "hang") == 0)
		e->hang = yes;
	else if (strcmp(key, "no_token") == 0)
		e->no_token = yes;
	else if (strcmp(key, "empty") == 0)
		e->empty = yes;
	else if (strcmp(key, "close") == 0)
		e->close = yes;
	else if (strcmp(key, "kill_cursor") == 0)
		e->kill_cursor = yes;
	else
		return fail_set(f, 2, "a fault has no '%s', or not of that type", key);
	return 0;
}

static struct doc *
cursor_killed(void)
{
	bson_t *b = BCON_NEW("errmsg", "operation was interrupted: CursorKilled", "code",
	    BCON_INT32(237), "codeName", "CursorKilled");
	struct doc *d = doc_from_bson(b);

	bson_destroy(b);
	return d;
}

int64_t
fault_add(struct fault_list *l, const bson_t *rule, struct fail *f)
{
	struct fault *fault = bson_malloc0(sizeof *fault), **end = &l->first;
	bson_iter_t it;

	fault->stream = -1;
	fault->times = 1;
	fault->chance = 1;
	bson_iter_init(&it, rule);
	while (bson_iter_next(&it)) {
		if (read_key(fault, bson_iter_key(&it), &it, f) < 0) {
			fault_free(fault);
			return -1;
		}
	}
	fault->effect.active = true;
	if (fault->effect.kill_cursor && !fault->effect.error)
		fault->effect.error = cursor_killed();
	while (*end)
		end = &(*end)->next;
	*end = fault;
	return fault->id = ++l->last_id;
}

void
fault_clear(struct fault_list *l, int64_t id)
{
	struct fault **at = &l->first, *gone;

	while ((gone = *at)) {
		if (id && gone->id != id) {
			at = &gone->next;
			continue;
		}
		*at = gone->next;
		fault_free(gone);
	}
}

void
fault_seed(struct fault_list *l, uint64_t seed)
{
	l->random = seed * 2654435761u + 88172645463325252ULL;
}

/* 0 inclusive to 1 exclusive: xorshift. */
static double
draw(struct fault_list *l)
{
	if (!l->random)
		fault_seed(l, 1);
	l->random ^= l->random << 13;
	l->random ^= l->random >> 7;
	l->random ^= l->random << 17;
	return (double)(l->random >> 11) / 9007199254740992.0;
}

static bool
fits(const struct fault *f, const struct target *t)
{
	return (!f->command || strcmp(f->command, t->command) == 0) &&
	    (!f->db || strcmp(f->db, t->db) == 0) &&
	    (!f->collection || strcmp(f->collection, t->collection) == 0) &&
	    (f->stream < 0 || (f->stream == 1) == t->stream);
}

void
fault_take(struct fault_list *l, const struct target *t, struct effect *out)
{
	memset(out, 0, sizeof *out);
	for (struct fault *f = l->first; f; f = f->next) {
		if (!fits(f, t))
			continue;
		f->seen++;
		if (out->active || f->seen <= f->skip || (f->times >= 0 && f->applied >= f->times))
			continue;
		if (f->chance < 1 && draw(l) >= f->chance)
			continue;
		f->applied++;
		l->applied++;
		*out = f->effect;
		doc_ref(out->error);
	}
}

void
fault_append(const struct fault_list *l, const char *key, bson_t *out)
{
	bson_t list, one;
	char index[24];
	size_t n = 0;

	bson_append_array_begin(out, key, -1, &list);
	for (const struct fault *f = l->first; f; f = f->next) {
		snprintf(index, sizeof index, "%zu", n++);
		bson_append_document_begin(&list, index, -1, &one);
		bson_append_int64(&one, "id", -1, f->id);
		bson_append_int64(&one, "seen", -1, f->seen);
		bson_append_int64(&one, "applied", -1, f->applied);
		bson_append_bool(&one, "over", -1, f->times >= 0 && f->applied >= f->times);
		bson_append_document_end(&list, &one);
	}
	bson_append_array_end(out, &list);
}

/* The reply's cursor without one member, or with another id. */
static void
rewrite_cursor(bson_t *reply, const char *without, bool closes)
{
	bson_t *stripped, cursor, sub;
	bson_iter_t it;

	if (!bson_get(reply, "cursor", &it) || !iter_view(&it, &cursor))
		return;
	stripped = bson_new();
	bson_iter_init(&it, reply);
	while (bson_iter_next(&it)) {
		if (strcmp(bson_iter_key(&it), "cursor") != 0) {
			bson_append_iter(stripped, NULL, 0, &it);
			continue;
		}
		bson_append_document_begin(stripped, "cursor", -1, &sub);
		bson_copy_to_excluding_noinit(&cursor, &sub, without, NULL);
		if (closes)
			bson_append_int64(&sub, "id", -1, 0);
		bson_append_document_end(stripped, &sub);
	}
	bson_reinit(reply);
	bson_concat(reply, stripped);
	bson_destroy(stripped);
}

void
reply_strip_token(bson_t *reply)
{
	rewrite_cursor(reply, "postBatchResumeToken", false);
}

void
reply_close_cursor(bson_t *reply)
{
	rewrite_cursor(reply, "id", true);
}
