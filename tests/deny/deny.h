// deny is the launcher of the tests that take a system call away from hull:
// what it starts, and all that comes of it, gets an error instead.
#ifndef DENY_H
#define DENY_H

#include <linux/filter.h>

// How a rule is decided: by the kernel with nothing but numbers, or by a
// helper process that looks at what an argument stands for.
enum judge { BY_NUMBER, BY_NAME, BY_PIDFD };

// A rule denies system calls of one number, if (arg & mask) == value.
struct rule {
	const char *name;
	long nr;
	int arg;
	unsigned mask, value;
	enum judge judge;
};

// A denial is what the command line asks for: NAME=ERRNO.
struct denial {
	const char *name;
	int error;
};

#define MAX_DENIALS 32

// rules.c
extern const struct rule rules[];
int parse(char *text, struct denial *to);
struct sock_fprog compile(const struct denial *list, int n, int *helped);

// helper.c: starts the helper, which waits for the listener of the filter at the
// other end of the socket returned; or is the helper
int start_helper(int argc, char **argv);
int above(int fd);
int help(int listener, const struct denial *list, int n);

#endif
