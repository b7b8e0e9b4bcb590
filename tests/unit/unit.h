/* SPDX-License-Identifier: MIT */
/* unit: the runner of the C tests (after Wayland's test-runner). A test is
 *
 *     TEST(frame_needs_four_bytes)
 *     {
 *             CHECK(frame_parse(data, 3, 100, &n) == 0);
 *     }
 *
 * Each runs in a child of its own, has 120 s (UNIT_TIMEOUT_S), must leave no descriptor open
 * and, under ASan, no memory; what it wrote is shown when it fails. The program takes names of
 * tests as arguments (none: all), and ends with `N passed, N failed`. TAP is not needed. */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <stdbool.h>
#include <stddef.h>

struct unit_test {
	const char *name;
	const char *file;
	void (*run)(void);
	struct unit_test *next;
};

void unit_register(struct unit_test *test);
void unit_fail(const char *file, int line, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));
void unit_check_string(const char *file, int line, const char *got, const char *want);
void unit_check_bytes(const char *file, int line, const void *got, size_t got_length,
    const void *want, size_t want_length);
/* Under valgrind (tests/leaks/run), which shows some calls otherwise than the kernel does. */
bool unit_valgrind(void);
/* A fresh directory for this test, removed afterwards. */
const char *unit_directory(void);

#define TEST(name_)                                                                    \
	static void test_##name_(void);                                                \
	static struct unit_test unit_##name_ = {#name_, __FILE__, test_##name_, NULL}; \
	__attribute__((constructor)) static void register_##name_(void)                \
	{                                                                              \
		unit_register(&unit_##name_);                                          \
	}                                                                              \
	static void test_##name_(void)

#define CHECK(condition) \
	((condition) ? (void)0 : unit_fail(__FILE__, __LINE__, "false: %s", #condition))
#define CHECK_INT(got, want)                                                                      \
	do {                                                                                      \
		long long got_ = (long long)(got), want_ = (long long)(want);                     \
		if (got_ != want_)                                                                \
			unit_fail(__FILE__, __LINE__, "%s is %lld, not %lld", #got, got_, want_); \
	} while (0)
#define CHECK_STRING(got, want) unit_check_string(__FILE__, __LINE__, got, want)
#define CHECK_BYTES(got, got_length, want, want_length) \
	unit_check_bytes(__FILE__, __LINE__, got, got_length, want, want_length)

#endif
