/* SPDX-License-Identifier: MIT */
/*
 * Commands on sessions and transactions: manual, "Sessions Commands"; and connectionStatus.
 */
#include "tests/mongo/command.h"
#include "tests/mongo/cursor.h"

#include <string.h>
#include <sys/random.h>

int
cmd_connection_status(struct cmd *c)
{
	const char *user = c->auth->done ? c->srv->opt.user : NULL;
	bson_t info, arr, sub;

	bson_append_document_begin(c->reply, "authInfo", -1, &info);
	bson_append_array_begin(&info, "authenticatedUsers", -1, &arr);
	if (user) {
		bson_append_document_begin(&arr, "0", 1, &sub);
		bson_append_utf8(&sub, "user", -1, user, -1);
		bson_append_utf8(&sub, "db", -1, "admin", -1);
		bson_append_document_end(&arr, &sub);
	}
	bson_append_array_end(&info, &arr);
	bson_append_array_begin(&info, "authenticatedUserRoles", -1, &arr);
	if (user) {
		bson_append_document_begin(&arr, "0", 1, &sub);
		bson_append_utf8(&sub, "role", -1, "root", -1);
		bson_append_utf8(&sub, "db", -1, "admin", -1);
		bson_append_document_end(&arr, &sub);
	}
	bson_append_array_end(&info, &arr);
	bson_append_document_end(c->reply, &info);
	return 0;
}

int
cmd_start_session(struct cmd *c)
{
	uint8_t id[16];
	bson_t sub;

	if (getrandom(id, sizeof id, 0) != sizeof id)
		return fail_set(&c->fail, 1, "no random bytes");
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
	bson_append_document_begin(c->reply, "id", -1, &sub);
	bson_append_binary(&sub, "id", -1, BSON_SUBTYPE_UUID, id, sizeof id);
	bson_append_document_end(c->reply, &sub);
	bson_append_int32(c->reply, "timeoutMinutes", -1, 30);
	return 0;
}

int
cmd_end_sessions(struct cmd *c)
{
	bson_iter_t it;

	if (bson_get(c->body, c->name, &it))
		sessions_end(c->srv, &it);
	return 0;
}

/* Ends the sessions and their cursors; an empty list means all. */
int
cmd_kill_sessions(struct cmd *c)
{
	struct cursor *cur, *tmp;
	bson_iter_t it, e;
	bson_t view;

	if (!bson_get(c->body, c->name, &it) || !BSON_ITER_HOLDS_ARRAY(&it))
		return fail_set(&c->fail, 14, "%s needs an array", c->name);
	HASH_ITER (hh, c->srv->cursors, cur, tmp) {
		bool hit = bson_iter_recurse(&it, &e) && !bson_iter_next(&e);

		for (bson_iter_recurse(&it, &e); !hit && cur->lsid && bson_iter_next(&e);)
			hit = iter_view(&e, &view) && view.len <= cur->lsid->len &&
			    bson_get(&view, "id", &e) &&
			    memmem(cur->lsid->data, cur->lsid->len, bson_get_data(&view) + 4,
				view.len - 5);
		if (hit)
			cursor_kill(c->srv, cur);
	}
	sessions_end(c->srv, &it);
	return 0;
}

int
cmd_commit_transaction(struct cmd *c)
{
	if (!c->session)
		return fail_set(
		    &c->fail, 125, "commitTransaction must be run within a transaction");
	return session_commit(c->srv, c->session, &c->fail);
}

int
cmd_abort_transaction(struct cmd *c)
{
	if (!c->session)
		return fail_set(&c->fail, 125, "abortTransaction must be run within a transaction");
	return session_abort(c->session, &c->fail);
}
