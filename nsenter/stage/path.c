/* SPDX-License-Identifier: Apache-2.0
 * Builtins on files: making what is missing below a root that a hostile
 * process may be changing, verifying what a descriptor is, writing a file.
 */
#include "stage.h"

#include <asm/errno.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#define MAX_LINKS 40
#define AGAIN_LIMIT 1000

static long open_in_root(long root, const char *path, u64 flags)
{
	struct open_how how = { .flags = flags | O_PATH | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	long fd = -EAGAIN;
	int i;

	for (i = 0; i < AGAIN_LIMIT && fd == -EAGAIN; i++)
		fd = sys4(__NR_openat2, root, path, &how, sizeof how);
	return fd;
}

/* The first name of path at or after *at that does not exist: its parent is
 * opened, *at is where it begins and *end where it ends. 0: all exists. */
static long first_missing(long root, char *path, u64 *at, u64 *end, long *parent)
{
	u64 i = 0;

	for (;;) {
		char keep;
		long fd;

		while (path[i] == '/')
			i++;
		if (!path[i])
			return 0;
		*at = i;
		while (path[i] && path[i] != '/')
			i++;
		*end = i;
		keep = path[i];
		path[i] = 0;
		fd = open_in_root(root, path, 0);
		path[i] = keep;
		if (fd >= 0) {
			sys1(__NR_close, fd);
			continue;
		}
		if (fd != -ENOENT)
			return fd;
		keep = path[*at];
		path[*at] = 0;
		*parent = open_in_root(root, *at ? path : ".", O_DIRECTORY);
		path[*at] = keep;
		return *parent < 0 ? *parent : 1;
	}
}

/* Puts the link's target in place of the name at [at, end) of path. */
static long follow(char *path, u64 at, u64 end, const char *target, long len)
{
	char rest[MAX_PATH];
	u64 tail = strlen(path + end) + 1;
	u64 head = target[0] == '/' ? 0 : at;

	if (head + (u64)len + tail > MAX_PATH)
		return -ENAMETOOLONG;
	memcpy(rest, path + end, tail);
	memcpy(path + head, target, (u64)len);
	memcpy(path + head + len, rest, tail);
	return 0;
}

long op_make(long root, const char *want, u32 mode, int file)
{
	char path[MAX_PATH], name[256], target[MAX_PATH];
	u64 at = 0, end = 0;
	int tries;
	long r;

	r = open_in_root(root, want, 0);
	if (r != -ENOENT)
		return r;
	if (strlen(want) >= MAX_PATH)
		return -ENAMETOOLONG;
	memcpy(path, want, strlen(want) + 1);
	/* Every turn makes one name or follows one dangling link; a rename
	 * beside us may cost a turn, and cannot lead us out of root. */
	for (tries = 0; tries < MAX_LINKS + MAX_PATH / 2; tries++) {
		long parent = -1, len;
		int last;

		r = first_missing(root, path, &at, &end, &parent);
		if (r < 0)
			return r;
		if (r == 0)
			return open_in_root(root, path, 0);
		if (end - at > sizeof name - 1) {
			sys1(__NR_close, parent);
			return -ENAMETOOLONG;
		}
		memcpy(name, path + at, end - at);
		name[end - at] = 0;
		last = !path[end];
		len = sys4(__NR_readlinkat, parent, name, target, sizeof target);
		if (len > 0)
			r = len == sizeof target ? -ENAMETOOLONG : follow(path, at, end, target, len);
		else if (last && file)
			r = sys4(__NR_mknodat, parent, name, S_IFREG | mode, 0);
		else
			r = sys3(__NR_mkdirat, parent, name, last ? mode : 0755);
		sys1(__NR_close, parent);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	return -ELOOP;
}

long op_check(long fd, u64 fstype, u32 ifmt, u64 rdev)
{
	u64 fs[32]; /* struct statfs is 120 bytes, f_type first */
	struct stat st;
	long r;

	if (fstype) {
		r = sys2(__NR_fstatfs, fd, fs);
		if (r < 0)
			return r;
		if (fs[0] != fstype)
			return -ESTALE;
	}
	r = sys2(__NR_fstat, fd, &st);
	if (r < 0)
		return r;
	if ((ifmt && (st.st_mode & S_IFMT) != ifmt) || (rdev && st.st_rdev != rdev))
		return -ESTALE;
	return 0;
}

long op_same(long a, long b)
{
	struct stat sa, sb;
	long r = sys2(__NR_fstat, a, &sa);

	if (r >= 0)
		r = sys2(__NR_fstat, b, &sb);
	if (r < 0)
		return r;
	return sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino ? 0 : -ESTALE;
}

long op_write(long dir, const char *path, const void *how, const void *data, u64 len)
{
	long fd = sys4(__NR_openat2, dir, path, how, sizeof(struct open_how));
	long r;

	if (fd < 0)
		return fd;
	r = sys3(__NR_write, fd, data, len);
	sys1(__NR_close, fd);
	return r >= 0 && (u64)r != len ? -EIO : r;
}
