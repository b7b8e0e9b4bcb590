/* SPDX-License-Identifier: MIT */
#include "wsfand/crowd.h"

#include "lib/mem.h"
#include "lib/table.h"

struct crowd_group {
	uint64_t network;
	UT_hash_handle hh; /* not for network 0 */
	struct list node; /* on its level */
	struct list members; /* the eldest first */
	uint32_t count;
	int level; /* -1: on none yet */
};

void
crowd_init(struct crowd *crowd)
{
	crowd->table = NULL;
	for (int i = 0; i < CROWD_LEVELS; i++)
		list_init(&crowd->levels[i]);
}

static struct crowd_group *
group_of(struct crowd *crowd, uint64_t network)
{
	struct crowd_group *group = NULL;

	if (network != 0)
		HASH_FIND(hh, crowd->table, &network, sizeof(network), group);
	if (group)
		return group;
	group = mem_zalloc(sizeof(*group));
	group->network = network;
	group->level = -1;
	list_init(&group->node);
	list_init(&group->members);
	if (network != 0)
		HASH_ADD(hh, crowd->table, network, sizeof(group->network), group);
	return group;
}

static void
group_free(struct crowd *crowd, struct crowd_group *group)
{
	list_remove(&group->node);
	if (group->network != 0)
		HASH_DELETE(hh, crowd->table, group);
	MEM_FREE(&group);
}

/* Where it belongs by its count, which is not 0. */
static void
settle(struct crowd *crowd, struct crowd_group *group)
{
	int level = CROWD_LEVELS - 1 - __builtin_clz(group->count);

	if (level == group->level)
		return;
	group->level = level;
	list_remove(&group->node);
	list_append(&crowd->levels[level], &group->node);
}

void
crowd_enter(struct crowd *crowd, struct crowd_member *member, uint64_t network)
{
	struct crowd_group *group = group_of(crowd, network);

	member->group = group;
	list_init(&member->node);
	list_append(&group->members, &member->node);
	group->count++;
	settle(crowd, group);
}

void
crowd_leave(struct crowd *crowd, struct crowd_member *member)
{
	struct crowd_group *group = member->group;

	if (!group)
		return;
	member->group = NULL;
	list_remove(&member->node);
	if (--group->count == 0)
		group_free(crowd, group);
	else
		settle(crowd, group);
}

struct crowd_member *
crowd_eldest(const struct crowd *crowd)
{
	const struct crowd_group *group;

	for (int i = CROWD_LEVELS - 1; i >= 0; i--) {
		if (list_empty(&crowd->levels[i]))
			continue;
		group = LIST_FIRST(&crowd->levels[i], struct crowd_group, node);
		return LIST_FIRST(&group->members, struct crowd_member, node);
	}
	return NULL;
}
