// Verbs about terminals.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "probe.h"

static int size(int argc, char **argv)
{
	(void)argc, (void)argv;
	struct winsize ws;
	if (ioctl(0, TIOCGWINSZ, &ws))
		return -1;
	printf("size %d %d\n", ws.ws_row, ws.ws_col);
	return 0;
}

// resized N: print the size at once and at each of N changes.
static int resized(int argc, char **argv)
{
	(void)argc;
	sigset_t set;
	int sig;
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i <= number(argv[0]); i++) {
		if (size(0, NULL))
			return -1;
		fflush(stdout);
		if (i < number(argv[0]) && sigwait(&set, &sig))
			return -1;
	}
	return 0;
}

// controlling: is the terminal on stdin the session's, and who is in its foreground?
static int controlling(int argc, char **argv)
{
	(void)argc, (void)argv;
	printf("session %d foreground %d tty %s\n", tcgetsid(0) == getsid(0), tcgetpgrp(0) == getpgrp(),
	       ttyname(0));
	return 0;
}

// line: read one line of stdin and say it.
static int line(int argc, char **argv)
{
	(void)argc, (void)argv;
	char buf[256];
	if (!fgets(buf, sizeof buf, stdin))
		return -1;
	printf("line %s", buf);
	return 0;
}

const struct verb tty_verbs[] = {
	{ "size", 0, size }, { "resized", 1, resized }, { "controlling", 0, controlling },
	{ "line", 0, line }, { NULL, 0, NULL },
};
