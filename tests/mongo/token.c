/* SPDX-License-Identifier: MIT */
#include "tests/mongo/token.h"

#include <ctype.h>
#include <string.h>

/* Type bytes of the server's KeyString format. */
enum {
	KEY_END = 0x04,
	KEY_ZERO = 0x29,
	KEY_INT_1 = 0x2b,
	KEY_INT_2 = 0x2c,
	KEY_INT_3 = 0x2d,
	KEY_INT_4 = 0x2e,
	KEY_OBJECT = 0x46,
	KEY_BINARY = 0x5a,
	KEY_OID = 0x64,
	KEY_FALSE = 0x6e,
	KEY_TRUE = 0x6f,
	KEY_TIMESTAMP = 0x82,
};

#define TOKEN_VERSION 1
#define TYPE_EVENT 128

struct bytes {
	uint8_t at[TOKEN_TEXT / 2];
	size_t n;
};

static void
put(struct bytes *b, unsigned v)
{
	if (b->n < sizeof b->at)
		b->at[b->n++] = (uint8_t)v;
}

static void
put_all(struct bytes *b, const uint8_t *p, size_t n)
{
	while (n--)
		put(b, *p++);
}

/* A non-negative integer: a type byte that tells the length, then the value shifted by one. */
static void
put_int(struct bytes *b, uint32_t v)
{
	uint64_t s = (uint64_t)v << 1;
	int n = s < 0x100 ? 1 : s < 0x10000 ? 2 : s < 0x1000000 ? 3 : 4;

	if (!v) {
		put(b, KEY_ZERO);
		return;
	}
	put(b, KEY_ZERO + 1u + (unsigned)n);
	while (n--)
		put(b, (unsigned)(s >> (8 * n)) & 0xff);
}

static void
put_head(struct bytes *b, uint64_t ts, int type, uint32_t txn_index, bool invalidate)
{
	put(b, KEY_TIMESTAMP);
	for (int i = 7; i >= 0; i--)
		put(b, (unsigned)(ts >> (8 * i)) & 0xff);
	put_int(b, TOKEN_VERSION);
	put_int(b, (uint32_t)type);
	put_int(b, txn_index);
	put(b, invalidate ? KEY_TRUE : KEY_FALSE);
}

static void
to_hex(const struct bytes *b, char out[TOKEN_TEXT])
{
	static const char digits[] = "0123456789ABCDEF";
	size_t i;

	for (i = 0; i < b->n && 2 * i + 2 < TOKEN_TEXT; i++) {
		out[2 * i] = digits[b->at[i] >> 4];
		out[2 * i + 1] = digits[b->at[i] & 15];
	}
	out[2 * i] = 0;
}

void
token_high_water(uint64_t ts, char out[TOKEN_TEXT])
{
	struct bytes b = {.n = 0};

	put_head(&b, ts, 0, 0, false);
	put(&b, KEY_END);
	to_hex(&b, out);
}

/* An ObjectId as the server writes it; any other _id as a 64-bit digest of its BSON: the token
 * is unique without it, and stays short. */
static void
put_key(struct bytes *b, const struct doc *key)
{
	uint64_t h = 14695981039346656037ULL;
	bson_iter_t it;
	bson_t view;

	doc_view(key, &view);
	put(b, KEY_OBJECT);
	if (bson_get(&view, "_id", &it) && BSON_ITER_HOLDS_OID(&it)) {
		put(b, KEY_OID);
		put_all(b, (const uint8_t *)"_id", 4);
		put(b, KEY_OID);
		put_all(b, bson_iter_oid(&it)->bytes, 12);
	} else {
		for (uint32_t i = 0; i < key->len; i++)
			h = (h ^ key->data[i]) * 1099511628211ULL;
		put(b, KEY_BINARY);
		put_all(b, (const uint8_t *)"_id", 4);
		put(b, KEY_BINARY);
		put(b, 8);
		put(b, 0);
		for (int i = 7; i >= 0; i--)
			put(b, (unsigned)(h >> (8 * i)) & 0xff);
	}
	put(b, 0);
}

void
token_event(const struct entry *e, bool invalidate, char out[TOKEN_TEXT])
{
	struct bytes b = {.n = 0};

	put_head(&b, e->ts, TYPE_EVENT, e->txn_index, invalidate);
	if (e->ns && e->ns->has_uuid) {
		put(&b, KEY_BINARY);
		put(&b, 16);
		put(&b, 4);
		put_all(&b, e->ns->uuid, 16);
		if (e->key)
			put_key(&b, e->key);
	}
	put(&b, KEY_END);
	to_hex(&b, out);
}

void
token_fragment(const char *event, uint32_t fragment, char out[TOKEN_TEXT])
{
	struct bytes b = {.n = 0};
	size_t n = strlen(event) - 2; /* without its KEY_END */

	put_int(&b, fragment);
	put(&b, KEY_END);
	to_hex(&b, out);
	memmove(out + n, out, strlen(out) + 1);
	memcpy(out, event, n);
}

static int
hex_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = tolower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct reader {
	const uint8_t *at;
	size_t left;
};

static int
take(struct reader *r)
{
	if (!r->left)
		return -1;
	r->left--;
	return *r->at++;
}

/* -1 where there is no non-negative integer. */
static int64_t
take_int(struct reader *r)
{
	int t = take(r), c;
	int64_t v = 0;

	if (t == KEY_ZERO)
		return 0;
	if (t < KEY_INT_1 || t > KEY_INT_4)
		return -1;
	for (int n = t - KEY_ZERO - 1; n > 0; n--) {
		if ((c = take(r)) < 0)
			return -1;
		v = v << 8 | c;
	}
	return v >> 1;
}

static void
skip(struct reader *r, size_t n)
{
	n = n < r->left ? n : r->left;
	r->at += n;
	r->left -= n;
}

/* What put_key() has put, if it has. */
static void
skip_key(struct reader *r)
{
	if (r->left && r->at[0] == KEY_OBJECT) {
		bool oid = r->left > 1 && r->at[1] == KEY_OID;

		skip(r, oid ? 1 + 5 + 1 + 12 + 1 : 1 + 5 + 3 + 8 + 1);
	}
}

static int
read_token(struct reader *r, struct token *out, struct fail *f)
{
	int64_t v;
	int c;

	memset(out, 0, sizeof *out);
	if (take(r) != KEY_TIMESTAMP)
		return fail_set(f, 40649, "invalid empty resume token");
	for (int i = 0; i < 8; i++) {
		if ((c = take(r)) < 0)
			return fail_set(f, 50810, "KeyString ends in its middle");
		out->ts = out->ts << 8 | (unsigned)c;
	}
	if (take_int(r) != TOKEN_VERSION)
		return fail_set(f, 50795, "Invalid Resume Token: only supports version 1");
	if ((v = take_int(r)) != 0 && v != TYPE_EVENT)
		return fail_set(f, 51057, "Token type %lld not recognized", (long long)v);
	out->event = v == TYPE_EVENT;
	if ((v = take_int(r)) < 0)
		return fail_set(f, 50794, "Invalid Resume Token: txnOpIndex");
	out->txn_index = (uint32_t)v;
	c = take(r);
	if (c != KEY_TRUE && c != KEY_FALSE)
		return fail_set(f, 50870, "Resume Token fromInvalidate is not a boolean.");
	out->from_invalidate = c == KEY_TRUE;
	if (r->left >= 19 && r->at[0] == KEY_BINARY && r->at[1] == 16 && r->at[2] == 4) {
		memcpy(out->uuid, r->at + 3, 16);
		out->has_uuid = true;
		skip(r, 19);
	}
	skip_key(r);
	v = take_int(r);
	out->has_fragment = v >= 0;
	out->fragment = v >= 0 ? (uint32_t)v : 0;
	return 0;
}

int
token_parse(const bson_t *doc, struct token *out, struct fail *f)
{
	uint8_t raw[TOKEN_TEXT] = {0};
	const char *text = bson_str(doc, "_data");
	struct reader r;
	size_t n;

	if (!text)
		return fail_set(f, 40647,
		    "Bad resume token: _data of missing or of wrong type. Expected string");
	n = strlen(text);
	/* A KeyString longer than any of ours is none that this server gave out. */
	if (n % 2 || n >= TOKEN_TEXT)
		return fail_set(f, 9, "resume token string was not a valid hex string");
	for (size_t i = 0; i < n; i += 2) {
		int hi = hex_value((unsigned char)text[i]);
		int lo = hex_value((unsigned char)text[i + 1]);

		if (hi < 0 || lo < 0)
			return fail_set(f, 9, "resume token string was not a valid hex string");
		raw[i / 2] = (uint8_t)(hi << 4 | lo);
	}
	r.at = raw;
	r.left = n / 2;
	return read_token(&r, out, f);
}

int
token_compare(const struct token *t, const struct entry *e, bool invalidate)
{
	if (t->ts != e->ts)
		return t->ts < e->ts ? -1 : 1;
	if (!t->event)
		return -1;
	if (t->txn_index != e->txn_index)
		return t->txn_index < e->txn_index ? -1 : 1;
	return (int)t->from_invalidate - (int)invalidate;
}
