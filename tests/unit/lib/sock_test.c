/* SPDX-License-Identifier: MIT */
#include "lib/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/fdpass.h"
#include "lib/mem.h"
#include "tests/unit/unit.h"

TEST(sock_unix_has_its_mode_and_goes_at_the_end)
{
	char *path = mem_printf("%s/a.sock", unit_directory());
	char *lock = mem_printf("%s.lock", path);
	struct stat there;
	int fd = sock_listen_unix(path, 0660, 8), client;

	CHECK(fd >= 0);
	CHECK(stat(path, &there) == 0);
	CHECK_INT(there.st_mode & 0777, 0660);
	client = sock_connect_unix(path);
	CHECK(client >= 0);
	CHECK(fcntl(client, F_GETFL) & O_NONBLOCK);
	CHECK(fcntl(client, F_GETFD) & FD_CLOEXEC);
	fd_close(&client);
	CHECK_INT(client, -1);
	fd_close(&fd);
	sock_unlink(path);
	CHECK(stat(path, &there) < 0);
	CHECK(stat(lock, &there) < 0);
	MEM_FREE(&lock);
	MEM_FREE(&path);
}

TEST(sock_unix_refuses_a_live_one)
{
	char *path = mem_printf("%s/a.sock", unit_directory());
	int fd = sock_listen_unix(path, 0660, 8), status;
	pid_t child;

	CHECK(fd >= 0);
	child = fork();
	if (child == 0)
		_exit(sock_listen_unix(path, 0660, 8) < 0 && errno == EADDRINUSE ? 0 : 1);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
	fd_close(&fd);
	sock_unlink(path);
	MEM_FREE(&path);
}

/* A socket of a process that died: nobody answers, the file is there. */
TEST(sock_unix_replaces_a_stale_one)
{
	char *path = mem_printf("%s/a.sock", unit_directory());
	int status, fd;
	pid_t child = fork();

	if (child == 0)
		_exit(sock_listen_unix(path, 0660, 8) < 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
	CHECK(sock_connect_unix(path) < 0);
	CHECK_INT(errno, ECONNREFUSED);
	fd = sock_listen_unix(path, 0660, 8);
	CHECK(fd >= 0);
	fd_close(&fd);
	sock_unlink(path);
	MEM_FREE(&path);
}

TEST(sock_unix_leaves_other_files_alone)
{
	char *path = mem_printf("%s/file", unit_directory());
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	fd_close(&fd);
	CHECK(sock_listen_unix(path, 0660, 8) < 0);
	CHECK_INT(errno, EEXIST);
	CHECK(access(path, F_OK) == 0);
	MEM_FREE(&path);
}

TEST(sock_unix_path_too_long)
{
	char path[200];

	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	CHECK(sock_listen_unix(path, 0660, 8) < 0);
	CHECK_INT(errno, ENAMETOOLONG);
	CHECK(sock_connect_unix(path) < 0);
	CHECK_INT(errno, ENAMETOOLONG);
}

TEST(sock_addresses_are_read_strictly)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
	    {"127.0.0.1:80", "127.0.0.1:80"},
	    {"[::1]:8080", "[::1]:8080"},
	    {"[::]:0", "[::]:0"},
	    {"*:1", "0.0.0.0:1"},
	    {":65535", "0.0.0.0:65535"},
	    {"127.0.0.1", NULL},
	    {"127.0.0.1:", NULL},
	    {"127.0.0.1:65536", NULL},
	    {"::1:80", NULL},
	    {"[::1:80", NULL},
	    {"127.0.0.1:+1", NULL},
	    {"", NULL},
	};
	char text[SOCK_ADDRESS_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sock_address address;

		if (!rows[i].want) {
			CHECK(sock_address_parse(&address, rows[i].text) < 0);
			CHECK_INT(errno, EINVAL);
			continue;
		}
		CHECK(sock_address_parse(&address, rows[i].text) == 0);
		CHECK_STRING(sock_address_text(&address, text), rows[i].want);
	}
}

TEST(sock_tcp_tells_the_port_it_got)
{
	struct sock_address address, local;
	int fd;

	CHECK(sock_address_parse(&address, "127.0.0.1:0") == 0);
	fd = sock_listen_tcp(&address, 8);
	CHECK(fd >= 0);
	CHECK(sock_local_address(fd, &local) == 0);
	CHECK(((const struct sockaddr_in *)&local.storage)->sin_port != 0);
	fd_close(&fd);
}

TEST(fdpass_hands_over_a_descriptor)
{
	int fds[2], pipes[2], got;
	char byte;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	CHECK(pipe2(pipes, O_CLOEXEC) == 0);
	CHECK_INT(fdpass_receive(fds[1], &got), -1);
	CHECK_INT(errno, EAGAIN);
	CHECK(fdpass_send(fds[0], pipes[1]) == 0);
	CHECK_INT(fdpass_receive(fds[1], &got), 1);
	CHECK(fcntl(got, F_GETFD) & FD_CLOEXEC);
	CHECK_INT(write(got, "x", 1), 1);
	CHECK_INT(read(pipes[0], &byte, 1), 1);
	fd_close(&got);
	CHECK_INT(write(fds[0], "H", 1), 1);
	CHECK_INT(fdpass_receive(fds[1], &got), -1);
	CHECK_INT(errno, EBADMSG);
	fd_close(&fds[0]);
	CHECK_INT(fdpass_receive(fds[1], &got), 0);
	fd_close(&fds[1]);
	fd_close(&pipes[0]);
	fd_close(&pipes[1]);
}
