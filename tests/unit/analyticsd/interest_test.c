/* SPDX-License-Identifier: MIT */
#include "analyticsd/interest.h"

#include <string.h>

#include "analyticsd/interest_message.h"
#include "tests/unit/unit.h"

static struct form_id
id_of(unsigned char n)
{
	struct form_id id = {{0}};

	id.bytes[11] = n;
	return id;
}

TEST(interest_sums_viewers_over_links)
{
	struct interest *interest = interest_new(2);
	struct form_id id = id_of(1), other = id_of(2);
	struct room *room = interest_opened(interest, 0, &id, 3);

	CHECK(interest_opened(interest, 1, &id, 4) == room);
	CHECK_INT(room->viewers, 7);
	interest_viewers(interest, 1, &id, 1);
	interest_viewers(interest, 1, &other, 9); /* no such room */
	CHECK_INT(room->viewers, 4);
	CHECK_INT(interest_total_viewers(interest), 4);
	CHECK_INT(interest_rooms(interest), 1);
	CHECK(!interest_closed(interest, 0, room));
	CHECK_INT(room->viewers, 1);
	interest_viewers(interest, 0, &id, 5); /* not open there any more */
	CHECK_INT(room->viewers, 1);
	CHECK(interest_closed(interest, 1, room));
	interest_drop(interest, &room);
	CHECK(room == NULL);
	CHECK_INT(interest_rooms(interest), 0);
	CHECK_INT(interest_total_viewers(interest), 0);
	interest_free(&interest);
}

TEST(interest_opened_again_changes_the_viewers)
{
	struct interest *interest = interest_new(1);
	struct form_id id = id_of(1);
	struct room *room = interest_opened(interest, 0, &id, 3);

	CHECK(interest_opened(interest, 0, &id, 2) == room);
	CHECK_INT(room->viewers, 2);
	interest_free(&interest);
}

TEST(interest_is_walked)
{
	struct interest *interest = interest_new(1);
	unsigned seen = 0;

	for (unsigned char n = 0; n < 5; n++) {
		struct form_id id = id_of(n);
		interest_opened(interest, 0, &id, 1);
	}
	struct room *next;
	for (struct room *room = interest_next(interest, NULL); room != NULL; room = next) {
		next = interest_next(interest, room);
		seen += 1U << room->id.bytes[11];
		CHECK(interest_closed(interest, 0, room));
		interest_drop(interest, &room);
	}
	CHECK_INT(seen, 31);
	interest_free(&interest);
}

static int
read_text(struct interest_message *message, const char *text)
{
	const char *why = NULL;
	int result = interest_read(message, text, strlen(text), &why);

	CHECK((result < 0) == (why != NULL));
	return result;
}

#define ID "60F7B1B9e1234567890abcde"

TEST(interest_message_is_read)
{
	struct interest_message m;

	CHECK(read_text(&m, "{\"type\":\"room:opened\",\"formId\":\"" ID "\",\"viewers\":7}") == 0);
	CHECK_INT(m.type, INTEREST_OPENED);
	CHECK_INT(m.viewers, 7);
	CHECK_INT(m.form.bytes[0], 0x60);
	CHECK(
	    read_text(&m, "{\"viewers\":0,\"formId\":\"" ID "\",\"type\":\"room:viewers\"}") == 0);
	CHECK_INT(m.type, INTEREST_VIEWERS);
	CHECK(read_text(&m, "{\"type\":\"room:closed\",\"formId\":\"" ID "\"}") == 0);
	CHECK_INT(m.type, INTEREST_CLOSED);
	CHECK_INT(m.viewers, 0);
	CHECK(read_text(&m, "{\"type\":\"room:painted\",\"colour\":[1,2,{}]}") == 0);
	CHECK_INT(m.type, INTEREST_OTHER);
}

TEST(interest_message_without_sense_is_refused)
{
	static const char *const bad[] = {
	    "",
	    "7",
	    "[]",
	    "{}",
	    "{\"type\":7}",
	    "{\"type\":\"room:opened\"}",
	    "{\"type\":\"room:opened\",\"formId\":\"" ID "\"}",
	    "{\"type\":\"room:opened\",\"formId\":\"" ID "\",\"viewers\":-1}",
	    "{\"type\":\"room:opened\",\"formId\":\"" ID "\",\"viewers\":1.5}",
	    "{\"type\":\"room:opened\",\"formId\":\"" ID "\",\"viewers\":4294967296}",
	    "{\"type\":\"room:opened\",\"formId\":\"" ID "0\",\"viewers\":1}",
	    "{\"type\":\"room:closed\",\"formId\":\"zzf7b1b9e1234567890abcde\"}",
	    "{\"type\":\"room:closed\",\"formId\":\"" ID "\"",
	};
	struct interest_message m;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(read_text(&m, bad[i]) < 0);
}
