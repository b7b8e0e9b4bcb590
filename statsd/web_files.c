/* SPDX-License-Identifier: MIT */
#include "statsd/web_files.h"

#include "lib/base.h"

/* The assembler reads the file (GNU as, ".incbin"), so that no tool is needed to
 * turn it into C; the Makefile knows that this object depends on statsd/web/. */
#define EMBED(symbol, file)                                                             \
	__asm__(".section .rodata\n"                                                    \
		".balign 16\n"                                                          \
		"web_" #symbol "_start:\n"                                              \
		".incbin \"statsd/web/" file "\"\n"                                     \
		"web_" #symbol "_end:\n"                                                \
		".byte 0\n"                                                             \
		".previous\n");                                                         \
	extern const char web_##symbol##_start[] __attribute__((visibility("hidden"))); \
	extern const char web_##symbol##_end[] __attribute__((visibility("hidden")));

#define FILES(FILE)                                                         \
	FILE(index, "index.html", "text/html; charset=utf-8")               \
	FILE(form, "form.html", "text/html; charset=utf-8")                 \
	FILE(notfound, "notfound.html", "text/html; charset=utf-8")         \
	FILE(app, "app.js", "text/javascript; charset=utf-8")               \
	FILE(live, "live.js", "text/javascript; charset=utf-8")             \
	FILE(show, "show.js", "text/javascript; charset=utf-8")             \
	FILE(charts, "charts.js", "text/javascript; charset=utf-8")         \
	FILE(client, "form-analytics.js", "text/javascript; charset=utf-8") \
	FILE(types, "form-analytics.d.ts", "text/plain; charset=utf-8")     \
	FILE(style, "style.css", "text/css; charset=utf-8")                 \
	FILE(icon, "icon.svg", "image/svg+xml")

#define EMBED_FILE(symbol, file, type) EMBED(symbol, file)
FILES(EMBED_FILE)

const struct web_file web_files[] = {
#define WEB_FILE(symbol, file, type_) \
	{.name = (file), .type = (type_), .start = web_##symbol##_start, .end = web_##symbol##_end},
    FILES(WEB_FILE)};

const size_t web_file_count = ARRAY_SIZE(web_files);
