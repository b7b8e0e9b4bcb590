/* SPDX-License-Identifier: MIT */
/* log: one line to stderr per call: `LEVEL: text`, or one JSON object a line
 * (`{"level":"INFO","program":"wsfand","pid":123,"message":"…"}`) when so told.
 *
 * No time stamp: svlogd and s6-log add it. The whole line leaves in one
 * write(2). Bytes that are not printable (what a client sent, say) are written
 * as \xNN, so a line stays one line; valid UTF-8 passes. Lines over 2,048 bytes
 * are cut and end in "...". Never fails, never allocates. */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

/* `program` must outlive the process's logging (argv[0] or a literal). Until
 * this is called the program is "dune", the level INFO and the format text. */
void log_init(const char *program, enum log_level level, enum log_format format);
const char *log_program(void);
/* Which of several on one machine this is, for the JSON lines; 0: the only one. */
void log_set_instance(int64_t instance);

/* Whether a line of this level would be written: spares building costly ones. */
bool log_enabled(enum log_level level);

void log_at(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)

/* For lines that may repeat: at most `burst` lines, refilled one each
 * `interval_ms`; what was held back is counted and named in the next line that
 * passes: `… (12 like this held back)`, or `"held_back":12`. Static storage, zero is not valid:
 *     static struct log_limit limit = LOG_LIMIT(5, 1000);
 *     log_limited(&limit, LOG_WARN, "bad frame from %s", name); */
struct log_limit {
	unsigned burst;
	unsigned interval_ms;
	unsigned tokens;
	uint64_t refilled_ms;
	uint64_t held_back;
};
#define LOG_LIMIT(burst_, interval_ms_)                                              \
	{                                                                            \
		.burst = (burst_), .interval_ms = (interval_ms_), .tokens = (burst_) \
	}
void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
