/* SPDX-License-Identifier: MIT */
#include "tests/mongo/pipeline.h"
#include "tests/mongo/group.h"
#include "tests/mongo/match.h"
#include "tests/mongo/project.h"
#include "tests/mongo/sort.h"

#include <string.h>

enum stage_kind {
	STAGE_MATCH,
	STAGE_PROJECT,
	STAGE_SORT,
	STAGE_LIMIT,
	STAGE_SKIP,
	STAGE_COUNT,
	STAGE_GROUP,
};

struct stage {
	enum stage_kind kind;
	struct doc *spec; /* $match, $sort, $group: the argument */
	struct projection *projection;
	int64_t number;
	char *name; /* $count */
};

struct pipeline {
	struct stage *stages;
	size_t n;
};

static int
match_read(struct stage *s, const bson_iter_t *arg, struct fail *f)
{
	bson_t sub;

	if (!BSON_ITER_HOLDS_DOCUMENT(arg))
		return fail_set(f, 15959, "the match filter must be an expression in an object");
	iter_view(arg, &sub);
	s->kind = STAGE_MATCH;
	s->spec = doc_from_bson(&sub);
	return match_check(&sub, f);
}

static int
project_read(struct stage *s, const bson_iter_t *arg, struct fail *f)
{
	bson_t sub;

	if (!BSON_ITER_HOLDS_DOCUMENT(arg))
		return fail_set(f, 15969, "$project specification must be an object");
	iter_view(arg, &sub);
	if (bson_empty(&sub))
		return fail_set(f, 51272,
		    "Invalid $project :: caused by :: projection specification "
		    "must have at least one field");
	s->kind = STAGE_PROJECT;
	s->projection = projection_new(&sub, f);
	return s->projection ? 0 : -1;
}

/* $unset: a name or a list of names. */
static int
unset_read(struct stage *s, const bson_iter_t *arg, struct fail *f)
{
	bson_t *spec = bson_new();
	bson_iter_t e;

	if (BSON_ITER_HOLDS_UTF8(arg))
		bson_append_int32(spec, bson_iter_utf8(arg, NULL), -1, 0);
	if (BSON_ITER_HOLDS_ARRAY(arg) && bson_iter_recurse(arg, &e))
		while (bson_iter_next(&e))
			if (BSON_ITER_HOLDS_UTF8(&e))
				bson_append_int32(spec, bson_iter_utf8(&e, NULL), -1, 0);
	s->kind = STAGE_PROJECT;
	if (bson_empty(spec))
		fail_fill(f, 31119, "$unset specification must be a string or an array of strings");
	else
		s->projection = projection_new(spec, f);
	bson_destroy(spec);
	return s->projection ? 0 : -1;
}

static int
sort_read(struct stage *s, const bson_iter_t *arg, struct fail *f)
{
	bson_t sub;

	if (!BSON_ITER_HOLDS_DOCUMENT(arg))
		return fail_set(f, 15973, "the $sort key specification must be an object");
	iter_view(arg, &sub);
	if (bson_empty(&sub))
		return fail_set(f, 15976, "$sort stage must have at least one sort key");
	s->kind = STAGE_SORT;
	s->spec = doc_from_bson(&sub);
	return sort_check(&sub, f);
}

static int
number_read(struct stage *s, const char *name, const bson_iter_t *arg, struct fail *f)
{
	bool limit = strcmp(name, "$limit") == 0;

	s->number = iter_number(arg, -1);
	if (!iter_is_number(arg) || s->number < 0)
		return fail_set(f, 5107201,
		    "invalid argument to %s stage: Expected a non-negative "
		    "number",
		    name);
	if (limit && s->number == 0)
		return fail_set(f, 15958, "the limit must be positive");
	s->kind = limit ? STAGE_LIMIT : STAGE_SKIP;
	return 0;
}

static int
count_read(struct stage *s, const bson_iter_t *arg, struct fail *f)
{
	const char *name = BSON_ITER_HOLDS_UTF8(arg) ? bson_iter_utf8(arg, NULL) : "";

	if (!*name || *name == '$' || strchr(name, '.'))
		return fail_set(f, 40156, "the count field must be a non-empty string");
	s->kind = STAGE_COUNT;
	s->name = bson_strdup(name);
	return 0;
}

static int
group_read(struct stage *s, const bson_iter_t *arg, struct fail *f)
{
	bson_t sub;

	if (!BSON_ITER_HOLDS_DOCUMENT(arg))
		return fail_set(f, 15947, "a group's fields must be specified in an object");
	iter_view(arg, &sub);
	s->kind = STAGE_GROUP;
	s->spec = doc_from_bson(&sub);
	return group_check(&sub, f);
}

static int
stage_unknown(const char *name, struct fail *f)
{
	static const char *const real[] = {
	    "$addFields",
	    "$bucket",
	    "$bucketAuto",
	    "$densify",
	    "$facet",
	    "$fill",
	    "$geoNear",
	    "$graphLookup",
	    "$indexStats",
	    "$lookup",
	    "$merge",
	    "$out",
	    "$redact",
	    "$replaceRoot",
	    "$replaceWith",
	    "$sample",
	    "$set",
	    "$setWindowFields",
	    "$sortByCount",
	    "$unionWith",
	    "$unwind",
	    "$documents",
	    "$search",
	    "$planCacheStats",
	    "$listSessions",
	};

	for (size_t i = 0; i < sizeof real / sizeof *real; i++)
		if (strcmp(name, real[i]) == 0)
			return fail_set(f, 238, "the stage %s is not supported here", name);
	if (strcmp(name, "$changeStream") == 0)
		return fail_set(
		    f, 40602, "$changeStream is only valid as the first stage in a pipeline.");
	if (strcmp(name, "$collStats") == 0)
		return fail_set(
		    f, 40602, "$collStats is only valid as the first stage in a pipeline.");
	return fail_set(f, 40324, "Unrecognized pipeline stage name: '%s'", name);
}

static int
stage_read(struct stage *s, const bson_iter_t *st, bool for_stream, struct fail *f)
{
	const char *name = bson_iter_key(st);

	if (strcmp(name, "$match") == 0)
		return match_read(s, st, f);
	if (strcmp(name, "$project") == 0)
		return project_read(s, st, f);
	if (strcmp(name, "$unset") == 0)
		return unset_read(s, st, f);
	/* Manual, "Change Streams > Modify Change Stream Output": the stages that may follow. */
	if (for_stream &&
	    (strcmp(name, "$sort") == 0 || strcmp(name, "$limit") == 0 ||
		strcmp(name, "$skip") == 0 || strcmp(name, "$count") == 0 ||
		strcmp(name, "$group") == 0))
		return fail_set(f, 20, "%s is not permitted in a $changeStream pipeline", name);
	if (strcmp(name, "$sort") == 0)
		return sort_read(s, st, f);
	if (strcmp(name, "$limit") == 0 || strcmp(name, "$skip") == 0)
		return number_read(s, name, st, f);
	if (strcmp(name, "$count") == 0)
		return count_read(s, st, f);
	if (strcmp(name, "$group") == 0)
		return group_read(s, st, f);
	return stage_unknown(name, f);
}

struct pipeline *
pipeline_new(const bson_t *stages, int from, bool for_stream, struct fail *f)
{
	struct pipeline *p = bson_malloc0(sizeof *p);
	bson_iter_t it, st;
	int i = 0;

	bson_iter_init(&it, stages);
	for (; bson_iter_next(&it); i++) {
		struct stage *s;

		if (i < from)
			continue;
		p->stages = bson_realloc(p->stages, (p->n + 1) * sizeof *p->stages);
		s = &p->stages[p->n++];
		memset(s, 0, sizeof *s);
		if (!BSON_ITER_HOLDS_DOCUMENT(&it)) {
			fail_fill(f, 14, "Each element of the 'pipeline' array must be an object");
			pipeline_free(&p);
			return NULL;
		}
		bson_iter_recurse(&it, &st);
		if (!bson_iter_next(&st) || stage_read(s, &st, for_stream, f) < 0 ||
		    bson_iter_next(&st)) {
			if (!f->code)
				fail_fill(f, 40323,
				    "A pipeline stage specification object must "
				    "contain exactly one field.");
			pipeline_free(&p);
			return NULL;
		}
	}
	return p;
}

void
pipeline_free(struct pipeline **p)
{
	if (!*p)
		return;
	for (size_t i = 0; i < (*p)->n; i++) {
		doc_unref(&(*p)->stages[i].spec);
		projection_free(&(*p)->stages[i].projection);
		bson_free((*p)->stages[i].name);
	}
	bson_free((*p)->stages);
	bson_free(*p);
	*p = NULL;
}

size_t
pipeline_length(const struct pipeline *p)
{
	return p->n;
}

size_t
pipeline_leading_matches(const struct pipeline *p)
{
	size_t i = 0;

	while (i < p->n && p->stages[i].kind == STAGE_MATCH)
		i++;
	return i;
}

bool
pipeline_one(const struct pipeline *p, size_t from, size_t to, struct doc **d)
{
	bson_t view, spec;

	for (size_t i = from; i < to && i < p->n; i++) {
		const struct stage *s = &p->stages[i];

		doc_view(*d, &view);
		if (s->kind == STAGE_MATCH) {
			doc_view(s->spec, &spec);
			if (!match_doc(&spec, &view))
				return false;
		} else if (s->kind == STAGE_PROJECT) {
			bson_t *out = bson_new();

			projection_apply(s->projection, &view, out);
			doc_unref(d);
			*d = doc_from_bson(out);
			bson_destroy(out);
		}
	}
	return true;
}

static void
each_run(const struct pipeline *p, size_t i, struct doc_list *l)
{
	size_t to = 0;

	for (size_t k = 0; k < l->n; k++) {
		if (pipeline_one(p, i, i + 1, &l->at[k]))
			l->at[to++] = l->at[k];
		else
			doc_unref(&l->at[k]);
	}
	l->n = to;
}

static void
list_cut(struct doc_list *l, int64_t skip, int64_t limit)
{
	size_t drop = (uint64_t)skip < l->n ? (size_t)skip : l->n;

	for (size_t k = 0; k < drop; k++)
		doc_unref(&l->at[k]);
	l->n -= drop;
	if (drop)
		memmove(l->at, l->at + drop, l->n * sizeof(void *));
	while (limit >= 0 && l->n > (uint64_t)limit)
		doc_unref(&l->at[--l->n]);
}

static void
list_count(struct doc_list *l, const char *name)
{
	int64_t n = (int64_t)l->n;
	bson_t *out = bson_new();

	list_cut(l, 0, 0);
	if (n) {
		if (n <= INT32_MAX)
			bson_append_int32(out, name, -1, (int32_t)n);
		else
			bson_append_int64(out, name, -1, n);
		doc_list_add(l, doc_from_bson(out));
	}
	bson_destroy(out);
}

int
pipeline_run(const struct pipeline *p, struct doc_list *l, struct fail *f)
{
	bson_t spec;

	for (size_t i = 0; i < p->n; i++) {
		const struct stage *s = &p->stages[i];

		if (s->spec)
			doc_view(s->spec, &spec);
		switch (s->kind) {
		case STAGE_MATCH:
		case STAGE_PROJECT:
			each_run(p, i, l);
			break;
		case STAGE_SORT:
			sort_docs(&spec, l);
			break;
		case STAGE_LIMIT:
			list_cut(l, 0, s->number);
			break;
		case STAGE_SKIP:
			list_cut(l, s->number, -1);
			break;
		case STAGE_COUNT:
			list_count(l, s->name);
			break;
		case STAGE_GROUP:
			if (group_run(&spec, l, f) < 0)
				return -1;
			break;
		}
	}
	return 0;
}
