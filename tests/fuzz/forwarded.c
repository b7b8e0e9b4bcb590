/* SPDX-License-Identifier: MIT */
/* The first line is a list of trusted networks, the rest header fields, from a peer in one of
 * them and from a stranger. */
#include "wsfand/forwarded.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

#define REQUEST "GET / HTTP/1.1\r\nHost: a\r\n"
#define MAX_INPUT 8192

static void
check_address(const struct address *address)
{
	char text[ADDRESS_TEXT];
	struct address again;

	address_format(address, text);
	if (address_is_none(address))
		return;
	FUZZ_CHECK(address_parse(&again, text, strlen(text)) == 0);
	FUZZ_CHECK(address_equal(address, &again));
	FUZZ_CHECK(address_network(address) != 0);
}

static void
check_client(const struct http_head *head, const struct cidr_list *list)
{
	static const uint8_t proxy[] = {10, 0, 0, 1}, stranger[] = {192, 0, 2, 1};
	struct address trusted = address_from_v4(proxy), other = address_from_v4(stranger);
	struct address client = forwarded_client(head, list, &trusted);

	check_address(&client);
	FUZZ_CHECK(!address_is_none(&client));
	if (!cidr_list_has(list, &trusted))
		FUZZ_CHECK(address_equal(&client, &trusted));
	client = forwarded_client(head, list, &other);
	if (!cidr_list_has(list, &other))
		FUZZ_CHECK(address_equal(&client, &other));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char networks[MAX_INPUT + 1], request[MAX_INPUT + sizeof(REQUEST)];
	const uint8_t *newline = memchr(data, '\n', size);
	struct cidr_list list;
	struct http_head head;
	const char *error;

	if (newline == NULL || size > MAX_INPUT)
		return 0;
	size_t line = (size_t)(newline - data), rest = size - line - 1;
	memcpy(networks, data, line);
	networks[line] = '\0';
	if (cidr_list_parse(&list, networks) < 0) {
		FUZZ_CHECK(list.count == 0 && list.items == NULL);
		FUZZ_CHECK(cidr_list_parse(&list, "10.0.0.0/8,2001:db8::/32") == 0);
	}
	memcpy(request, REQUEST, strlen(REQUEST));
	memcpy(request + strlen(REQUEST), newline + 1, rest);
	if (http_head_parse(&head, request, strlen(REQUEST) + rest, &error) > 0)
		check_client(&head, &list);
	cidr_list_free(&list);
	return 0;
}
