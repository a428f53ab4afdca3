// Verbs about living and dying.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

static int do_exit(int argc, char **argv)
{
	(void)argc;
	fflush(stdout);
	_exit((int)number(argv[0]));
}

static int do_sleep(int argc, char **argv)
{
	(void)argc;
	sleep((unsigned)number(argv[0]));
	return 0;
}

static int do_raise(int argc, char **argv)
{
	(void)argc;
	signal((int)number(argv[0]), SIG_DFL);
	return kill(getpid(), (int)number(argv[0]));
}

static int do_ignore(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (signal((int)number(argv[i]), SIG_IGN) == SIG_ERR)
			return -1;
	return 0;
}

static void caught(int sig)
{
	char line[32];
	int n = snprintf(line, sizeof line, "signal %d\n", sig);
	if (write(1, line, (size_t)n) < 0)
		_exit(98);
}

// trap SIG...: print "signal N" for each of them from now on.
static int do_trap(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = caught, .sa_flags = SA_RESTART };
	for (int i = 0; i < argc; i++)
		if (sigaction((int)number(argv[i]), &sa, NULL))
			return -1;
	return 0;
}

// leave SIG STATUS: exit with STATUS at the signal.
static int status;
static void out(int sig)
{
	(void)sig;
	_exit(status);
}
static int do_leave(int argc, char **argv)
{
	(void)argc;
	struct sigaction sa = { .sa_handler = out };
	status = (int)number(argv[1]);
	return sigaction((int)number(argv[0]), &sa, NULL);
}

__attribute__((noreturn)) static int do_pause(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (;;)
		pause();
}

// fork N: N children that sleep for ever; prints how many there are.
static int do_fork(int argc, char **argv)
{
	(void)argc;
	int made = 0, r = 0;
	fflush(stdout);
	for (int i = 0; i < number(argv[0]); i++) {
		pid_t pid = fork();
		if (pid == 0)
			do_pause(0, NULL);
		r = pid < 0 ? -1 : 0;
		made += pid > 0;
	}
	int e = errno;
	printf("forked %d\n", made);
	errno = e;
	return r;
}

// orphans N: N sleeping grandchildren whose parent is gone.
static int do_orphans(int argc, char **argv)
{
	(void)argc;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		for (int i = 0; i < number(argv[0]); i++)
			if (fork() == 0)
				do_pause(0, NULL);
		_exit(0);
	}
	return waitpid(pid, NULL, 0) < 0 ? -1 : 0;
}

static int do_alloc(int argc, char **argv)
{
	(void)argc;
	size_t n = (size_t)number(argv[0]);
	char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -1;
	memset(p, 1, n);
	printf("allocated %zu\n", n);
	return 0;
}

__attribute__((noreturn)) static int do_spin(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (volatile int i = 0;; i++)
		;
}

// cat PATH: its contents as they are.
static int do_cat(int argc, char **argv)
{
	(void)argc;
	char buf[4096];
	FILE *f = fopen(argv[0], "re");
	if (!f)
		return -1;
	for (size_t n; (n = fread(buf, 1, sizeof buf, f)) > 0;)
		fwrite(buf, 1, n, stdout);
	int r = ferror(f) ? -1 : 0;
	int e = errno;
	fclose(f);
	errno = e;
	return r;
}

const struct verb life_verbs[] = {
	{ "exit", 1, do_exit },     { "sleep", 1, do_sleep }, // SECONDS
	{ "raise", 1, do_raise },                             // SIGNAL
	{ "ignore", 1, do_ignore }, { "trap", 1, do_trap },   { "leave", 2, do_leave },
	{ "pause", 0, do_pause },   { "fork", 1, do_fork },   { "orphans", 1, do_orphans },
	{ "alloc", 1, do_alloc }, // BYTES
	{ "spin", 0, do_spin },     { "cat", 1, do_cat },     { NULL, 0, NULL },
};
