/* SPDX-License-Identifier: MIT */
#include "wsfand/upgrade.h"

#include <string.h>

#include "lib/base.h"
#include "wsfand/origin.h"

#define PREFIX "/ws/forms/"
#define KEY_LENGTH 24 /* 16 bytes in base64 (RFC 6455, 4.1) */

static bool
is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    c == '+' || c == '/';
}

static bool
key_valid(struct slice key)
{
	if (key.length != KEY_LENGTH || memcmp(key.bytes + KEY_LENGTH - 2, "==", 2) != 0)
		return false;
	for (size_t i = 0; i < KEY_LENGTH - 2; i++) {
		if (!is_base64(key.bytes[i]))
			return false;
	}
	return true;
}

/* The only field of that name, or NULL. */
static const struct http_field *
only_field(const struct http_head *head, const char *name)
{
	const struct http_field *field = http_head_find(head, name, NULL);

	return field && http_head_find(head, name, field) ? NULL : field;
}

static enum verdict
judge_path(struct upgrade *upgrade, const struct http_head *head)
{
	size_t prefix = strlen(PREFIX);
	const char *id = head->path.bytes + prefix;
	size_t length = head->path.length - prefix;

	if (head->path.length < prefix || memcmp(head->path.bytes, PREFIX, prefix) != 0 ||
	    memchr(id, '/', length))
		return VERDICT_PATH;
	return form_id_parse(&upgrade->form, id, length) < 0 ? VERDICT_BAD_ID : VERDICT_SWITCH;
}

static enum verdict
malformed(struct upgrade *upgrade, const char *problem)
{
	upgrade->problem = problem;
	return VERDICT_MALFORMED;
}

static enum verdict
judge_handshake(struct upgrade *upgrade, const struct http_head *head)
{
	const struct http_field *version;

	if (!slice_equal(head->method, "GET"))
		return VERDICT_METHOD;
	if (!http_head_has_token(head, "Upgrade", "websocket") ||
	    !http_head_has_token(head, "Connection", "upgrade"))
		return VERDICT_UPGRADE;
	if (head->minor < 1)
		return malformed(upgrade, "a WebSocket handshake needs HTTP/1.1");
	version = only_field(head, "Sec-WebSocket-Version");
	if (!version || !slice_equal(version->value, "13"))
		return VERDICT_VERSION;
	upgrade->key = only_field(head, "Sec-WebSocket-Key");
	if (!upgrade->key || !key_valid(upgrade->key->value))
		return malformed(upgrade, "missing or invalid Sec-WebSocket-Key");
	version = http_head_find(head, "Content-Length", NULL);
	if (http_head_find(head, "Transfer-Encoding", NULL) ||
	    (version && !slice_equal(version->value, "0")))
		return malformed(upgrade, "a WebSocket handshake has no body");
	if (extension_negotiate(&upgrade->deflate, head) < 0)
		return malformed(upgrade, "malformed Sec-WebSocket-Extensions");
	return VERDICT_SWITCH;
}

static enum verdict
judge_origin(const struct http_head *head, const char *origins)
{
	static const struct slice nowhere = {"", 0};
	const struct http_field *origin = http_head_find(head, "Origin", NULL);
	const struct http_field *host = http_head_find(head, "Host", NULL);

	if (!origin)
		return VERDICT_SWITCH;
	if (http_head_find(head, "Origin", origin) ||
	    !origin_allowed(origins, origin->value, host ? host->value : nowhere))
		return VERDICT_ORIGIN;
	return VERDICT_SWITCH;
}

enum verdict
upgrade_judge(struct upgrade *upgrade, const struct http_head *head, const char *origins)
{
	enum verdict verdict;

	*upgrade = (struct upgrade){.key = NULL};
	verdict = judge_path(upgrade, head);
	if (verdict == VERDICT_SWITCH)
		verdict = judge_handshake(upgrade, head);
	if (verdict == VERDICT_SWITCH)
		verdict = judge_origin(head, origins);
	return verdict;
}
