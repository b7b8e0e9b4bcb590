/* SPDX-License-Identifier: MIT */
#include "lib/env.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/version.h"
#include "tests/unit/lib/capture.h"
#include "tests/unit/unit.h"

struct settings {
	const char *run_dir, *state_dir, *source, *secret, *frames_to, *listen;
	int log_level, log_format, sandbox;
	int64_t max_frame_bytes;
};

#define STRING SETTING_ROW_STRING
#define NUMBER SETTING_ROW_NUMBER
#define CHOICE SETTING_ROW_CHOICE
static const struct setting table[] = {
#include "lib/settings_common.def"
    STRING(DUNE_SOURCE, source, NULL, NULL, "where it comes from") STRING(
	DUNE_X_SECRET, secret, NULL, NULL, "a secret") STRING(DUNE_FRAMES_TO, frames_to,
	"unix:$DUNE_RUN_DIR/frames.sock,unix:$DUNE_STATE_DIR/x", env_check_unix_list,
	"where it goes") STRING(DUNE_LISTEN, listen, "0.0.0.0:8080", env_check_listen, "the door")};
static const struct program program = {
    .name = "testd", .summary = "tests", .required = "DUNE_SOURCE", .details = "More words."};
static struct settings settings;
static struct captured got;
static char argument[32];

static void
look(const void *of)
{
	const struct settings *s = of;
	printf("%s %s %s %lld %d %d\n", s->run_dir, s->source, s->frames_to,
	    (long long)s->max_frame_bytes, s->log_level, s->log_format);
}

static void
start(void)
{
	char name[] = "testd", *argv[] = {name, argument, NULL};
	int argc = argument[0] != '\0' ? 2 : 1;
	env_start(argc, argv, &program, table, ARRAY_SIZE(table), &settings, look);
	log_info("started");
}

static void
run(const char *with)
{
	snprintf(argument, sizeof(argument), "%s", with);
	capture(&got, start);
}

TEST(env_fills_the_settings)
{
	setenv("DUNE_SOURCE", "file:x", 1);
	setenv("DUNE_RUN_DIR", "/tmp", 1);
	setenv("DUNE_STATE_DIR", "/state", 1);
	setenv("DUNE_LOG_FORMAT", "json", 1);
	setenv("DUNE_MAX_FRAME_BYTES", "", 1);
	run("");
	CHECK_STRING(got.out, "/tmp file:x unix:/tmp/frames.sock,unix:/state/x 1048576 1 1\n");
	CHECK(strstr(got.err, "{\"level\":\"INFO\",\"program\":\"testd\",") == got.err);
	CHECK(strstr(got.err, ",\"message\":\"started\"}\n") != NULL);
	CHECK_INT(got.status, 0);
}

TEST(env_puts_in_a_value_once)
{
	setenv("DUNE_SOURCE", "-", 1);
	setenv("DUNE_RUN_DIR", "$DUNE_RUN_DIR/x", 1);
	run("");
	CHECK_INT(got.status, 0);
	CHECK(strstr(got.out, " unix:$DUNE_RUN_DIR/x/frames.sock,") != NULL);
}

TEST(env_asks_for_what_is_required)
{
	run("");
	CHECK_INT(got.status, 100);
	CHECK_STRING(
	    got.err, "ERROR: testd: fatal: DUNE_SOURCE must be set: where it comes from\n");
}

static void
check_wrong(const char *name, const char *value, const char *want)
{
	setenv("DUNE_SOURCE", "-", 1);
	setenv(name, value, 1);
	run("--check");
	CHECK_INT(got.status, 100);
	char line[512];
	snprintf(
	    line, sizeof(line), "ERROR: testd: fatal: %s: \"%s\" is not %s\n", name, value, want);
	CHECK_STRING(got.err, line);
	unsetenv(name);
}

TEST(env_names_what_is_wrong)
{
	static const char number[] = "a whole number between 128 and 67108864";
	check_wrong("DUNE_MAX_FRAME_BYTES", "abc", number);
	check_wrong("DUNE_MAX_FRAME_BYTES", "127", number);
	check_wrong("DUNE_MAX_FRAME_BYTES", "67108865", number);
	check_wrong("DUNE_MAX_FRAME_BYTES", "99999999999999999999", number);
	check_wrong("DUNE_MAX_FRAME_BYTES", "4096 ", number);
	check_wrong("DUNE_LOG_LEVEL", "inf", "one of debug|info|warn|error");
	check_wrong("DUNE_LOG_LEVEL", "info|warn", "one of debug|info|warn|error");
	check_wrong("DUNE_RUN_DIR", "/dev/null", "a directory");
	check_wrong("DUNE_FRAMES_TO", "unix:/a,", "a list of unix:PATH, with commas between");
	check_wrong("DUNE_LISTEN", "x",
	    "a list of host:port, [::]:port or unix:PATH, 16 at most, with commas between");
}

TEST(env_check_passes_silently)
{
	setenv("DUNE_SOURCE", "-", 1);
	run("--check");
	CHECK_INT(got.status, 0);
	CHECK_STRING(got.err, "");
	setenv("DUNE_MAX_FRAME_BYTES", "1024", 1);
	run("--check");
	CHECK_INT(got.status, 0);
}

TEST(env_help_and_version_need_no_good_settings)
{
	setenv("DUNE_MAX_FRAME_BYTES", "junk", 1);
	setenv("DUNE_SOURCE",
	    "mongodb://user:pa@ss/word@host/db?tlsCertificateKeyFilePassword=x&a=b", 1);
	setenv("DUNE_X_SECRET", "hush", 1);
	run("--help");
	CHECK_INT(got.status, 0);
	CHECK_STRING(got.err, "");
	CHECK(strstr(got.out, "usage: testd [--help") == got.out);
	CHECK(strstr(got.out, "128 to 67108864; default 1048576; now junk\n") != NULL);
	CHECK(strstr(got.out, "default unix:$DUNE_RUN_DIR/frames.sock,") != NULL);
	CHECK(strstr(got.out, "no default; now unset\n") != NULL);
	CHECK(strstr(got.out, "now unix:/run/dune/frames.sock,unix:/var/lib/dune/x\n") != NULL);
	CHECK(strstr(got.out,
		  "required; now mongodb://user:****@host/db"
		  "?tlsCertificateKeyFilePassword=****&a=b\n") != NULL);
	CHECK(strstr(got.out, "no default; now ****\n") != NULL);
	CHECK(strstr(got.out, "hush") == NULL);
	CHECK(strstr(got.out, "\nMore words.\n") != NULL);
	run("--version");
	CHECK_INT(got.status, 0);
	CHECK_STRING(got.out, "testd " DUNE_VERSION "\n");
}

TEST(env_refuses_unknown_arguments)
{
	run("-x");
	CHECK_INT(got.status, 100);
	CHECK_STRING(
	    got.err, "ERROR: testd: fatal: unknown argument \"-x\"; --help tells what there is\n");
}

TEST(env_checks_listen_addresses)
{
	static const char *const good[] = {"0.0.0.0:8080", "localhost:0", "[::]:8080",
	    "[::1]:65535", "*:80", ":80", "unix:/a/b.sock", "unix:x,127.0.0.1:1,[::]:2", "a:1, b:2",
	    "a-b_c.example:1", "[fe80::1%eth0]:1", "[::ffff:1.2.3.4]:1",
	    "a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1"};
	static const char *const bad[] = {"8080", "a:65536", "a:", "a:-1", "a:b", "::1:80",
	    "[::1]80", "[]:80", "[::1:80", "unix:", ",", "a:1,", ",a:1", "a:1,,b:2", "a:1, ",
	    "999.1.1.1:80", "1.2.3:80", "[zz]:80", "[1.2.3.4]:80", "[::1%]:80", "a b:80", "a/b:80",
	    "http://a:80", "a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1"};
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (env_check_listen(good[i]) != NULL)
			unit_fail(__FILE__, __LINE__, "refused: %s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (env_check_listen(bad[i]) == NULL)
			unit_fail(__FILE__, __LINE__, "passed: %s", bad[i]);
	char path[200] = "unix:";
	memset(path + 5, 'x', 107);
	CHECK(env_check_listen(path) == NULL);
	memset(path + 5, 'x', 108);
	CHECK(env_check_listen(path) != NULL);
	CHECK(env_check_unix_list("unix:/a,unix:/b") == NULL);
	CHECK(env_check_unix_list("localhost:1") != NULL);
	CHECK(env_check_directory("/nonexistent/yet") == NULL);
	CHECK(env_check_directory("/tmp") == NULL);
	CHECK(env_check_directory(path + 5) != NULL);
}

TEST(notify_says_it_once)
{
	int ends[2];
	char text[16], number[16];
	CHECK_INT(pipe(ends), 0);
	snprintf(number, sizeof(number), "%d", ends[1]);
	setenv("DUNE_NOTIFY_FD", number, 1);
	notify_init();
	CHECK(getenv("DUNE_NOTIFY_FD") == NULL);
	CHECK_INT(fcntl(ends[1], F_GETFD), FD_CLOEXEC);
	notify_ready();
	notify_ready();
	CHECK_INT(read(ends[0], text, sizeof(text)), 1);
	CHECK_INT(text[0], '\n');
	CHECK_INT(read(ends[0], text, sizeof(text)), 0);
	close(ends[0]);
}

static void
check_told(const char *name, size_t length)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char text[16], shown[sizeof(address.sun_path)];
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	memcpy(address.sun_path, name, length);
	CHECK_INT(bind(fd, (const struct sockaddr *)&address,
		      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
	    0);
	snprintf(shown, sizeof(shown), "%s%s", name[0] ? "" : "@", name[0] ? name : name + 1);
	setenv("NOTIFY_SOCKET", shown, 1);
	notify_init();
	CHECK(getenv("NOTIFY_SOCKET") == NULL);
	notify_ready();
	notify_ready();
	CHECK_INT(recv(fd, text, sizeof(text), MSG_DONTWAIT), 7);
	CHECK(memcmp(text, "READY=1", 7) == 0);
	CHECK_INT(recv(fd, text, sizeof(text), MSG_DONTWAIT), -1);
	close(fd);
}

TEST(notify_tells_systemd)
{
	char path[100], name[100];
	snprintf(path, sizeof(path), "%s/notify", unit_directory());
	check_told(path, strlen(path));
	int length = snprintf(name, sizeof(name), "%cdune-test-%d", 0, (int)getpid());
	check_told(name, (size_t)length);
	/* Nobody is there: that is no reason to fail. */
	setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
	notify_init();
	log_init("test", LOG_ERROR, LOG_TEXT);
	notify_ready();
}

TEST(notify_does_without)
{
	setenv("DUNE_NOTIFY_FD", "", 1);
	notify_init();
	notify_ready();
}

TEST(notify_refuses_what_is_no_descriptor)
{
	static const char *const bad[] = {"x", "-1", "999", "99999999999"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		setenv("DUNE_NOTIFY_FD", bad[i], 1);
		capture(&got, notify_init);
		CHECK_INT(got.status, 100);
		CHECK(strstr(got.err, "fatal: DUNE_NOTIFY_FD: \"") != NULL);
	}
}
