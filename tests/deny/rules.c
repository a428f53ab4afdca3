// What can be denied, and the filter that does it.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "deny.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#else
#define ARCH AUDIT_ARCH_AARCH64
#endif

#define CLONE_PIDFD_ 0x1000
#define P_PIDFD_ 3

const struct rule rules[] = {
	{ "openat2", SYS_openat2, 0, 0, 0, BY_NUMBER },
	{ "open_tree", SYS_open_tree, 0, 0, 0, BY_NUMBER },
	{ "move_mount", SYS_move_mount, 0, 0, 0, BY_NUMBER },
	{ "fsopen", SYS_fsopen, 0, 0, 0, BY_NUMBER },
	{ "fsconfig", SYS_fsconfig, 0, 0, 0, BY_NUMBER },
	{ "fsmount", SYS_fsmount, 0, 0, 0, BY_NUMBER },
	{ "fspick", SYS_fspick, 0, 0, 0, BY_NUMBER },
	{ "mount_setattr", SYS_mount_setattr, 0, 0, 0, BY_NUMBER },
	{ "pidfd_open", SYS_pidfd_open, 0, 0, 0, BY_NUMBER },
	{ "pidfd_send_signal", SYS_pidfd_send_signal, 0, 0, 0, BY_NUMBER },
	{ "pidfd_getfd", SYS_pidfd_getfd, 0, 0, 0, BY_NUMBER },
	{ "waitid-pidfd", SYS_waitid, 0, ~0U, P_PIDFD_, BY_NUMBER },
	{ "clone-pidfd", SYS_clone, 0, CLONE_PIDFD_, CLONE_PIDFD_, BY_NUMBER },
	{ "clone3", SYS_clone3, 0, 0, 0, BY_NUMBER },
	{ "close_range", SYS_close_range, 0, 0, 0, BY_NUMBER },
	{ "setns-pidfd", SYS_setns, 0, 0, 0, BY_PIDFD },
	{ "cgroup.kill", SYS_openat, 0, 0, 0, BY_NAME },
	{ "cgroup.kill", SYS_openat2, 0, 0, 0, BY_NAME },
	{ NULL, 0, 0, 0, 0, BY_NUMBER },
};

static int known(const char *name)
{
	for (const struct rule *r = rules; r->name; r++)
		if (!strcmp(r->name, name))
			return 1;
	return 0;
}

// parse reads NAME=ERRNO; the name of the error as in errno(3).
int parse(char *text, struct denial *to)
{
	char *equals = strchr(text, '=');
	if (!equals)
		return -1;
	*equals = 0;
	to->name = text;
	for (to->error = 1; to->error < 200; to->error++) {
		const char *name = strerrorname_np(to->error);
		if (name && !strcmp(name, equals + 1))
			return known(text) ? 0 : -1;
	}
	return -1;
}

// compile makes the filter. Each rule is five instructions and its end.
struct sock_fprog compile(const struct denial *list, int n, int *helped)
{
	static struct sock_filter code[8 * MAX_DENIALS];
	int len = 0;
	code[len++] =
		(struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	code[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	code[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	*helped = 0;
	for (int i = 0; i < n; i++)
		for (const struct rule *r = rules; r->name; r++) {
			if (strcmp(r->name, list[i].name) != 0)
				continue;
			unsigned verdict = SECCOMP_RET_ERRNO | list[i].error;
			unsigned arg = offsetof(struct seccomp_data, args) + 8 * r->arg; // its lower half
			if (r->judge != BY_NUMBER) {
				verdict = SECCOMP_RET_USER_NOTIF;
				*helped = 1;
			}
			struct sock_filter rule[] = {
				BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
				BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)r->nr, 0, 4),
				BPF_STMT(BPF_LD | BPF_W | BPF_ABS, arg),
				BPF_STMT(BPF_ALU | BPF_AND | BPF_K, r->mask),
				BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, r->value, 0, 1),
				BPF_STMT(BPF_RET | BPF_K, verdict),
			};
			memcpy(code + len, rule, sizeof rule);
			len += sizeof rule / sizeof *rule;
		}
	code[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return (struct sock_fprog){ (unsigned short)len, code };
}
