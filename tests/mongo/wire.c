/* SPDX-License-Identifier: MIT */
#include "tests/mongo/wire.h"

#include <string.h>

#define FLAG_CHECKSUM 1u
#define FLAG_MORE_TO_COME 2u
#define FLAGS_REQUIRED 0xffffu /* an unknown one of these is an error; others may be ignored */

static uint32_t
get_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return BSON_UINT32_FROM_LE(v);
}

static void
put_u32(uint8_t *p, uint32_t v)
{
	v = BSON_UINT32_TO_LE(v);
	memcpy(p, &v, 4);
}

int64_t
wire_length(const uint8_t *data, size_t len)
{
	uint32_t n;

	if (len < 4)
		return 0;
	n = get_u32(data);
	return n < WIRE_HEADER || n > MAX_MESSAGE_BYTES ? -1 : (int64_t)n;
}

/* The document at *p, which moves behind it. */
static bool
take_doc(const uint8_t **p, const uint8_t *end, bson_t *out)
{
	uint32_t n;

	if (end - *p < 5)
		return false;
	n = get_u32(*p);
	if (n > (size_t)(end - *p) || !bson_sound(*p, n) || !bson_init_static(out, *p, n))
		return false;
	*p += n;
	return true;
}

static bool
take_sequence(const uint8_t **p, const uint8_t *end, struct request *out)
{
	const uint8_t *stop, *nul, *q;
	uint32_t n;
	bson_t doc;

	if (end - *p < 5 || out->n_seqs == WIRE_SEQUENCES)
		return false;
	n = get_u32(*p);
	if (n < 5 || n > (size_t)(end - *p))
		return false;
	stop = *p + n;
	nul = memchr(*p + 4, 0, n - 4);
	if (!nul)
		return false;
	for (q = nul + 1; q < stop;)
		if (!take_doc(&q, stop, &doc))
			return false;
	out->seqs[out->n_seqs++] = (struct sequence){
	    (const char *)*p + 4, nul + 1, (size_t)(stop - nul - 1)};
	*p = stop;
	return true;
}

static bool
parse_msg(const uint8_t *p, const uint8_t *end, struct request *out)
{
	bool body = false;
	uint32_t flags;

	if (end - p < 5)
		return false;
	flags = get_u32(p);
	p += 4;
	if (flags & FLAGS_REQUIRED & ~(FLAG_CHECKSUM | FLAG_MORE_TO_COME))
		return false;
	if (flags & FLAG_CHECKSUM) {
		if (end - p < 4)
			return false;
		end -= 4;
	}
	out->more_to_come = flags & FLAG_MORE_TO_COME;
	while (p < end) {
		uint8_t kind = *p++;

		if (kind == 0 && !body)
			body = take_doc(&p, end, &out->body);
		else if (kind != 1 || !take_sequence(&p, end, out))
			return false;
		if (kind == 0 && !body)
			return false;
	}
	return body;
}

static bool
parse_query(const uint8_t *p, const uint8_t *end, struct request *out)
{
	const uint8_t *nul;

	if (end - p < 5)
		return false;
	p += 4;
	nul = memchr(p, 0, (size_t)(end - p));
	if (!nul || end - nul < 1 + 8)
		return false;
	out->legacy = true;
	out->ns = (const char *)p;
	p = nul + 9;
	return take_doc(&p, end, &out->body);
}

bool
wire_parse(const uint8_t *data, size_t len, struct request *out)
{
	const uint8_t *end = data + len;

	memset(out, 0, sizeof *out);
	out->id = (int32_t)get_u32(data + 4);
	switch (get_u32(data + 12)) {
	case WIRE_OP_MSG:
		return parse_msg(data + WIRE_HEADER, end, out);
	case WIRE_OP_QUERY:
		return parse_query(data + WIRE_HEADER, end, out);
	default:
		return false;
	}
}

uint8_t *
wire_reply(const struct request *r, int32_t id, const bson_t *body, size_t *len)
{
	size_t head = WIRE_HEADER + (r->legacy ? 20 : 5);
	uint8_t *out = bson_malloc0(head + body->len);

	*len = head + body->len;
	put_u32(out, (uint32_t)*len);
	put_u32(out + 4, (uint32_t)id);
	put_u32(out + 8, (uint32_t)r->id);
	put_u32(out + 12, r->legacy ? WIRE_OP_REPLY : WIRE_OP_MSG);
	if (r->legacy) {
		put_u32(out + 16, 8); /* AwaitCapable */
		put_u32(out + 32, 1); /* numberReturned */
	}
	memcpy(out + head, bson_get_data(body), body->len);
	return out;
}
