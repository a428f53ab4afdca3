/* SPDX-License-Identifier: Apache-2.0
 * What the stage's files share. internal/plan/encode.go has the twins of the
 * structures and of the builtins' numbers; nsenter/serve.go of the messages.
 */
#ifndef STAGE_H
#define STAGE_H

#include "sys.h"

#define PLAN_MAGIC 0x6e616c70
#define MAX_REGS 1024
#define MAX_PATH 4096
#define STAGE_NAME "hull/stage" // stageName in serve.go
#define ANY_ERRNO 0xffff

enum builtin {
	OP_NOP = 1 << 16,
	OP_ASK,
	OP_MKDIR,
	OP_MKFILE,
	OP_CHECK,
	OP_WRITE,
	OP_FORK,
	OP_LOOKPATH,
	OP_HOLD,
	OP_SECCOMP,
	OP_DROP_BOUNDING,
	OP_CWD,
	OP_EXEC,
	OP_SAME,
};

enum arg_kind { ARG_NUMBER, ARG_BLOB, ARG_REG };

struct header {
	u32 magic, nops, nfiles, regs_at, data_at, size, timed, pad;
};

struct op {
	u32 kind;
	u32 on_err, on_ok; /* numbers of operations */
	s16 dst;           /* register for the result, -1 for none */
	u16 errnos[6];     /* tolerated */
	u8 kinds[6];       /* of arg: enum arg_kind */
	u64 arg[6];
};

_Static_assert(sizeof(struct header) == 32, "header is what Encode writes");
_Static_assert(sizeof(struct op) == 80, "op is what Encode writes");

/* Messages to the parent, or to whoever released the hold. */
enum message_kind { MSG_ASK = 1, MSG_FAILED, MSG_FORKED, MSG_LISTENER, MSG_HELD };

struct message {
	u32 kind;
	u32 op;
	s32 value; /* an errno, a pid, a descriptor's number; of an ask: which
		    * registers came along, and the last tolerated errno << 8 */
};

struct answer {
	s32 error; /* an errno: the parent knows more and the plan ends */
	u32 nfiles;
	char text[MAX_PATH];
};

struct stage {
	const struct header *plan;
	const struct op *ops;
	const char *data;
	u32 pc;
	int peer;      /* the socket to the parent, or to whoever released the hold */
	u64 *times;    /* where it is noted when each operation ended, or null */
	s32 tolerated; /* the errno of the last operation that was allowed to fail */
	long reg[MAX_REGS];
	char file[MAX_PATH]; /* what OP_LOOKPATH found */
	struct answer answer;
};

/* stage.c */
void share_times(struct stage *s, long fd);

/* talk.c */
long tell(struct stage *s, u32 kind, s32 value);
long op_ask(struct stage *s, const struct op *op);
long op_hold(struct stage *s, int listener);
long op_seccomp(struct stage *s, const void *prog, u64 len, u64 flags);
_Noreturn void give_up(struct stage *s, s32 error);

/* path.c */
long op_make(long root, const char *path, u32 mode, int file);
long op_check(long fd, u64 fstype, u32 ifmt, u64 rdev);
long op_same(long a, long b);
long op_write(long dir, const char *path, const void *how, const void *data, u64 len);

/* process.c */
long op_fork(struct stage *s, u64 flags, long cgroup);
long op_lookpath(struct stage *s, const char *name, const char *path, u32 uid, u32 gid);
long op_drop_bounding(u64 keep);
long op_cwd(void);
long op_exec(struct stage *s, const char *argv, u64 argc, const char *envp, u64 envc);

/* stage.c: what the compiler expects of a C library */
void *memcpy(void *to, const void *from, u64 n);
void *memset(void *to, int c, u64 n);
u64 strlen(const char *s);

#endif
