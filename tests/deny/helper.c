// The helper decides where the kernel's filter cannot: a filter sees numbers,
// not the name behind a pointer nor the file behind a descriptor. It lives as
// long as any process with the filter, and belongs to none of them.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deny.h"

// above makes a descriptor one that is none of the standard streams, which the test may have closed.
int above(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	close(fd);
	return copy;
}

static int receive(int sock)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
	};
	if (recvmsg(sock, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		exit(1); // the launcher could not install the filter, and has said so
	int fd;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof fd);
	return above(fd);
}

// start_helper executes this program anew: nothing of the launcher's environment,
// directory or open files tells the test that the helper came of its command.
int start_helper(int argc, char **argv)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	pair[0] = above(pair[0]);
	pair[1] = above(pair[1]);
	pid_t pid = fork();
	if (pid < 0)
		return -1;
	if (pid > 0) {
		waitpid(pid, NULL, 0);
		close(pair[1]);
		return pair[0];
	}
	if (fork() != 0)
		_exit(0);
	setsid();
	if (chdir("/") < 0)
		exit(1);
	char *args[MAX_DENIALS + 3] = { "deny", "--help-with" };
	for (int i = 0; i < argc && i < MAX_DENIALS; i++)
		args[i + 2] = argv[i];
	int self = above(open("/proc/self/exe", O_PATH | O_CLOEXEC));
	int null = above(open("/dev/null", O_RDWR | O_CLOEXEC));
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	int listener = receive(pair[1]);
	// 3 is where the listener goes; the socket's end is the sign that this has been executed.
	if (self == 3)
		self = fcntl(self, F_DUPFD_CLOEXEC, 4);
	if (pair[1] == 3)
		fcntl(pair[1], F_DUPFD_CLOEXEC, 4);
	dup2(listener, 3);
	fcntl(3, F_SETFD, 0);
	syscall(SYS_close_range, 4, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
	syscall(SYS_execveat, self, "", args, (char *[]){ NULL }, AT_EMPTY_PATH);
	_exit(1);
}

// string reads a string of the process, "" if it cannot.
static void string(pid_t pid, unsigned long at, char *to, size_t size)
{
	char name[64];
	snprintf(name, sizeof name, "/proc/%d/mem", pid);
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pread(fd, to, size - 1, (off_t)at);
	close(fd);
	to[n < 0 ? 0 : n] = 0;
}

static int by_name(const struct seccomp_notif *n, const char *name)
{
	char path[PATH_MAX];
	string((pid_t)n->pid, n->data.args[1], path, sizeof path);
	const char *slash = strrchr(path, '/');
	return !strcmp(slash ? slash + 1 : path, name);
}

static int by_pidfd(const struct seccomp_notif *n)
{
	char name[64], target[64];
	snprintf(name, sizeof name, "/proc/%d/fd/%d", n->pid, (int)n->data.args[0]);
	ssize_t len = readlink(name, target, sizeof target - 1);
	target[len < 0 ? 0 : len] = 0;
	return strstr(target, "pidfd") != NULL;
}

static int denied(const struct seccomp_notif *n, const struct denial *list, int len)
{
	for (int i = 0; i < len; i++)
		for (const struct rule *r = rules; r->name; r++) {
			if (strcmp(r->name, list[i].name) != 0 || r->nr != n->data.nr)
				continue;
			if (r->judge == BY_NAME ? by_name(n, r->name) : r->judge == BY_PIDFD && by_pidfd(n))
				return -list[i].error;
		}
	return 0;
}

int help(int listener, const struct denial *list, int len)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	while (poll(&p, 1, -1) >= 0 || errno == EINTR) {
		struct seccomp_notif n = { 0 };
		if (p.revents & POLLHUP)
			return 0; // the last process with the filter has ended
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n) < 0)
			continue; // it was killed meanwhile
		struct seccomp_notif_resp r = { .id = n.id, .error = denied(&n, list, len) };
		r.flags = r.error ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r);
	}
	return 1;
}
