// Usage: deny NAME=ERRNO... -- COMMAND [ARG...]
//
// Runs the command with a seccomp filter that lets the named system calls fail:
// for the command, and for everything that it starts. See rules.c for the names.
// It must be root: no_new_privs is not set, for the command would show that.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "deny.h"

static int fail(const char *what)
{
	fprintf(stderr, "deny: %s: %s\n", what, strerror(errno));
	return 125;
}

static int send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { "", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct denial list[MAX_DENIALS];
	char copy[MAX_DENIALS][64];
	int first = 1, n = 0, helped, helper = -1;
	char byte;
	int helping = argc > 1 && !strcmp(argv[1], "--help-with");

	for (int i = first += helping; i < argc && strcmp(argv[i], "--") != 0; i++, n++) {
		if (n == MAX_DENIALS ||
		    snprintf(copy[n], sizeof copy[n], "%s", argv[i]) >= (int)sizeof copy[n] ||
		    parse(copy[n], &list[n]) < 0) {
			fprintf(stderr, "deny: cannot deny %s\n", argv[i]);
			return 125;
		}
	}
	if (helping)
		return help(3, list, n);
	if (first + n + 1 >= argc) {
		fprintf(stderr, "usage: deny NAME=ERRNO... -- COMMAND [ARG...]\n");
		return 125;
	}
	struct sock_fprog filter = compile(list, n, &helped);
	if (helped && (helper = start_helper(n, argv + first)) < 0)
		return fail("helper");
	int fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			      helped ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0, &filter);
	if (fd < 0)
		return fail("seccomp");
	if (helped)
		fd = above(fd);
	// The end of the file says that the helper is itself, and has this process's name no more.
	if (helped &&
	    (send_fd(helper, fd) < 0 || close(fd) < 0 || read(helper, &byte, 1) != 0 || close(helper) < 0))
		return fail("helper");
	execvp(argv[first + n + 1], argv + first + n + 1);
	return fail(argv[first + n + 1]);
}
