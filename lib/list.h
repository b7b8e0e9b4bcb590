/* SPDX-License-Identifier: MIT */
/* list: an intrusive, circular, doubly linked list (as Wayland's wl_list). A
 * node that stands on no list points at itself after list_init/list_remove, so
 * list_remove is always safe on an initialised node. */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include <stdbool.h>

#include "lib/base.h"

struct list {
	struct list *prev, *next;
};

static inline void
list_init(struct list *list)
{
	list->prev = list->next = list;
}

static inline bool
list_empty(const struct list *list)
{
	return list->next == list;
}

/* Puts `node` behind `where`: list_insert(head, n) is "first". */
static inline void
list_insert(struct list *where, struct list *node)
{
	node->prev = where;
	node->next = where->next;
	where->next->prev = node;
	where->next = node;
}

/* Last of the list whose head is `head`. */
static inline void
list_append(struct list *head, struct list *node)
{
	list_insert(head->prev, node);
}

static inline void
list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* All nodes of `from` go to the end of `head`'s list, in their order; `from` is empty then. */
static inline void
list_splice(struct list *head, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = head->prev;
	from->prev->next = head;
	head->prev->next = from->next;
	head->prev = from->prev;
	list_init(from);
}

#define LIST_FIRST(head, type, member) container_of((head)->next, type, member)

#define LIST_FOR_EACH(node, head) \
	for (struct list *node = (head)->next; node != (head); node = node->next)

/* `node` itself may be removed (but not its successor) while going on. */
#define LIST_FOR_EACH_SAFE(node, head)                                                    \
	for (struct list *node = (head)->next, *node##_next = node->next; node != (head); \
	     node = node##_next, node##_next = node->next)

#endif
