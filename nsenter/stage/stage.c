/* SPDX-License-Identifier: Apache-2.0
 * The stage: performs a plan (internal/plan) from its first operation to the
 * one that execs the user's program, or to the first that fails.
 *
 * It is started with argv[1] the number of its first descriptor: the socket
 * to the parent, then the plan, the inherited files in the plan's order, and
 * the stage's own executable, and, if it is to note times, the memory for them.
 * It never allocates, never returns, and trusts the plan, which is sealed and
 * comes from the parent alone.
 */
#include "stage.h"

#include <linux/auxvec.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/prctl.h>

/* errno.h would bring libc's errno along */
#include <asm/errno.h>

#define AGAIN_LIMIT 1000

void *memcpy(void *to, const void *from, u64 n)
{
	char *t = to;
	const char *f = from;

	while (n--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int c, u64 n)
{
	char *t = to;

	while (n--)
		*t++ = (char)c;
	return to;
}

u64 strlen(const char *s)
{
	u64 n = 0;

	while (s[n])
		n++;
	return n;
}

static u64 value(const struct stage *s, const struct op *op, int i)
{
	switch (op->kinds[i]) {
	case ARG_BLOB:
		return (u64)(s->data + op->arg[i]);
	case ARG_REG:
		return (long)op->arg[i] < 0 ? (u64)-1 : (u64)s->reg[op->arg[i]];
	default:
		return op->arg[i];
	}
}

static long perform(struct stage *s, const struct op *op)
{
	u64 a[6];
	long r;
	int i;

	for (i = 0; i < 6; i++)
		a[i] = value(s, op, i);
	switch (op->kind) {
	case OP_NOP:
		return (long)a[0];
	case OP_ASK:
		return op_ask(s, op);
	case OP_MKDIR:
	case OP_MKFILE:
		return op_make((long)a[0], (char *)a[1], (u32)a[2], op->kind == OP_MKFILE);
	case OP_CHECK:
		return op_check((long)a[0], a[1], (u32)a[2], a[3]);
	case OP_SAME:
		return op_same((long)a[0], (long)a[1]);
	case OP_WRITE:
		return op_write((long)a[0], (char *)a[1], (void *)a[2], (void *)a[3], a[4]);
	case OP_FORK:
		return op_fork(s, a[0], (long)a[1]);
	case OP_LOOKPATH:
		return op_lookpath(s, (char *)a[0], (char *)a[1], (u32)a[2], (u32)a[3]);
	case OP_HOLD:
		return op_hold(s, (int)a[0]);
	case OP_SECCOMP:
		return op_seccomp(s, (void *)a[0], a[1], a[2]);
	case OP_DROP_BOUNDING:
		return op_drop_bounding(a[0]);
	case OP_CWD:
		return op_cwd();
	case OP_EXEC:
		return op_exec(s, (char *)a[0], a[1], (char *)a[2], a[3]);
	default:
		break;
	}
	/* openat2 says EAGAIN while somebody renames; see openat2(2). */
	for (i = 0; i < AGAIN_LIMIT; i++) {
		r = sys6(op->kind, (long)a[0], (long)a[1], (long)a[2], (long)a[3], (long)a[4], (long)a[5]);
		if (r != -EINTR && !(r == -EAGAIN && op->kind == __NR_openat2))
			break;
	}
	return r;
}

static int tolerated(const struct op *op, long error)
{
	int i;

	for (i = 0; i < 6 && op->errnos[i]; i++)
		if (op->errnos[i] == error || op->errnos[i] == ANY_ERRNO)
			return 1;
	return 0;
}

/* Nanoseconds of CLOCK_REALTIME: time namespaces move every other clock. */
static void note_time(struct stage *s, u32 at)
{
	long now[2];

	if (!s->times)
		return;
	sys2(__NR_clock_gettime, 0, now);
	s->times[at] = (u64)now[0] * 1000000000 + (u64)now[1];
}

/* Notes times in the memory file fd from now on, if it is one. */
void share_times(struct stage *s, long fd)
{
	u64 size = (s->plan->nops + 1) * sizeof(u64);
	long at = -1;

	if (sys3(__NR_lseek, fd, 0, 2) >= (long)size)
		at = sys6(__NR_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	sys1(__NR_close, fd);
	if (at < 0)
		return;
	s->times = (u64 *)at;
	note_time(s, 0);
}

static _Noreturn void run(struct stage *s)
{
	while (s->pc < s->plan->nops) {
		const struct op *op = &s->ops[s->pc];
		long r;

		if (op->kind == OP_SECCOMP || op->kind == OP_HOLD)
			s->times = 0; /* the filter may forbid to ask; who waits is not timed */
		r = perform(s, op);

		if (r < 0 && r >= -4095 && !tolerated(op, -r))
			give_up(s, (s32)-r);
		/* an ask with registers has filled them itself */
		if (op->dst >= 0 && op->kind != OP_ASK)
			s->reg[op->dst] = op->kind == __NR_close ? -1 : r;
		if (r < 0 && r >= -4095)
			s->tolerated = (s32)-r;
		note_time(s, s->pc + 1);
		s->pc = r < 0 && r >= -4095 ? op->on_err : op->on_ok;
	}
	give_up(s, ENOEXEC); /* a plan ends with an exec */
}

/* Whatever the caller ignores, the program does not: make(1) for one hands
 * down an ignored signal 32. Handlers have gone with the exec. */
static void default_signals(void)
{
	static const u64 action[4]; /* struct sigaction of the kernel: SIG_DFL, nothing else */
	int signal;

	for (signal = 1; signal <= 64; signal++)
		sys4(__NR_rt_sigaction, signal, action, 0, sizeof(u64));
}

static struct stage stage;

/* What the compiler's stack protector compares, and calls when they differ. */
u64 __stack_chk_guard;

__attribute__((used)) _Noreturn void __stack_chk_fail(void)
{
	quit(2);
}

/* Sixteen random bytes that the kernel gives to every program, getauxval(3): they
 * come behind the arguments and the environment. The lowest byte stays 0, which
 * no string writes. */
__attribute__((no_stack_protector)) static void guard_stack(const long *sp)
{
	const u64 *aux;

	sp += sp[0] + 2;
	while (*sp)
		sp++;
	for (aux = (const u64 *)(sp + 1); aux[0] != AT_NULL; aux += 2)
		if (aux[0] == AT_RANDOM)
			__stack_chk_guard = *(const u64 *)aux[1] << 8;
}

/* Called by _start with the initial stack: argc, then argv. */
__attribute__((used, no_stack_protector)) _Noreturn void stage_main(long *sp)
{
	struct stage *s = &stage;
	const char *number = ((char **)(sp + 1))[1];
	const u16 *regs;
	int first = 0;
	long size, at;
	u32 i;

	guard_stack(sp);
	if (sp[0] < 2)
		quit(2);
	while (*number)
		first = first * 10 + (*number++ - '0');
	s->peer = first;
	sys5(__NR_prctl, PR_SET_NAME, STAGE_NAME, 0, 0, 0);

	size = sys3(__NR_lseek, first + 1, 0, 2);
	if (size < (long)sizeof(struct header))
		quit(2);
	at = sys6(__NR_mmap, 0, size, PROT_READ, MAP_PRIVATE, first + 1, 0);
	if (at < 0 && at >= -4095)
		quit(2);
	s->plan = (struct header *)at;
	if (s->plan->magic != PLAN_MAGIC || s->plan->size != size)
		quit(2);
	s->ops = (struct op *)(s->plan + 1);
	s->data = (char *)at + s->plan->data_at;
	regs = (u16 *)((char *)at + s->plan->regs_at);

	for (i = 0; i < MAX_REGS; i++)
		s->reg[i] = -1;
	for (i = 0; i < s->plan->nfiles; i++) {
		s->reg[regs[i]] = first + 2 + (int)i;
		sys3(__NR_fcntl, first + 2 + i, F_SETFD, FD_CLOEXEC);
	}
	sys3(__NR_fcntl, first, F_SETFD, FD_CLOEXEC);
	sys1(__NR_close, first + 1);
	sys1(__NR_close, first + 2 + s->plan->nfiles); /* our own executable */
	if (s->plan->timed)
		share_times(s, first + 3 + s->plan->nfiles);
	default_signals();
	run(s);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall "
	"stage_main\n\thlt\n");
#else
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tbl stage_main\n\tbrk #0\n");
#endif
