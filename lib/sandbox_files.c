/* SPDX-License-Identifier: MIT */
#include "lib/sandbox_files.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/sock.h"

/* What came after the headers of Debian 12. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14) /* ABI 3 */
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ULL << 0) /* ABI 4 */
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#endif
#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1) /* ABI 6 */
#endif

/* struct landlock_ruleset_attr as of ABI 6. An older kernel takes a longer one as long as what it
 * does not know is zero. */
struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

/* Files and sockets may be made, written and removed below the directories; the rest nowhere, but
 * that a program may be executed. */
#define WRITES                                                             \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |     \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
	    LANDLOCK_ACCESS_FS_MAKE_SOCK)
#define NEVER                                                              \
	(LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_DIR |     \
	    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK | \
	    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM |   \
	    LANDLOCK_ACCESS_FS_IOCTL_DEV)

static struct ruleset
rules_of(long abi, const struct sandbox *sandbox)
{
	struct ruleset rules = {.fs = WRITES | NEVER | LANDLOCK_ACCESS_FS_EXECUTE};

	if (abi < 5)
		rules.fs &= ~LANDLOCK_ACCESS_FS_IOCTL_DEV;
	if (abi < 3)
		rules.fs &= ~LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= 4 && !sandbox->internet)
		rules.net = LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP;
	/* Not sockets without a file: the supervisor's NOTIFY_SOCKET may be one. */
	if (abi >= 6)
		rules.scoped = LANDLOCK_SCOPE_SIGNAL;
	return rules;
}

static int
allow(int ruleset, const char *directory, uint64_t access)
{
	struct landlock_path_beneath_attr beneath = {.allowed_access = access};
	int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC), result;

	if (fd < 0) {
		log_debug("sandbox: %s: %s", directory, strerror(errno));
		return 0;
	}
	beneath.parent_fd = fd;
	result = (int)syscall(
	    SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
	fd_close(&fd);
	return result;
}

/* The directory of a file; `path` is changed. */
static int
allow_beside(int ruleset, char *path, uint64_t access)
{
	char *slash = strrchr(path, '/');

	if (slash != NULL)
		slash[slash == path] = '\0';
	return allow(ruleset, slash != NULL ? path : ".", access);
}

/* The path of this program's loader, as it stands in the program itself (elf(5), PT_INTERP). */
static int
find_loader(struct dl_phdr_info *program, size_t size UNUSED, void *out)
{
	const char **loader = out;

	for (int i = 0; i < program->dlpi_phnum; i++)
		if (program->dlpi_phdr[i].p_type == PT_INTERP)
			*loader = (const char *)(program->dlpi_addr +
			    program->dlpi_phdr[i].p_vaddr);
	/* The first one is the program. */
	return 1;
}

/* Shared libraries are mapped, which landlock does not look at; the loader is executed. */
static int
allow_program(int ruleset, const char *program)
{
	const char *name = NULL;
	char *path = mem_strdup(program), *loader;
	int result = allow_beside(ruleset, path, LANDLOCK_ACCESS_FS_EXECUTE);

	MEM_FREE(&path);
	dl_iterate_phdr(find_loader, &name);
	loader = name != NULL ? realpath(name, NULL) : NULL;
	if (result == 0 && loader != NULL)
		result = allow_beside(ruleset, loader, LANDLOCK_ACCESS_FS_EXECUTE);
	free(loader);
	return result;
}

/* The directories of the Unix sockets in a list of addresses. */
static int
allow_listen(int ruleset, const struct ruleset *rules, const char *listen)
{
	char *list = mem_strdup(listen), *rest = list, *item;
	int result = 0;

	while (result == 0 && (item = strsep(&rest, ","))) {
		char *path = item + strspn(item, " ");

		if (strncmp(path, "unix:", 5) == 0)
			result = allow_beside(ruleset, path + 5, WRITES & rules->fs);
	}
	MEM_FREE(&list);
	return result;
}

int
sandbox_files(const struct sandbox *sandbox, const struct sandbox_config *config)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset rules;
	int ruleset, result = 0;

	if (abi < 0)
		return -1;
	rules = rules_of(abi, sandbox);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	if (ruleset < 0)
		return -1;
	for (const char *const *one = config->directories; result == 0 && *one != NULL; one++)
		result = allow(ruleset, *one, WRITES & rules.fs);
	if (result == 0 && config->program != NULL)
		result = allow_program(ruleset, config->program);
	if (result == 0 && config->listen != NULL)
		result = allow_listen(ruleset, &rules, config->listen);
	if (result == 0)
		result = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
	fd_close(&ruleset);
	return result;
}
