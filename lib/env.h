/* SPDX-License-Identifier: MIT */
/* env: settings from the environment, by a table; and the three options that
 * every daemon has. One line per setting in <daemon>/settings.def makes the
 * struct member, the table row, --help, and what tests/lint compares with docs/config.md:
 *
 *     STRING(DUNE_RUN_DIR, run_dir, "/run/dune", NULL, "where the sockets live")
 *     NUMBER(DUNE_PING_INTERVAL_MS, ping_interval_ms, "54000", 10, 86400000, "…")
 *     CHOICE(DUNE_LOG_FORMAT, log_format, "text", "text|json", "…")
 *
 * STRING: a `const char *`; NULL when there is neither a value nor a default.
 * NUMBER: an `int64_t` within its bounds. CHOICE: an `int`, the index in the list.
 * A default may hold $DUNE_RUN_DIR or $DUNE_STATE_DIR, which are expanded. An empty value in
 * the environment counts as unset. */
#ifndef LIB_ENV_H
#define LIB_ENV_H

#include <stddef.h>
#include <stdint.h>

enum setting_type { SETTING_STRING, SETTING_NUMBER, SETTING_CHOICE };

/* NULL when the value will do; else what is allowed, e.g. "host:port, [::]:port or unix:PATH". */
typedef const char *setting_check(const char *value);

struct setting {
	const char *name;
	enum setting_type type;
	const char *fallback; /* NULL: none */
	int64_t min, max;
	const char *choices;
	setting_check *check;
	const char *help;
	size_t offset; /* of the member in the daemon's struct settings */
};

/* One more option that a daemon has, besides those of all. */
struct program_option {
	const char *name; /* "--check-state" */
	const char *argument; /* one that may stand behind it, "[FILE]", or NULL */
	const char *help; /* one line, or several with 13 spaces before all but the first */
	/* With the settings read and checked; `argument` NULL: there is none. Does not return. */
	void (*run)(const void *settings, const char *argument);
};

/* What a daemon says of itself in --help. */
struct program {
	const char *name; /* "wsfand" */
	const char *summary; /* one line */
	const char *required; /* a setting that must be there, or NULL */
	const char *details; /* paragraphs behind the table, or NULL */
	const struct program_option *option; /* or NULL */
};

/* The first thing in main(): reads the environment into `settings`, starts the log (the table
 * must hold DUNE_LOG_LEVEL and DUNE_LOG_FORMAT), ignores SIGPIPE and SIGXFSZ, and serves the
 * options: --help (every setting with default and current value; names ending in _SECRET and
 * passwords in URLs are masked) and --version leave with 0; --check with 0 or 100. A wrong setting
 * is fatal, 100, and says the variable, the value and what is allowed; an unknown option or
 * argument too. `check` (may be NULL) is the daemon's own look at the whole (files that must be
 * readable, settings that exclude each other): it dies by itself, and runs with --check too. */
void env_start(int argc, char **argv, const struct program *program, const struct setting *table,
    size_t count, void *settings, void (*check)(const void *settings));

/* For checks: "unix:PATH", "host:port", "[v6]:port", in a list separated by commas. The
 * directory may still be missing (the supervisor makes it), but its path must leave room for the
 * names of sockets and may not lead to something else. */
setting_check env_check_listen;
setting_check env_check_unix_list;
setting_check env_check_directory;

/* Rows of a table from a .def file; see any <daemon>/settings.c. */
#define SETTING_ROW_STRING(variable, field, fallback_, check_, help_) \
	{.name = #variable,                                           \
	    .type = SETTING_STRING,                                   \
	    .fallback = (fallback_),                                  \
	    .check = (check_),                                        \
	    .help = (help_),                                          \
	    .offset = offsetof(struct settings, field)},
#define SETTING_ROW_NUMBER(variable, field, fallback_, min_, max_, help_) \
	{.name = #variable,                                               \
	    .type = SETTING_NUMBER,                                       \
	    .fallback = (fallback_),                                      \
	    .min = (min_),                                                \
	    .max = (max_),                                                \
	    .help = (help_),                                              \
	    .offset = offsetof(struct settings, field)},
#define SETTING_ROW_CHOICE(variable, field, fallback_, choices_, help_) \
	{.name = #variable,                                             \
	    .type = SETTING_CHOICE,                                     \
	    .fallback = (fallback_),                                    \
	    .choices = (choices_),                                      \
	    .help = (help_),                                            \
	    .offset = offsetof(struct settings, field)},

#endif
