/* SPDX-License-Identifier: MIT */
#include "lib/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/die.h"
#include "lib/json_scan.h"
#include "tests/unit/lib/capture.h"
#include "tests/unit/unit.h"

static struct captured got;

static void
write_levels(void)
{
	log_debug("not shown");
	log_info("one %d", 1);
	log_warn("two");
	log_error("three");
	log_init("wsfand", LOG_DEBUG, LOG_TEXT);
	log_debug("shown");
	log_init("wsfand", LOG_ERROR, LOG_TEXT);
	log_warn("not shown");
}

TEST(log_writes_the_levels_that_are_wanted)
{
	capture(&got, write_levels);
	CHECK_STRING(got.err, "INFO: one 1\nWARN: two\nERROR: three\nDEBUG: shown\n");
	CHECK_STRING(log_program(), "dune");
	CHECK(log_enabled(LOG_INFO));
	CHECK(!log_enabled(LOG_DEBUG));
}

static void
write_strange(void)
{
	log_info(
	    "a\nb\tc\x7f \xff\xc3 gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8f\x9c \xc2\x9b \"\\");
}

TEST(log_escapes_what_is_not_printable)
{
	capture(&got, write_strange);
	CHECK_STRING(got.err,
	    "INFO: a\\x0Ab\\x09c\\x7F \\xFF\\xC3 gr\xc3\xbc\xc3\x9f \xe2\x82\xac "
	    "\xf0\x9f\x8f\x9c \\xC2\\x9B \"\\\n");
}

static void
write_strange_json(void)
{
	log_init("stat\"sd", LOG_INFO, LOG_JSON);
	write_strange();
}

TEST(log_json_lines_are_valid)
{
	struct json_member members[] = {
	    {.name = "level"}, {.name = "program"}, {.name = "message"}};
	capture(&got, write_strange_json);
	CHECK_INT(json_scan_object(got.err, strlen(got.err), members, 3, NULL), 0);
	CHECK_BYTES(members[0].value, members[0].length, "INFO", 4);
	CHECK_BYTES(members[1].value, members[1].length, "stat\\\"sd", 8);
	CHECK(strncmp(members[2].value, "a\\\\x0Ab\\\\x09c", 13) == 0);
}

static void
write_long(void)
{
	static char text[10000];
	memset(text, 'x', sizeof(text) - 1);
	log_info("%s", text);
	memset(text, '\n', sizeof(text) - 1);
	log_info("%s", text);
	log_init("p", LOG_INFO, LOG_JSON);
	memset(text, '"', sizeof(text) - 1);
	log_info("%s", text);
}

/* So much time, for the limit. */
static void
pass(struct log_limit *limit, uint64_t ms)
{
	limit->refilled_ms -= ms;
}

static void
write_limited_json(void)
{
	static struct log_limit limit = LOG_LIMIT(1, 60000);
	log_init("wsfand", LOG_INFO, LOG_JSON);
	log_limited(&limit, LOG_WARN, "bad");
	log_set_instance(2);
	log_limited(&limit, LOG_WARN, "bad");
	log_limited(&limit, LOG_WARN, "bad");
	pass(&limit, 60000);
	log_limited(&limit, LOG_WARN, "again");
}

/* What is behind `name` in `line`, a number, -1 where there is none. */
static long
number_behind(const char *line, const char *name)
{
	const char *at = strstr(line, name);
	return at != NULL ? strtol(at + strlen(name), NULL, 10) : -1;
}

TEST(log_json_lines_tell_what_they_are_of)
{
	capture(&got, write_limited_json);
	char *second = strchr(got.err, '\n');
	CHECK(second != NULL);
	*second++ = '\0';
	CHECK_INT(json_scan_object(got.err, strlen(got.err), NULL, 0, NULL), 0);
	CHECK_INT(json_scan_object(second, strlen(second), NULL, 0, NULL), 0);
	CHECK(number_behind(got.err, "\"pid\":") > 1);
	CHECK_INT(number_behind(second, "\"pid\":"), number_behind(got.err, "\"pid\":"));
	CHECK_INT(number_behind(got.err, "\"instance\":"), -1);
	CHECK_INT(number_behind(second, "\"instance\":"), 2);
	CHECK_INT(number_behind(got.err, "\"held_back\":"), -1);
	CHECK_INT(number_behind(second, "\"held_back\":"), 2);
	CHECK(strstr(second, ",\"message\":\"again\"}\n") != NULL);
}

TEST(log_cuts_long_lines)
{
	capture(&got, write_long);
	char *line = got.err;
	for (int i = 0; i < 3; i++) {
		size_t length = strcspn(line, "\n");
		CHECK(line[length] == '\n');
		CHECK(length <= 2048 && length > 2030);
		const char *end = i < 2 ? "..." : "...\"}";
		CHECK(memcmp(line + length - strlen(end), end, strlen(end)) == 0);
		if (i == 2)
			CHECK_INT(json_scan_object(line, length, NULL, 0, NULL), 0);
		line += length + 1;
	}
	CHECK_STRING(line, "");
}

static void
write_limited(void)
{
	static struct log_limit limit = LOG_LIMIT(2, 60000);
	for (int i = 0; i < 10; i++)
		log_limited(&limit, LOG_WARN, "bad %d", i);
	/* Below the level: nothing is written, counted or used up. */
	log_limited(&limit, LOG_DEBUG, "silent");
	pass(&limit, 60000);
	log_limited(&limit, LOG_WARN, "again");
	pass(&limit, 150000);
	log_limited(&limit, LOG_WARN, "rested");
}

TEST(log_limited_counts_what_it_held_back)
{
	capture(&got, write_limited);
	CHECK_STRING(got.err,
	    "WARN: bad 0\nWARN: bad 1\n"
	    "WARN: again (8 like this held back)\nWARN: rested\n");
}

static void
keep_errno(void)
{
	errno = EBADMSG;
	log_info("x");
	CHECK_INT(errno, EBADMSG);
}

TEST(log_keeps_errno)
{
	capture(&got, keep_errno);
	CHECK_INT(got.status, 0);
}

static void
die_of_usage(void)
{
	log_init("wsfand", LOG_INFO, LOG_TEXT);
	die_usage("DUNE_%s: \"%s\"", "X", "y");
}

static void
die_of_system(void)
{
	log_init("wsfand", LOG_INFO, LOG_TEXT);
	errno = EADDRINUSE;
	die_system("unable to bind %s", "/run/x");
}

static void
die_without_errno(void)
{
	errno = 0;
	die_system("that was it");
}

TEST(die_speaks_one_grammar)
{
	capture(&got, die_of_usage);
	CHECK_INT(got.status, 100);
	CHECK_STRING(got.err, "ERROR: wsfand: fatal: DUNE_X: \"y\"\n");
	capture(&got, die_of_system);
	CHECK_INT(got.status, 111);
	CHECK_STRING(
	    got.err, "ERROR: wsfand: fatal: unable to bind /run/x: Address already in use\n");
	capture(&got, die_without_errno);
	CHECK_INT(got.status, 111);
	CHECK_STRING(got.err, "ERROR: dune: fatal: that was it\n");
}
