/* SPDX-License-Identifier: MIT */
/* room_forms: which form each watched room is about, so that forms can be exchanged under the rooms
 * (analyticsd/states.h). */
#ifndef ANALYTICSD_ROOM_FORMS_H
#define ANALYTICSD_ROOM_FORMS_H

#include "analyticsd/forms.h"
#include "analyticsd/interest.h"

void room_attach(struct forms *forms, struct room *room, struct hot_form *hot);
/* No room has a form any more. */
void rooms_detach(struct interest *interest, struct forms *forms);
/* All rooms get theirs from here; what their links were told last stays noted. -1 with the
 * store's errno. */
MUST_CHECK int rooms_attach(struct interest *interest, struct forms *forms, int64_t now_ms);

#endif
