/* SPDX-License-Identifier: MIT */
/*
 * saslStart, saslContinue, logout: specification "Authentication", SCRAM conversations.
 */
#include "tests/mongo/command.h"

#include <string.h>

static int
refused(struct cmd *c)
{
	auth_clear(c->auth);
	return fail_set(&c->fail, 18, "Authentication failed.");
}

static int
payload_read(struct cmd *c, const char **msg, size_t *len)
{
	bson_subtype_t type;
	const uint8_t *data;
	bson_iter_t it;
	uint32_t n;

	if (!bson_get(c->body, "payload", &it))
		return fail_set(&c->fail, 40414,
		    "BSON field '%s.payload' is missing but a required field", c->name);
	if (BSON_ITER_HOLDS_UTF8(&it)) {
		*msg = bson_iter_utf8(&it, &n);
	} else if (BSON_ITER_HOLDS_BINARY(&it)) {
		bson_iter_binary(&it, &type, &n, &data);
		*msg = (const char *)data;
	} else {
		return fail_set(
		    &c->fail, 14, "BSON field '%s.payload' is of the wrong type", c->name);
	}
	*len = n;
	return 0;
}

static void
reply_append(struct cmd *c, bool done, const char *payload)
{
	bson_append_int32(c->reply, "conversationId", -1, c->auth->id);
	bson_append_bool(c->reply, "done", -1, done);
	bson_append_binary(c->reply, "payload", -1, BSON_SUBTYPE_BINARY, (const uint8_t *)payload,
	    (uint32_t)strlen(payload));
}

int
cmd_sasl_start(struct cmd *c)
{
	const struct options *o = &c->srv->opt;
	const char *mech = bson_str(c->body, "mechanism"), *msg;
	bool sha256 = mech && strcmp(mech, "SCRAM-SHA-256") == 0;
	bool sha1 = mech && strcmp(mech, "SCRAM-SHA-1") == 0;
	bson_iter_t it;
	bson_t options;
	char out[1024];
	size_t len;

	if (!sha256 && !sha1)
		return fail_set(&c->fail, 334,
		    "Received authentication for mechanism %s which is "
		    "unsupported or not enabled",
		    mech ? mech : "(none)");
	if (payload_read(c, &msg, &len) < 0)
		return -1;
	/* The user is one of the admin database, and of no other. */
	if (!o->user || strcmp(c->db, "admin") != 0 ||
	    auth_first(c->auth, o->user, sha256, msg, len, out, sizeof out) < 0)
		return refused(c);
	c->auth->id = 1;
	if (bson_get(c->body, "options", &it) && iter_view(&it, &options))
		c->auth->skip_empty = bson_bool(&options, "skipEmptyExchange", false);
	reply_append(c, false, out);
	return 0;
}

int
cmd_sasl_continue(struct cmd *c)
{
	const struct options *o = &c->srv->opt;
	char out[256];
	const char *msg;
	size_t len;

	if (payload_read(c, &msg, &len) < 0)
		return -1;
	if (!c->auth->step || bson_number(c->body, "conversationId", 0) != c->auth->id)
		return fail_set(&c->fail, 17, "No SASL session state found");
	if (c->auth->step == 2) {
		if (len)
			return refused(c);
		c->auth->done = true;
		c->auth->step = 0;
		reply_append(c, true, "");
		return 0;
	}
	if (auth_last(c->auth, o->user, o->password, msg, len, out, sizeof out) < 0)
		return refused(c);
	c->auth->done = c->auth->skip_empty;
	reply_append(c, c->auth->skip_empty, out);
	if (c->auth->skip_empty)
		c->auth->step = 0;
	return 0;
}

int
cmd_logout(struct cmd *c)
{
	auth_clear(c->auth);
	return 0;
}
