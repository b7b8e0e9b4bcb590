/* SPDX-License-Identifier: MIT */
#include "statsd/families.h"

#include <string.h>

#include "lib/mem.h"
#include "lib/table.h"
#include "statsd/metric.h"

struct family {
	UT_hash_handle hh;
	char *name;
	char *help;
	const char *type;
	struct list metrics;
};

struct families {
	struct family *table;
	bool sorted;
};

struct families *
families_new(void)
{
	return mem_zalloc(sizeof(struct families));
}

void
families_free(struct families **families)
{
	MEM_FREE(families);
}

static struct family *
family_find(const struct families *families, const char *name)
{
	struct family *family;
	HASH_FIND_STR(families->table, name, family);
	return family;
}

static struct family *
family_add(struct families *families, const char *name, const char *help, const char *type)
{
	struct family *family = mem_zalloc(sizeof(*family));
	family->name = mem_strdup(name);
	family->help = mem_strdup(help);
	family->type = type;
	list_init(&family->metrics);
	HASH_ADD_KEYPTR(hh, families->table, family->name, strlen(family->name), family);
	families->sorted = false;
	return family;
}

bool
families_join(struct families *families, struct metric *metric, const char *name, const char *help)
{
	const char *type = metric_kind_type(metric->kind);
	struct family *family = family_find(families, name);
	metric->family = NULL;
	list_init(&metric->in_family);
	if (metric_name_reserved(name) || (family && family->type != type))
		return false;
	if (!family)
		family = family_add(families, name, help, type);
	metric->family = family;
	list_append(&family->metrics, &metric->in_family);
	return strcmp(family->help, help) == 0;
}

void
families_leave(struct families *families, struct metric *metric)
{
	struct family *family = metric->family;
	list_remove(&metric->in_family);
	metric->family = NULL;
	if (!family || !list_empty(&family->metrics))
		return;
	HASH_DEL(families->table, family);
	MEM_FREE(&family->name);
	MEM_FREE(&family->help);
	MEM_FREE(&family);
}

static int
by_name(const struct family *a, const struct family *b)
{
	return strcmp(a->name, b->name);
}

const struct family *
families_first(struct families *families)
{
	if (!families->sorted)
		HASH_SORT(families->table, by_name);
	families->sorted = true;
	return families->table;
}

const struct family *
family_next(const struct family *family)
{
	return family->hh.next;
}

const char *
family_name(const struct family *family)
{
	return family->name;
}

const char *
family_help(const struct family *family)
{
	return family->help;
}

const char *
family_type(const struct family *family)
{
	return family->type;
}

const struct list *
family_metrics(const struct family *family)
{
	return &family->metrics;
}

const struct family *
families_find(const struct families *families, const char *name)
{
	return family_find(families, name);
}
