/* SPDX-License-Identifier: MIT */
#include "analyticsd/room_forms.h"

#include "analyticsd/forms_recount.h"

void
room_attach(struct forms *forms, struct room *room, struct hot_form *hot)
{
	room->hot = hot;
	room->known = forms_is_known(hot);
	forms_watch(forms, hot, room);
}

void
rooms_detach(struct interest *interest, struct forms *forms)
{
	struct room *room = NULL;

	while ((room = interest_next(interest, room)) != NULL) {
		if (room->hot != NULL)
			forms_watch(forms, room->hot, NULL);
		room->hot = NULL;
	}
}

int
rooms_attach(struct interest *interest, struct forms *forms, int64_t now_ms)
{
	struct room *room = NULL;
	struct hot_form *hot;

	while ((room = interest_next(interest, room)) != NULL) {
		bool was_known = room->known;
		int found = forms_find(forms, &room->id, now_ms, &hot);
		if (found < 0)
			return -1;
		if (found > 0)
			room_attach(forms, room, hot);
		/* A form that is gone must still be told of as such. */
		room->known = was_known;
		forms_trim(forms);
	}
	return 0;
}
