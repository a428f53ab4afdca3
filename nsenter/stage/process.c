/* SPDX-License-Identifier: Apache-2.0
 * Builtins on the process: fork, capabilities, the way to execve(2).
 */
#include "stage.h"

#include <asm/errno.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/stat.h>

/* Born in the cgroup where the kernel allows it (Linux 5.7, and no filter
 * that hides clone3), moved there by its own first act elsewhere. */
static long fork_into(u64 flags, long cgroup)
{
	struct clone_args args = { .flags = flags | CLONE_PARENT };
	long pid = -ENOSYS;

	if (cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (u64)cgroup;
	}
	pid = sys2(__NR_clone3, &args, sizeof args);
	if (pid != -ENOSYS && pid != -EPERM && pid != -EINVAL && pid != -E2BIG)
		return pid;
	pid = sys5(__NR_clone, flags | CLONE_PARENT, 0, 0, 0, 0);
	if (pid == 0 && cgroup >= 0) {
		long fd = sys4(__NR_openat, cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC, 0);
		long r = fd < 0 ? fd : sys3(__NR_write, fd, "0", 1);

		sys1(__NR_close, fd);
		if (r < 0)
			return r;
	}
	return pid;
}

long op_fork(struct stage *s, u64 flags, long cgroup)
{
	char byte;
	long pid, r;

	pid = fork_into(flags, cgroup);
	if (pid < 0)
		return pid;
	if (pid > 0) {
		/* the parent opens the pid itself, while nobody can have reaped it */
		tell(s, MSG_FORKED, (s32)pid);
		quit(0);
	}
	do /* go on when the parent knows us */
		r = sys3(__NR_read, s->peer, &byte, 1);
	while (r == -EINTR);
	if (r < 1)
		quit(1);
	return 0;
}

/* 0 if the real user, with the real group, may execute path. */
static long may_exec(const char *path)
{
	struct stat st;
	long r = sys4(__NR_newfstatat, AT_FDCWD, path, &st, 0);

	if (r < 0)
		return r;
	if ((st.st_mode & S_IFMT) == S_IFDIR)
		return -EISDIR;
	if ((st.st_mode & S_IFMT) != S_IFREG)
		return -EACCES;
	return sys3(__NR_faccessat, AT_FDCWD, path, 1);
}

static long find(struct stage *s, const char *name, const char *path)
{
	u64 n = strlen(name), i = 0, j;
	long r, found = -ENOENT;

	for (j = 0; name[j]; j++)
		if (name[j] == '/') {
			if (n >= MAX_PATH)
				return -ENAMETOOLONG;
			memcpy(s->file, name, n + 1);
			return may_exec(s->file);
		}
	while (path[i]) {
		for (j = i; path[j] && path[j] != ':'; j++)
			;
		if (j > i && j - i + n + 2 <= MAX_PATH) { /* no empty entry: not the current directory */
			memcpy(s->file, path + i, j - i);
			s->file[j - i] = '/';
			memcpy(s->file + (j - i) + 1, name, n + 1);
			r = may_exec(s->file);
			if (r == 0)
				return 0;
			if (r == -EACCES)
				found = r;
		}
		i = path[j] ? j + 1 : j;
	}
	return found;
}

long op_lookpath(struct stage *s, const char *name, const char *path, u32 uid, u32 gid)
{
	u32 ruid, rgid, id;
	long r;

	/* faccessat(2) asks for the real ids: become the user for a moment */
	sys3(__NR_getresuid, &ruid, &id, &id);
	sys3(__NR_getresgid, &rgid, &id, &id);
	r = sys3(__NR_setresgid, gid, -1, -1);
	if (r < 0)
		return r;
	r = sys3(__NR_setresuid, uid, -1, -1);
	if (r < 0)
		return r;
	r = find(s, name, path);
	sys3(__NR_setresuid, ruid, -1, -1);
	sys3(__NR_setresgid, rgid, -1, -1);
	return r;
}

long op_drop_bounding(u64 keep)
{
	long cap, r;

	for (cap = 0; cap < 64; cap++) {
		if (keep & (1UL << cap))
			continue;
		r = sys5(__NR_prctl, PR_CAPBSET_DROP, cap, 0, 0, 0);
		if (r == -EINVAL) /* beyond the kernel's last capability */
			return 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* getcwd(2) says (unreachable) where the directory is not below our root: a
 * descriptor of the host that leaked would give such a one (CVE-2024-21626). */
long op_cwd(void)
{
	char path[MAX_PATH];
	long r = sys2(__NR_getcwd, path, sizeof path);

	if (r < 0)
		return r;
	return path[0] == '/' ? 0 : -ENOENT;
}

static const char **pointers(const char **at, const char *strings, u64 n)
{
	while (n--) {
		*at++ = strings;
		strings += strlen(strings) + 1;
	}
	return at;
}

long op_exec(struct stage *s, const char *argv, u64 argc, const char *envp, u64 envc)
{
	u64 size = (argc + envc + 3) * sizeof(char *);
	long at = sys6(__NR_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const char **args = (const char **)at, **env;

	if (at < 0 && at >= -4095)
		return at;
	env = pointers(args, argv, argc) + 1;
	envp = (const char *)pointers(env, envp, envc);
	if (s->answer.text[0])
		*(const char **)envp = s->answer.text;
	return sys3(__NR_execve, s->file, args, env);
}
