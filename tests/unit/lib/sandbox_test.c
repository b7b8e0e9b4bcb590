/* SPDX-License-Identifier: MIT */
#include "lib/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base.h"
#include "lib/log.h"
#include "tests/unit/lib/capture.h"
#include "tests/unit/unit.h"

#define EXECS "UNIT_SANDBOX_EXECS" /* how often this program shall execute itself */
#define PATH_SIZE 320

static const struct sandbox least = {.calls = NULL};
static struct captured got;

static void
enter(const struct sandbox *sandbox)
{
	const char *const directories[] = {unit_directory(), "/nonexistent/directory", NULL};
	char *program = realpath("/proc/self/exe", NULL);
	const struct sandbox_config config = {
	    .wanted = true, .directories = directories, .program = program};

	sandbox_enter(sandbox, &config);
	free(program);
}

/* The version of landlock, 0 where there is none. */
static long
landlock(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1U);

	return version < 0 ? 0 : version;
}

/* A number of /proc/self/status, -1 where the kernel does not tell. */
static int
status_of(const char *name)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	int value = -1;

	CHECK(file != NULL);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			value = (int)strtol(line + strlen(name) + 1, NULL, 10);
	fclose(file);
	return value;
}

/* "name: yes", or why not. */
static void
tell(const char *name, long result)
{
	printf("%s: %s\n", name, result >= 0 ? "yes" : strerrorname_np(errno));
}

static void
tell_socket(const char *name, int family, int type)
{
	int fd = socket(family, type, 0);

	tell(name, fd);
	if (fd >= 0)
		close(fd);
}

static void
refused(void)
{
	char *const arguments[] = {NULL};

	enter(&least);
	tell_socket("inet", AF_INET, SOCK_STREAM);
	tell_socket("inet6", AF_INET6, SOCK_DGRAM);
	tell_socket("netlink", AF_NETLINK, SOCK_RAW);
	tell_socket("packet", AF_PACKET, SOCK_RAW);
	tell_socket("unix", AF_UNIX, SOCK_STREAM);
	tell("mount", mount("none", "/nonexistent", "tmpfs", 0, NULL));
	tell("unshare", unshare(CLONE_NEWUSER));
	tell("execve", execve("/bin/true", arguments, arguments));
	tell("bpf", syscall(SYS_bpf, 0, NULL, 0));
	tell("io_uring_setup", syscall(SYS_io_uring_setup, 1, NULL));
	tell("clone3", syscall(SYS_clone3, NULL, 0));
	tell("kill", kill(getppid(), 0));
	tell("setuid", setuid(0));
	tell("no such call", syscall(100000));
}

TEST(sandbox_refuses_what_is_not_listed)
{
	/* It dies of an execve(2) that fails. */
	if (unit_valgrind())
		return;
	capture(&got, refused);
	CHECK_STRING(got.out,
	    "inet: ENOSYS\ninet6: ENOSYS\nnetlink: ENOSYS\npacket: ENOSYS\nunix: yes\n"
	    "mount: ENOSYS\nunshare: ENOSYS\nexecve: ENOSYS\nbpf: ENOSYS\n"
	    "io_uring_setup: ENOSYS\nclone3: ENOSYS\nkill: ENOSYS\nsetuid: ENOSYS\n"
	    "no such call: ENOSYS\n");
	CHECK_INT(got.status, 0);
	CHECK(strstr(got.err, "no new privileges") != NULL && strstr(got.err, "seccomp") != NULL);
}

static void
status(void)
{
	enter(&least);
	printf("%d %d\n", status_of("NoNewPrivs"), status_of("Seccomp"));
}

TEST(sandbox_shows_in_the_status)
{
	capture(&got, status);
	CHECK_STRING(got.out, "1 2\n");
}

static void *
return_it(void *argument)
{
	return argument;
}

static void
threads(void)
{
	static const char calls[] = "wait4";
	static const struct sandbox more = {.calls = calls, .internet = true, .threads = true};
	pthread_t thread;
	int state = -1;
	pid_t pid;

	enter(&more);
	tell_socket("inet", AF_INET, SOCK_STREAM);
	tell_socket("netlink", AF_NETLINK, SOCK_RAW);
	tell_socket("packet", AF_PACKET, SOCK_RAW);
	printf("thread: %d\n", pthread_create(&thread, NULL, return_it, NULL));
	printf("join: %d\n", pthread_join(thread, NULL));
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(7);
	tell("fork", pid);
	tell("wait", waitpid(pid, &state, 0));
	printf("%d\n", WEXITSTATUS(state));
	tell("namespace", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
}

TEST(sandbox_lets_threads_and_the_internet_in_where_they_are_listed)
{
	capture(&got, threads);
	CHECK_STRING(got.out,
	    "inet: yes\nnetlink: yes\npacket: ENOSYS\nthread: 0\njoin: 0\nfork: yes\nwait: yes\n7\n"
	    "namespace: ENOSYS\n");
}

static void
tell_open(const char *name, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	tell(name, fd);
	if (fd >= 0)
		close(fd);
}

static void
tell_unix(const char *name, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	tell(name, bind(fd, (const struct sockaddr *)&address, sizeof(address)));
	close(fd);
}

static void
files(void)
{
	static const char calls[] = "bind truncate mkdir";
	static const struct sandbox binds = {.calls = calls};
	char inside[PATH_SIZE], outside[PATH_SIZE], sock[PATH_SIZE], listen[2 * PATH_SIZE];
	const char *const directories[] = {inside, NULL};
	struct sandbox_config config = {
	    .wanted = true, .directories = directories, .listen = listen};

	snprintf(inside, sizeof(inside), "%s/in", unit_directory());
	CHECK(mkdir(inside, 0700) == 0);
	snprintf(sock, sizeof(sock), "%s/sock", unit_directory());
	CHECK(mkdir(sock, 0700) == 0);
	snprintf(listen, sizeof(listen), "127.0.0.1:0, unix:%s/a.sock", sock);
	snprintf(outside, sizeof(outside), "%s/out", unit_directory());
	CHECK(close(open(outside, O_WRONLY | O_CREAT, 0600)) == 0);
	sandbox_enter(&binds, &config);
	tell_open("read outside", outside, O_RDONLY);
	tell_open("write outside", outside, O_WRONLY);
	tell_open("append outside", outside, O_WRONLY | O_APPEND);
	tell("remove outside", unlink(outside));
	snprintf(outside, sizeof(outside), "%s/new", unit_directory());
	tell_open("make outside", outside, O_WRONLY | O_CREAT);
	tell_unix("socket outside", outside);
	snprintf(inside, sizeof(inside), "%s/in/new", unit_directory());
	tell_open("make inside", inside, O_WRONLY | O_CREAT | O_TRUNC);
	tell("remove inside", unlink(inside));
	tell("directory inside", mkdir(inside, 0700));
	snprintf(sock, sizeof(sock), "%s/sock/a.sock", unit_directory());
	tell_unix("socket inside", sock);
	tell("remove it", unlink(sock));
}

TEST(sandbox_lets_write_only_in_the_directories)
{
	if (landlock() == 0)
		return;
	capture(&got, files);
	CHECK_STRING(got.out,
	    "read outside: yes\nwrite outside: EACCES\nappend outside: EACCES\n"
	    "remove outside: EACCES\nmake outside: EACCES\nsocket outside: EACCES\n"
	    "make inside: yes\nremove inside: yes\ndirectory inside: EACCES\n"
	    "socket inside: yes\nremove it: yes\n");
}

static void
connects(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0), other = socket(AF_INET, SOCK_STREAM, 0);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t length = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 5) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
	CHECK(connect(fd, (struct sockaddr *)&address, length) == 0);
	enter(&least);
	tell("accept", accept(listener, NULL, NULL));
	tell("connect", connect(other, (struct sockaddr *)&address, length));
}

TEST(sandbox_connects_nowhere_with_a_socket_from_before)
{
	if (landlock() < 4)
		return;
	capture(&got, connects);
	CHECK_STRING(got.out, "accept: yes\nconnect: EACCES\n");
}

static void
unwanted(void)
{
	const char *const directories[] = {NULL};
	const struct sandbox_config config = {.directories = directories};

	sandbox_enter(&least, &config);
	tell_socket("inet", AF_INET, SOCK_STREAM);
	printf("%d\n", status_of("NoNewPrivs"));
}

TEST(sandbox_is_not_entered_when_it_is_not_wanted)
{
	capture(&got, unwanted);
	char want[64];
	snprintf(want, sizeof(want), "inet: yes\n%d\n", status_of("NoNewPrivs"));
	CHECK_STRING(got.out, want);
	CHECK(strstr(got.err, "DUNE_SANDBOX") != NULL);
}

/* As a container's filter, or an old kernel. */
static void
refuse(const char *const *calls, int code)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	for (; *calls != NULL; calls++)
		CHECK(seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint16_t)code),
			  seccomp_syscall_resolve_name(*calls), 0) == 0);
	CHECK(seccomp_load(filter) == 0);
	seccomp_release(filter);
}

static void
all_refused(void)
{
	static const char *const calls[] = {
	    "prctl", "seccomp", "landlock_create_ruleset", "landlock_restrict_self", NULL};

	refuse(calls, EPERM);
	enter(&least);
	tell_socket("inet", AF_INET, SOCK_STREAM);
	tell_open("write", "/dev/null", O_WRONLY);
}

TEST(sandbox_goes_on_when_the_kernel_refuses_all_of_it)
{
	/* It knows no landlock. */
	if (unit_valgrind())
		return;
	capture(&got, all_refused);
	CHECK_STRING(got.out, "inet: yes\nwrite: yes\n");
	CHECK_STRING(got.err,
	    "WARN: sandbox: the kernel refuses no new privileges (Operation not permitted), "
	    "landlock "
	    "(Operation not permitted), seccomp (Operation not permitted); going on without\n");
	CHECK_INT(got.status, 0);
}

static void
no_landlock(void)
{
	static const char *const calls[] = {"landlock_create_ruleset", NULL};

	refuse(calls, ENOSYS);
	enter(&least);
	tell_socket("inet", AF_INET, SOCK_STREAM);
	tell_open("write", "/dev/null", O_WRONLY);
}

TEST(sandbox_holds_in_the_parts_that_an_old_kernel_has)
{
	capture(&got, no_landlock);
	CHECK_STRING(got.out, "inet: ENOSYS\nwrite: yes\n");
	CHECK_STRING(got.err,
	    "INFO: sandbox: no new privileges, seccomp\n"
	    "WARN: sandbox: the kernel refuses landlock (Function not implemented); going on "
	    "without\n");
}

/* Runs before main() where the environment says so: as a binary that takes the place of another
 * in the same process, again and again. */
__attribute__((constructor)) static void
execute_again(void)
{
	static const char calls[] =
	    "execve arch_prctl set_tid_address prctl seccomp landlock_create_ruleset "
	    "landlock_add_rule landlock_restrict_self";
	static const struct sandbox executes = {.calls = calls};
	const char *text = getenv(EXECS);
	char left[24], name[] = "unit";
	char *const arguments[] = {name, NULL};
	long more = text != NULL ? strtol(text, NULL, 10) : 0;

	if (text == NULL)
		return;
	log_init("unit", LOG_INFO, LOG_TEXT);
	enter(&executes);
	snprintf(left, sizeof(left), "%ld", more - 1);
	setenv(EXECS, left, 1);
	if (more > 0)
		execv("/proc/self/exe", arguments);
	else
		printf("%d %d\n", status_of("NoNewPrivs"), status_of("Seccomp_filters"));
	tell_socket("inet", AF_INET, SOCK_STREAM);
	fflush(stdout);
	_exit(0);
}

static void
execute_twenty_times(void)
{
	char name[] = "unit";
	char *const arguments[] = {name, NULL};

	setenv(EXECS, "20", 1);
	execv("/proc/self/exe", arguments);
}

TEST(sandbox_is_entered_once_in_twenty_executions)
{
	char want[64];

	/* It is left by execve(2). */
	if (unit_valgrind())
		return;
	capture(&got, execute_twenty_times);
	int before = status_of("Seccomp_filters");
	snprintf(want, sizeof(want), "1 %d\ninet: ENOSYS\n", before < 0 ? before : before + 1);
	CHECK_STRING(got.out, want);
	CHECK(strstr(got.err, "WARN") == NULL);
}
