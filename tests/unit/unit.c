/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_S 120
#define MAX_FDS 1024

static struct unit_test *tests, **tests_end = &tests;
static char directory[256];

void
unit_register(struct unit_test *test)
{
	*tests_end = test;
	tests_end = &test->next;
}

void
unit_fail(const char *file, int line, const char *format, ...)
{
	va_list arguments;
	fflush(stdout);
	fprintf(stderr, "%s:%d: ", file, line);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	/* Without exit handlers: what the test still holds is no leak. */
	_exit(1);
}

void
unit_check_string(const char *file, int line, const char *got, const char *want)
{
	if (got == NULL || want == NULL ? got != want : strcmp(got, want) != 0)
		unit_fail(file, line, "\n   got: %s\n  want: %s", got != NULL ? got : "(NULL)",
		    want != NULL ? want : "(NULL)");
}

static void
print_bytes(const char *what, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	fprintf(stderr, "  %s (%zu bytes): ", what, length);
	for (size_t i = 0; i < length; i++) {
		bool plain = at[i] >= 0x20 && at[i] < 0x7f && at[i] != '\\';
		fprintf(stderr, plain ? "%c" : "\\x%02x", at[i]);
	}
	fputc('\n', stderr);
}

void
unit_check_bytes(const char *file, int line, const void *got, size_t got_length, const void *want,
    size_t want_length)
{
	if (got_length == want_length && (got_length == 0 || memcmp(got, want, got_length) == 0))
		return;
	print_bytes(" got", got, got_length);
	print_bytes("want", want, want_length);
	unit_fail(file, line, "the bytes differ");
}

bool
unit_valgrind(void)
{
	return getenv("DUNE_TEST_VALGRIND") != NULL;
}

const char *
unit_directory(void)
{
	return directory;
}

static int
remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status, (void)type, (void)walk;
	return remove(path);
}

static void
directory_make(void)
{
	const char *parent = getenv("TMPDIR");
	snprintf(directory, sizeof(directory), "%s/unit.XXXXXX", parent != NULL ? parent : "/tmp");
	if (mkdtemp(directory) == NULL) {
		fprintf(stderr, "unable to make %s: %s\n", directory, strerror(errno));
		exit(1);
	}
}

/* Which descriptors are open. */
static void
fds_list(bool open[static MAX_FDS])
{
	memset(open, 0, MAX_FDS * sizeof(*open));
	DIR *dir = opendir("/proc/self/fd");
	if (dir == NULL)
		return;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		long fd = strtol(entry->d_name, NULL, 10);
		if (entry->d_name[0] != '.' && fd < MAX_FDS && fd != dirfd(dir))
			open[fd] = true;
	}
	closedir(dir);
}

static void
fds_check(const bool before[static MAX_FDS], const struct unit_test *test)
{
	bool after[MAX_FDS];
	fds_list(after);
	for (int fd = 0; fd < MAX_FDS; fd++) {
		if (!after[fd] || before[fd])
			continue;
		char path[64], target[256];
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ssize_t length = readlink(path, target, sizeof(target) - 1);
		target[length < 0 ? 0 : length] = '\0';
		unit_fail(test->file, 0, "descriptor %d (%s) was left open", fd, target);
	}
}

/* SIGCHLD is blocked, so that it can be waited for with a timeout. */
static void
child_signal(int how)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(how, &set, NULL);
}

/* In the child: the whole of the test, with its output in `output`. */
static void
run_child(const struct unit_test *test, int output)
{
	bool before[MAX_FDS];
	setpgid(0, 0);
	child_signal(SIG_UNBLOCK);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	dup2(null, STDIN_FILENO);
	close(null);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	close(output);
	fds_list(before);
	test->run();
	fds_check(before, test);
	exit(0);
}

static int
timeout_s(void)
{
	const char *text = getenv("UNIT_TIMEOUT_S");
	long seconds = text != NULL ? strtol(text, NULL, 10) : 0;
	return seconds > 0 && seconds < 86400 ? (int)seconds : DEFAULT_TIMEOUT_S;
}

/* The child's wait status; *timed_out tells that it had to be killed. */
static int
wait_child(pid_t pid, bool *timed_out)
{
	int status;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	struct timespec limit = {.tv_sec = timeout_s()};
	*timed_out = false;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (sigtimedwait(&set, NULL, &limit) >= 0 || errno == EINTR)
			continue;
		*timed_out = true;
		kill(pid, SIGKILL);
		limit = (struct timespec){.tv_sec = 1};
	}
	/* Whatever the test started goes with it. */
	kill(-pid, SIGKILL);
	return status;
}

static void
show_output(int output)
{
	char bytes[4096];
	ssize_t length;
	lseek(output, 0, SEEK_SET);
	while ((length = read(output, bytes, sizeof(bytes))) > 0)
		fwrite(bytes, 1, (size_t)length, stdout);
}

static bool
run_one(const struct unit_test *test)
{
	int output = memfd_create("output", MFD_CLOEXEC);
	bool timed_out;
	directory_make();
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		run_child(test, output);
	if (pid < 0) {
		perror("fork");
		exit(1);
	}
	setpgid(pid, pid);
	int status = wait_child(pid, &timed_out);
	bool passed = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (!passed) {
		printf("FAILED %s (%s)", test->name, test->file);
		if (timed_out)
			printf(": no end after %d s\n", timeout_s());
		else if (WIFSIGNALED(status))
			printf(": %s\n", strsignal(WTERMSIG(status)));
		else
			printf(": exit %d\n", WEXITSTATUS(status));
		show_output(output);
	}
	close(output);
	nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return passed;
}

static bool
name_known(const char *name)
{
	for (const struct unit_test *test = tests; test != NULL; test = test->next)
		if (strcmp(test->name, name) == 0)
			return true;
	return false;
}

static bool
wanted(const struct unit_test *test, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(test->name, argv[i]) == 0)
			return true;
	return argc < 2;
}

int
main(int argc, char **argv)
{
	int passed = 0, failed = 0;
	child_signal(SIG_BLOCK);
	for (int i = 1; i < argc; i++) {
		if (!name_known(argv[i])) {
			fprintf(stderr, "no test named %s\n", argv[i]);
			return 1;
		}
	}
	for (const struct unit_test *test = tests; test != NULL; test = test->next) {
		if (!wanted(test, argc, argv))
			continue;
		if (run_one(test))
			passed++;
		else
			failed++;
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed > 0;
}
