/* SPDX-License-Identifier: MIT */
#include "wsfand/cidr.h"

#include <string.h>

#include "lib/mem.h"
#include "lib/num.h"

#define ALLOWED                                                                                 \
	"a list, separated by commas, of networks such as 10.0.0.0/8 or 2001:db8::/32, single " \
	"addresses, or unix"
#define V4_OFFSET 96 /* where an IPv4 prefix begins in the mapped form */

static int
parse_network(struct cidr *cidr, const char *text, size_t length)
{
	const char *slash = memchr(text, '/', length);
	size_t host = slash != NULL ? (size_t)(slash - text) : length;
	uint64_t bits;

	if (address_parse(&cidr->base, text, host) < 0)
		return -1;
	bool v4 = memchr(text, ':', host) == NULL;
	uint64_t most = v4 ? 32 : 128;
	if (slash == NULL)
		bits = most;
	else if (num_parse_u64(slash + 1, length - host - 1, &bits) < 0 || bits > most)
		return -1;
	cidr->bits = (uint8_t)(bits + (v4 ? V4_OFFSET : 0));
	return 0;
}

/* One item, the white space around it gone. */
static int
parse_item(struct cidr_list *list, const char *text, size_t length)
{
	struct cidr cidr;

	while (length > 0 && *text == ' ') {
		text++;
		length--;
	}
	while (length > 0 && text[length - 1] == ' ')
		length--;
	if (length == strlen("unix") && memcmp(text, "unix", length) == 0) {
		list->with_unix = true;
		return 0;
	}
	if (list->count == CIDR_MAX || parse_network(&cidr, text, length) < 0)
		return -1;
	list->items = mem_array(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = cidr;
	return 0;
}

int
cidr_list_parse(struct cidr_list *list, const char *text)
{
	*list = (struct cidr_list){0};
	while (text != NULL && *text != '\0') {
		size_t length = strcspn(text, ",");
		bool more = text[length] == ',';
		if (parse_item(list, text, length) < 0 || (more && text[length + 1] == '\0')) {
			cidr_list_free(list);
			return -1;
		}
		text += length + more;
	}
	return 0;
}

static bool
covers(const struct cidr *cidr, const struct address *address)
{
	size_t whole = cidr->bits / 8;
	uint8_t mask = (uint8_t)(0xff00 >> cidr->bits % 8);

	if (cidr->bits < V4_OFFSET && address_is_v4(address))
		return false;
	if (memcmp(cidr->base.bytes, address->bytes, whole) != 0)
		return false;
	return whole == ADDRESS_BYTES ||
	    ((cidr->base.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

bool
cidr_list_has(const struct cidr_list *list, const struct address *address)
{
	if (address_is_none(address))
		return list->with_unix;
	for (size_t i = 0; i < list->count; i++)
		if (covers(&list->items[i], address))
			return true;
	return false;
}

void
cidr_list_free(struct cidr_list *list)
{
	MEM_FREE(&list->items);
	*list = (struct cidr_list){0};
}

const char *
cidr_check(const char *text)
{
	struct cidr_list list;

	if (cidr_list_parse(&list, text) < 0)
		return ALLOWED;
	cidr_list_free(&list);
	return NULL;
}
