/* SPDX-License-Identifier: MIT */
#include "wsfand/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sock.h"
#include "tests/unit/unit.h"

/* The exit code of a program that is executed in a child; -1: none was. */
static int
execute(const char *path)
{
	char *const arguments[] = {(char[]){"true"}, NULL};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execv(path, arguments);
		_exit(111);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
									       : -1;
}

static bool
refused(long result)
{
	return result < 0 && (errno == ENOSYS || errno == EACCES || errno == EPERM);
}

TEST(confine_leaves_what_wsfand_and_its_upgrade_need)
{
	const struct settings settings = {
	    .sandbox = 1, .run_dir = unit_directory(), .listen = "127.0.0.1:0"};
	char path[320];
	int fd;

	confine(&settings, "/bin/true");
	/* a producer's socket, as an upgraded wsfand may have to make it */
	snprintf(path, sizeof(path), "%s/frames.sock", unit_directory());
	fd = sock_listen_unix(path, 0660, 5);
	CHECK(fd >= 0);
	fd_close(&fd);
	sock_unlink(path);
	CHECK(access(path, F_OK) < 0);
	/* the state of an upgrade, and the new binary */
	fd = memfd_create("state", MFD_CLOEXEC);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1 && ftruncate(fd, 100) == 0);
	fd_close(&fd);
	CHECK_INT(execute("/bin/true"), 0);
	/* keys again */
	fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	fd_close(&fd);
}

/* A program of somebody's own making, in a directory where wsfand may write. */
static void
copy_program(const char *from, const char *to)
{
	char bytes[4096];
	ssize_t got;
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);

	CHECK(in >= 0 && out >= 0);
	while ((got = read(in, bytes, sizeof(bytes))) > 0)
		CHECK_INT(write(out, bytes, (size_t)got), got);
	close(in);
	close(out);
}

TEST(confine_takes_the_rest)
{
	const struct settings settings = {
	    .sandbox = 1, .run_dir = unit_directory(), .listen = "127.0.0.1:0"};
	char path[320];

	/* It dies of the bpf(2) below, whose arguments it reads. */
	if (unit_valgrind())
		return;
	snprintf(path, sizeof(path), "%s/true", unit_directory());
	copy_program("/bin/true", path);
	CHECK_INT(execute(path), 0);
	confine(&settings, "/bin/true");
	CHECK(refused(socket(AF_INET, SOCK_STREAM, 0)));
	CHECK(refused(socket(AF_NETLINK, SOCK_RAW, 0)));
	CHECK(refused(socket(AF_PACKET, SOCK_RAW, 0)));
	CHECK(refused(mount("none", "/nonexistent", "tmpfs", 0, NULL)));
	CHECK(refused(unshare(CLONE_NEWUSER)));
	CHECK(refused(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL)));
	CHECK(refused(syscall(SYS_bpf, 0, NULL, 0)));
	CHECK(refused(syscall(SYS_init_module, NULL, 0, NULL)));
	CHECK(refused(syscall(SYS_keyctl, 0, 0, 0, 0, 0)));
	CHECK(refused(setuid(0)));
	CHECK_INT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1U) > 0)
		CHECK_INT(execute(path), 111);
}
