/* SPDX-License-Identifier: MIT */
#include "wsfand/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/base.h"
#include "tests/unit/unit.h"
#include "tests/unit/texts.h"
#include "wsfand/cidr.h"

static struct address
address_of(const char *text)
{
	struct address address;

	if (address_parse(&address, text, strlen(text)) < 0)
		unit_fail(__FILE__, __LINE__, "no address: %s", text);
	return address;
}

TEST(address_reads_and_writes)
{
	static const char *const cases[][2] = {
	    {"192.0.2.1", "192.0.2.1"},
	    {"::ffff:192.0.2.1", "192.0.2.1"},
	    {"::FFFF:c000:0201", "192.0.2.1"},
	    {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
	    {"::1", "::1"},
	    {"::", "unix"},
	};
	static const char *const bad[] = {"", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256",
	    " 1.2.3.4", "1.2.3.4 ", "1.2.3.4:80", "[::1]", "fe80::1%eth0", "1::2::3", ":",
	    "12345::", "1111:2222:3333:4444:5555:6666:123.123.123.123:1111:2222:3333"};
	char text[ADDRESS_TEXT];
	struct address address;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		address = address_of(cases[i][0]);
		CHECK_STRING(address_format(&address, text), cases[i][1]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (address_parse(&address, bad[i], strlen(bad[i])) == 0)
			unit_fail(__FILE__, __LINE__, "taken: %s", bad[i]);
	CHECK_INT(address_parse(&address, "1.2.3.4\0", 8), -1);
}

TEST(address_of_sockets)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr local = {.sa_family = AF_UNIX};
	struct address address, wanted = address_of("192.0.2.7");

	inet_pton(AF_INET, "192.0.2.7", &v4.sin_addr);
	address = address_from_socket((struct sockaddr *)&v4, sizeof(v4));
	CHECK(address_equal(&address, &wanted));
	CHECK(address_is_v4(&address));
	inet_pton(AF_INET6, "::ffff:192.0.2.7", &v6.sin6_addr);
	address = address_from_socket((struct sockaddr *)&v6, sizeof(v6));
	CHECK(address_equal(&address, &wanted));
	inet_pton(AF_INET6, "2001:db8::7", &v6.sin6_addr);
	address = address_from_socket((struct sockaddr *)&v6, sizeof(v6));
	CHECK(!address_is_v4(&address) && !address_is_none(&address));
	address = address_from_socket(&local, 2);
	CHECK(address_is_none(&address));
}

static uint64_t
network_of(const char *text)
{
	struct address address = address_of(text);

	return address_network(&address);
}

TEST(address_networks)
{
	CHECK(network_of("192.0.2.1") == network_of("::ffff:192.0.2.1"));
	CHECK(network_of("192.0.2.1") != network_of("192.0.2.2"));
	CHECK(network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9"));
	CHECK(network_of("2001:db8:1:2::1") != network_of("2001:db8:1:3::1"));
	CHECK(network_of("0.0.0.0") != 0);
	CHECK(network_of("::1") != 0);
	CHECK(network_of("::1") != network_of("0.0.0.1"));
	CHECK(network_of("::") == 0);
}

static bool
listed(const char *list, const char *text)
{
	struct cidr_list parsed;
	struct address address = address_of(text);

	if (cidr_list_parse(&parsed, list) < 0)
		unit_fail(__FILE__, __LINE__, "no list: %s", list);
	bool has = cidr_list_has(&parsed, &address);
	cidr_list_free(&parsed);
	return has;
}

TEST(cidr_covers)
{
	static const struct {
		const char *list, *address;
		bool covered;
	} cases[] = {
	    {"10.0.0.0/8", "10.255.1.2", true},
	    {"10.0.0.0/8", "11.0.0.0", false},
	    {"10.1.2.3/8", "10.9.9.9", true},
	    {"10.0.0.0/8", "::ffff:10.0.0.1", true},
	    {"::ffff:10.0.0.0/104", "10.0.0.1", true},
	    {"::ffff:10.0.0.1", "10.0.0.1", true},
	    {"192.0.2.128/25", "192.0.2.127", false},
	    {"192.0.2.128/25", "192.0.2.128", true},
	    {"192.0.2.1", "192.0.2.1", true},
	    {"192.0.2.1/32", "192.0.2.0", false},
	    {"192.0.2.1/31", "192.0.2.0", true},
	    {"0.0.0.0/0", "203.0.113.1", true},
	    {"0.0.0.0/0", "2001:db8::1", false},
	    {"::/0", "2001:db8::1", true},
	    {"::/0", "203.0.113.1", false},
	    {"::ffff:0:0/96", "203.0.113.1", true},
	    {"2001:db8::/33", "2001:db8:7fff::1", true},
	    {"2001:db8::/33", "2001:db8:8000::1", false},
	    {"::1", "::1", true},
	    {"::1/128", "::2", false},
	    {"10.0.0.0/8, 192.0.2.1 ,::1", "192.0.2.1", true},
	    {"10.0.0.0/8,192.0.2.1,::1", "::1", true},
	    {"10.0.0.0/8", "::", false},
	    {"unix", "::", true},
	    {"unix,10.0.0.0/8", "10.0.0.1", true},
	    {"0.0.0.0/0,::/0", "::", false},
	    {"", "10.0.0.1", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (listed(cases[i].list, cases[i].address) != cases[i].covered)
			unit_fail(__FILE__, __LINE__, "%s and %s", cases[i].list, cases[i].address);
}

TEST(cidr_refuses_other_lists)
{
	static const char *const bad[] = {",", "10.0.0.0/8,", ",10.0.0.0/8", "10.0.0.0/33",
	    "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129", "10.0.0/8", "proxy", "unix/8",
	    "10.0.0.0/8 192.0.2.1", "10.0.0.0/ 8", "[::1]", "10.0.0.1:80"};
	char many[CIDR_MAX * 8 + 16] = "1.1.1.1";
	struct cidr_list list = {.count = 1};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (cidr_check(bad[i]) == NULL)
			unit_fail(__FILE__, __LINE__, "taken: %s", bad[i]);
	text_append(many, sizeof(many), ",1.1.1.1", CIDR_MAX - 1);
	CHECK(cidr_check(many) == NULL);
	text_append(many, sizeof(many), ",1.1.1.1", 1);
	CHECK(cidr_check(many) != NULL);
	CHECK_INT(cidr_list_parse(&list, NULL), 0);
	CHECK_INT(list.count, 0);
}
