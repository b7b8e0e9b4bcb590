/* SPDX-License-Identifier: MIT */
/* dune-frame: lines of JSON to frames, and with -d frames to lines (docs/protocol.md,
 * "Frames"). A filter for pipes: what has been read in whole is written before
 * the next read may block. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base.h"
#include "lib/buf.h"
#include "lib/die.h"
#include "lib/env_value.h"
#include "lib/frame.h"
#include "lib/json_scan.h"
#include "lib/log.h"
#include "lib/version.h"

#define READ_BYTES 65536
#define OUT_BYTES 65536

struct settings {
	int64_t max_frame_bytes;
};

struct filter {
	size_t max; /* bytes of a payload */
	struct buf in, out;
	bool lazy; /* write only when `out` is full: nobody is waiting for it */
	uint64_t number; /* of the line or frame at the start of `in`, from 1 */
	uint64_t offset; /* of the first byte of `in` within the input */
};

static const struct setting table[] = {SETTING_ROW_NUMBER(DUNE_MAX_FRAME_BYTES, max_frame_bytes,
    "1048576", 1024, 67108864, "the longest frame, in bytes without its length")};

static const char usage[] =
    "usage: dune-frame [-d | --help | --version]\n"
    "\n"
    "dune-frame: turns lines of JSON on standard input into frames on standard output\n"
    "\n"
    "  -d         turns frames into lines\n"
    "  --help     prints this\n"
    "  --version  prints the version\n"
    "\n"
    "Settings, from the environment:\n"
    "\n"
    "  DUNE_MAX_FRAME_BYTES  the longest frame, in bytes without its length\n"
    "                        1024 to 67108864; default 1048576; now %s\n"
    "\n"
    "A frame is 4 bytes of length, big-endian, then that many bytes of one JSON object. Blank\n"
    "lines are skipped. Exit: 0, 100 for input or arguments that are wrong, 111 when the\n"
    "system fails.\n";

/* Only when read or write said EAGAIN: whoever shares our descriptor made it so. */
static void
wait_for(int fd, short events)
{
	struct pollfd ready = {.fd = fd, .events = events};
	if (poll(&ready, 1, -1) < 0 && errno != EINTR)
		die_system("unable to poll");
}

static void
write_all(const void *data, size_t length)
{
	const char *at = data;
	while (length > 0) {
		ssize_t written = write(STDOUT_FILENO, at, length);
		if (written >= 0) {
			at += written;
			length -= (size_t)written;
		} else if (errno == EAGAIN) {
			wait_for(STDOUT_FILENO, POLLOUT);
		} else if (errno != EINTR) {
			die_system("unable to write to standard output");
		}
	}
}

static void
flush(struct filter *filter)
{
	if (buf_length(&filter->out) == 0)
		return;
	write_all(buf_bytes(&filter->out), buf_length(&filter->out));
	buf_clear(&filter->out);
}

static void
put(struct filter *filter, const void *data, size_t length)
{
	if (buf_append(&filter->out, data, length) == 0)
		return;
	flush(filter);
	if (buf_append(&filter->out, data, length) < 0)
		write_all(data, length);
}

/* False at the end of the input. */
static bool
read_more(struct filter *filter)
{
	if (!filter->lazy)
		flush(filter);
	uint8_t *place = buf_reserve(&filter->in, READ_BYTES);
	if (place == NULL)
		die_system("unable to buffer the input");
	for (;;) {
		ssize_t length = read(STDIN_FILENO, place, READ_BYTES);
		if (length >= 0) {
			buf_commit(&filter->in, (size_t)length);
			return length > 0;
		}
		if (errno == EAGAIN)
			wait_for(STDIN_FILENO, POLLIN);
		else if (errno != EINTR)
			die_system("unable to read standard input");
	}
}

static void
consume(struct filter *filter, size_t length)
{
	buf_consume(&filter->in, length);
	filter->offset += length;
	filter->number++;
}

static bool
is_blank(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (strchr(" \t\r", line[i]) == NULL || line[i] == '\0')
			return false;
	return true;
}

static NORETURN void
refuse_line(struct filter *filter, const char *what, const char *detail)
{
	flush(filter);
	die_usage("line %llu: %s%s%s", (unsigned long long)filter->number, what,
	    detail != NULL ? ": " : "", detail != NULL ? detail : "");
}

static void
encode_line(struct filter *filter, const char *line, size_t length)
{
	static const char what[] = "not a JSON object";
	if (length > 0 && line[length - 1] == '\r')
		length--;
	if (is_blank(line, length))
		return;
	if (length > filter->max)
		refuse_line(filter, "longer than DUNE_MAX_FRAME_BYTES", NULL);
	const char *error;
	if (json_scan_object(line, length, NULL, 0, &error) < 0)
		refuse_line(filter, what, strcmp(error, what) == 0 ? NULL : error);
	uint8_t header[FRAME_HEADER];
	frame_put_header(header, (uint32_t)length);
	put(filter, header, sizeof(header));
	put(filter, line, length);
}

static void
encode(struct filter *filter)
{
	size_t searched = 0;
	bool more = true;
	while (more) {
		more = read_more(filter);
		for (;;) {
			const char *line = (const char *)buf_bytes(&filter->in);
			size_t length = buf_length(&filter->in);
			const char *end = NULL;
			if (length > searched)
				end = memchr(line + searched, '\n', length - searched);
			if (end == NULL)
				break;
			encode_line(filter, line, (size_t)(end - line));
			consume(filter, (size_t)(end - line) + 1);
			searched = 0;
		}
		searched = buf_length(&filter->in);
		/* One byte more than the longest: its carriage return. */
		if (searched > filter->max + 1)
			refuse_line(filter, "longer than DUNE_MAX_FRAME_BYTES", NULL);
	}
	if (searched > 0)
		encode_line(filter, (const char *)buf_bytes(&filter->in), searched);
}

static NORETURN void PRINTF_LIKE(2, 3) refuse_frame(struct filter *filter, const char *format, ...)
{
	char what[128];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	flush(filter);
	die_usage("frame %llu, at byte %llu: %s", (unsigned long long)filter->number,
	    (unsigned long long)filter->offset, what);
}

/* A line break within JSON can only be white space between tokens. */
static void
decode_payload(struct filter *filter, const uint8_t *payload, size_t length)
{
	while (length > 0) {
		const uint8_t *end = memchr(payload, '\n', length);
		size_t run = end != NULL ? (size_t)(end - payload) : length;
		put(filter, payload, run);
		if (end != NULL)
			put(filter, " ", 1);
		run += end != NULL;
		payload += run;
		length -= run;
	}
	put(filter, "\n", 1);
}

/* Bytes that the length in front of the frame announces. */
static size_t
announced(const uint8_t *data)
{
	size_t length = 0;
	for (size_t i = 0; i < FRAME_HEADER; i++)
		length = length << 8 | data[i];
	return length;
}

static void
decode(struct filter *filter)
{
	bool more = true;
	while (more) {
		more = read_more(filter);
		for (;;) {
			const uint8_t *data = buf_bytes(&filter->in);
			size_t payload;
			long used = frame_parse(
			    data, buf_length(&filter->in), filter->max, &payload);
			if (used == 0)
				break;
			if (used < 0)
				refuse_frame(filter, "a length of %zu is not between 1 and %zu",
				    announced(data), filter->max);
			decode_payload(filter, data + FRAME_HEADER, payload);
			consume(filter, (size_t)used);
		}
	}
	size_t left = buf_length(&filter->in);
	if (left >= FRAME_HEADER)
		refuse_frame(filter, "cut off after %zu of %zu bytes", left - FRAME_HEADER,
		    announced(buf_bytes(&filter->in)));
	if (left > 0)
		refuse_frame(filter, "cut off within its length");
}

static const char *
max_frame_text(void)
{
	const struct env_table all = {.rows = table, .count = ARRAY_SIZE(table)};
	return env_text(&all, &table[0]);
}

static size_t
max_frame_bytes(void)
{
	struct settings settings;
	const char *text = max_frame_text(), *allowed = env_store(&table[0], text, &settings);
	if (allowed != NULL)
		die_usage("%s: \"%s\" is not %s", table[0].name, text, allowed);
	return (size_t)settings.max_frame_bytes;
}

static NORETURN void
print_and_leave(const char *format, const char *value)
{
	printf(format, value);
	if (fflush(stdout) != 0)
		die_system("unable to write to standard output");
	exit(0);
}

int
main(int argc, char **argv)
{
	log_init("dune-frame", LOG_INFO, LOG_TEXT);
	signal(SIGPIPE, SIG_IGN);
	const char *option = argc > 1 ? argv[1] : "";
	bool backwards = strcmp(option, "-d") == 0;
	if (strcmp(option, "--version") == 0)
		print_and_leave("dune-frame %s\n", DUNE_VERSION);
	if (strcmp(option, "--help") == 0)
		print_and_leave(usage, max_frame_text());
	if (argc > 2 || (argc == 2 && !backwards))
		die_usage("unknown argument \"%s\"; --help tells what there is", argv[argc - 1]);

	struct stat status;
	size_t max = max_frame_bytes();
	struct filter filter = {.max = max, .number = 1};
	filter.lazy = fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode);
	buf_init(&filter.in, max + FRAME_HEADER + 2 * READ_BYTES);
	buf_init(&filter.out, OUT_BYTES);
	if (backwards)
		decode(&filter);
	else
		encode(&filter);
	flush(&filter);
	buf_free(&filter.in);
	buf_free(&filter.out);
	return 0;
}
