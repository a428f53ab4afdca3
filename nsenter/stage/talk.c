/* SPDX-License-Identifier: Apache-2.0
 * Builtins that talk: to the parent over the socket the stage was started
 * with, later to `start` over the connection that released the hold. The
 * stage speaks first; one packet is one message.
 */
#include "stage.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/seccomp.h>
#include <linux/socket.h>

/* linux/socket.h is for the kernel's ABI; these are in libc's sys/socket.h */
#define SOL_SOCKET_ 1
#define SCM_RIGHTS_ 1
#define MSG_NOSIGNAL_ 0x4000
#define MSG_CMSG_CLOEXEC_ 0x40000000
#define SOCK_CLOEXEC_ 02000000

struct iovec_ {
	void *base;
	u64 len;
};

struct msghdr_ {
	void *name;
	u32 namelen;
	struct iovec_ *iov;
	u64 iovlen;
	void *control;
	u64 controllen;
	u32 flags;
};

#define MAX_FILES 64

struct rights {
	u64 len;
	s32 level, type;
	s32 fd[MAX_FILES];
};

#define RIGHTS_HEADER 16UL

long tell(struct stage *s, u32 kind, s32 value)
{
	struct message m = { .kind = kind, .op = s->pc, .value = value };
	long r;

	do /* write, not sendmsg: filters that let anything through let this */
		r = sys3(__NR_write, s->peer, &m, sizeof m);
	while (r == -EINTR);
	return r;
}

_Noreturn void give_up(struct stage *s, s32 error)
{
	tell(s, MSG_FAILED, error);
	quit(1);
}

/* Waits for an answer; its descriptors go to consecutive registers from dst. */
static long hear(struct stage *s, int dst, u64 want)
{
	struct iovec_ iov = { &s->answer, sizeof s->answer - 1 };
	struct rights rights;
	struct msghdr_ msg = { .iov = &iov, .iovlen = 1, .control = &rights, .controllen = sizeof rights };
	u64 got = 0, i;
	long r;

	do
		r = sys3(__NR_recvmsg, s->peer, &msg, MSG_CMSG_CLOEXEC_);
	while (r == -EINTR);
	if (r < 8) /* the parent is gone */
		quit(1);
	((char *)&s->answer)[r] = 0;
	if (msg.controllen > RIGHTS_HEADER && rights.level == SOL_SOCKET_ && rights.type == SCM_RIGHTS_)
		got = (rights.len - RIGHTS_HEADER) / 4;
	for (i = 0; i < got && i < want && dst + i < MAX_REGS; i++)
		s->reg[dst + i] = rights.fd[i];
	if (s->answer.error) /* the parent has said what is wrong */
		quit(1);
	return got == want ? 0 : -EBADMSG;
}

long op_ask(struct stage *s, const struct op *op)
{
	struct message m = { .kind = MSG_ASK, .op = s->pc, .value = s->tolerated << 8 };
	struct iovec_ iov = { &m, sizeof m };
	struct rights rights = { .level = SOL_SOCKET_, .type = SCM_RIGHTS_ };
	struct msghdr_ msg = { .iov = &iov, .iovlen = 1 };
	u64 n = 0;
	long r;
	int i;

	for (i = 1; i < 6; i++)
		if (op->kinds[i] == ARG_REG && (long)op->arg[i] >= 0 && s->reg[op->arg[i]] >= 0) {
			rights.fd[n++] = (s32)s->reg[op->arg[i]];
			m.value |= 1 << (i - 1); /* which of them came along */
		}
	if (n) {
		rights.len = RIGHTS_HEADER + 4 * n;
		msg.control = &rights;
		msg.controllen = (rights.len + 7) & ~7UL;
	}
	do
		r = sys3(__NR_sendmsg, s->peer, &msg, MSG_NOSIGNAL_);
	while (r == -EINTR);
	if (r < 0)
		quit(1);
	return hear(s, op->dst, op->arg[0]);
}

/* One byte from whoever starts us, perhaps with memory to note times in. */
static long released(struct stage *s, long fd)
{
	char byte;
	struct iovec_ iov = { &byte, 1 };
	struct rights rights;
	struct msghdr_ msg = {
		.iov = &iov, .iovlen = 1, .control = &rights, .controllen = RIGHTS_HEADER + 8
	};

	if (sys3(__NR_recvmsg, fd, &msg, MSG_CMSG_CLOEXEC_) != 1)
		return 0;
	if (msg.controllen > RIGHTS_HEADER && rights.level == SOL_SOCKET_ && rights.type == SCM_RIGHTS_)
		share_times(s, rights.fd[0]);
	return 1;
}

long op_hold(struct stage *s, int listener)
{
	sys1(__NR_close, s->peer);
	for (;;) {
		long fd = sys4(__NR_accept4, listener, 0, 0, SOCK_CLOEXEC_);

		if (fd == -EINTR || fd == -ECONNABORTED)
			continue;
		if (fd < 0)
			return fd;
		/* `state` connects to learn that we wait, and says nothing */
		if (released(s, fd)) {
			sys1(__NR_close, listener);
			s->peer = (int)fd;
			return 0;
		}
		sys1(__NR_close, fd);
	}
}

long op_seccomp(struct stage *s, const void *filter, u64 len, u64 flags)
{
	struct {
		u16 len;
		const void *filter;
	} prog = { (u16)len, filter };
	char byte;
	long fd, r;

	fd = sys3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
	if (fd < 0 || !(flags & SECCOMP_FILTER_FLAG_NEW_LISTENER))
		return fd;
	if (tell(s, MSG_LISTENER, (s32)fd) < 0)
		quit(1); /* the filter forbids write: nobody could be told */
	do
		r = sys3(__NR_read, s->peer, &byte, 1);
	while (r == -EINTR);
	if (r < 1)
		quit(1);
	sys1(__NR_close, fd);
	return 0;
}
