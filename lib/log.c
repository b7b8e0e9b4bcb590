/* SPDX-License-Identifier: MIT */
#include "lib/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/utf8.h"

#define LINE_MAX_BYTES 2048 /* without the newline */
#define CUT_MARK "..."

static struct {
	const char *program;
	enum log_level level;
	enum log_format format;
	int64_t instance;
} log_state = {"dune", LOG_INFO, LOG_TEXT, 0};

/* A line under construction. `text` may fill up to `limit`; what comes behind the
 * message (the mark of a cut, the end of the JSON object) has its room beyond. */
struct line {
	char bytes[LINE_MAX_BYTES + 1];
	size_t length, limit;
	bool cut;
};

void
log_init(const char *program, enum log_level level, enum log_format format)
{
	log_state.program = program;
	log_state.level = level;
	log_state.format = format;
}

const char *
log_program(void)
{
	return log_state.program;
}

void
log_set_instance(int64_t instance)
{
	log_state.instance = instance;
}

bool
log_enabled(enum log_level level)
{
	return level >= log_state.level;
}

static void
line_put(struct line *line, const char *bytes, size_t length)
{
	if (line->cut || length > line->limit - line->length) {
		line->cut = true;
		return;
	}
	memcpy(line->bytes + line->length, bytes, length);
	line->length += length;
}

/* Behind the limit there is always room for these few bytes. */
static void
line_put_end(struct line *line, const char *text)
{
	size_t length = strlen(text);
	memcpy(line->bytes + line->length, text, length);
	line->length += length;
}

/* How many bytes at `text` may be shown as they are: 0 for control characters (C1,
 * U+0080 to U+009F, among them: terminals obey those) and malformed UTF-8. */
static size_t
printable(const char *text, size_t length)
{
	uint8_t byte = (uint8_t)text[0];
	if (byte < 0x20 || byte == 0x7f)
		return 0;
	size_t size = utf8_sequence(text, length);
	bool c1 = size == 2 && byte == 0xc2 && (uint8_t)text[1] < 0xa0;
	return c1 ? 0 : size;
}

static void
line_put_escaped(struct line *line, const char *text, size_t length, bool json)
{
	size_t at = 0;
	while (at < length && !line->cut) {
		size_t size = printable(text + at, length - at);
		if (size == 0) {
			char code[8];
			int n = snprintf(code, sizeof(code), json ? "\\\\x%02X" : "\\x%02X",
			    (unsigned)(uint8_t)text[at]);
			line_put(line, code, (size_t)n);
			at++;
			continue;
		}
		if (json && (text[at] == '"' || text[at] == '\\')) {
			char pair[2] = {'\\', text[at]};
			line_put(line, pair, sizeof(pair));
		} else {
			line_put(line, text + at, size);
		}
		at += size;
	}
}

static void PRINTF_LIKE(2, 3) line_print(struct line *line, const char *format, ...)
{
	char text[64];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	line_put(line, text, MIN((size_t)MAX(length, 0), sizeof(text) - 1));
}

/* All that stands before the text. */
static void
line_begin(struct line *line, enum log_level level, uint64_t held_back)
{
	static const char *const names[] = {"DEBUG", "INFO", "WARN", "ERROR"};
	if (log_state.format == LOG_TEXT) {
		line_print(line, "%s: ", names[level]);
		return;
	}
	line_print(line, "{\"level\":\"%s\",\"program\":\"", names[level]);
	line_put_escaped(line, log_state.program, strlen(log_state.program), true);
	line_print(line, "\",\"pid\":%ld,", (long)getpid());
	if (log_state.instance > 0)
		line_print(line, "\"instance\":%lld,", (long long)log_state.instance);
	if (held_back > 0)
		line_print(line, "\"held_back\":%llu,", (unsigned long long)held_back);
	line_print(line, "\"message\":\"");
}

static void
line_write(enum log_level level, uint64_t held_back, const char *message, size_t length)
{
	bool json = log_state.format == LOG_JSON;
	struct line line = {.length = 0};
	line.limit = LINE_MAX_BYTES - sizeof(CUT_MARK "\"}") + 1;

	line_begin(&line, level, held_back);
	line_put_escaped(&line, message, length, json);
	if (line.cut)
		line_put_end(&line, CUT_MARK);
	if (json)
		line_put_end(&line, "\"}");
	line.bytes[line.length++] = '\n';

	/* There is nobody to tell when this fails. */
	ssize_t written = write(STDERR_FILENO, line.bytes, line.length);
	(void)written;
}

/* `held_back` like this were not written before. Keeps errno. */
static void
log_format_line(enum log_level level, uint64_t held_back, const char *format, va_list arguments)
{
	int saved = errno;
	/* Longer than a line, so that line_put sees what has to be cut. */
	char message[LINE_MAX_BYTES + 64];
	int length = vsnprintf(message, sizeof(message), format, arguments);
	if (length < 0)
		length = snprintf(message, sizeof(message), "%s", format);
	size_t used = (size_t)length < sizeof(message) ? (size_t)length : sizeof(message) - 1;
	if (held_back > 0 && log_state.format == LOG_TEXT && used < sizeof(message) - 1) {
		int more = snprintf(message + used, sizeof(message) - used,
		    " (%llu like this held back)", (unsigned long long)held_back);
		used = MIN(used + (size_t)more, sizeof(message) - 1);
	}
	line_write(level, held_back, message, used);
	errno = saved;
}

void
log_at(enum log_level level, const char *format, ...)
{
	if (!log_enabled(level))
		return;
	va_list arguments;
	va_start(arguments, format);
	log_format_line(level, 0, format, arguments);
	va_end(arguments);
}

static bool
limit_take(struct log_limit *limit)
{
	uint64_t now = clock_monotonic_ms();
	if (limit->refilled_ms == 0)
		limit->refilled_ms = now;
	uint64_t refill = limit->interval_ms > 0 ? (now - limit->refilled_ms) / limit->interval_ms
						 : limit->burst;
	if (refill >= limit->burst - limit->tokens) {
		limit->tokens = limit->burst;
		limit->refilled_ms = now;
	} else {
		limit->tokens += (unsigned)refill;
		limit->refilled_ms += refill * limit->interval_ms;
	}
	if (limit->tokens == 0) {
		limit->held_back++;
		return false;
	}
	limit->tokens--;
	return true;
}

void
log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
{
	if (!log_enabled(level) || !limit_take(limit))
		return;
	va_list arguments;
	va_start(arguments, format);
	log_format_line(level, limit->held_back, format, arguments);
	va_end(arguments);
	limit->held_back = 0;
}
