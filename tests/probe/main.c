// Usage: probe VERB [ARG...] [, VERB [ARG...]]...; without a verb it reports.
//
// Each verb that tries something prints one line, "VERB ARG...: ok" or
// "VERB ARG...: ERRNO", and the next one follows. See the verb tables.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"

// number reads decimal, octal and hexadecimal.
long number(const char *s)
{
	return strtol(s, NULL, 0);
}

static int say(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		printf("%s%s", i ? " " : "", argv[i]);
	putchar('\n');
	return 0;
}

static const struct verb main_verbs[] = {
	{ "report", 0, report }, // [PATH...]: everything as JSON, with these files too
	{ "say", 0, say },       // [WORD...]
	{ NULL, 0, NULL },
};

static const struct verb *find(const char *name)
{
	const struct verb *tables[] = { main_verbs, try_verbs, life_verbs, tty_verbs };
	for (unsigned t = 0; t < sizeof tables / sizeof *tables; t++)
		for (const struct verb *v = tables[t]; v->name; v++)
			if (!strcmp(v->name, name))
				return v;
	fprintf(stderr, "probe: no such verb: %s\n", name);
	exit(99);
}

static void perform(int argc, char **argv, int loud)
{
	const struct verb *v = find(argv[0]);
	if (argc - 1 < v->args) {
		fprintf(stderr, "probe: %s needs %d arguments\n", v->name, v->args);
		exit(99);
	}
	errno = 0;
	int r = v->run(argc - 1, argv + 1);
	if (loud || r < 0) {
		int e = errno;
		for (int i = 0; i < argc; i++)
			printf("%s%s", i ? " " : "", argv[i]);
		printf(": %s\n", r < 0 ? strerrorname_np(e) : "ok");
	}
	fflush(stdout);
}

// is_try tells the verbs whose outcome is printed from those that only fail aloud.
static int is_try(const char *name)
{
	for (const struct verb *v = try_verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return 1;
	return 0;
}

// setkey stands in for dockerd's hook: it keeps the state that it is given.
static int setkey(void)
{
	char state[8192];
	FILE *out = fopen("/run/libnetwork-setkey", "w");
	size_t n = fread(state, 1, sizeof state, stdin);
	return !out || n == 0 || fwrite(state, 1, n, out) != n || fclose(out);
}

int main(int argc, char **argv)
{
	if (!strcmp(argv[0], "libnetwork-setkey"))
		return setkey();
	if (argc < 2)
		return report(0, argv);
	for (int i = 1; i < argc;) {
		int end = i;
		while (end < argc && strcmp(argv[end], ",") != 0)
			end++;
		char *comma = argv[end];
		argv[end] = NULL;
		if (end > i)
			perform(end - i, argv + i, is_try(argv[i]));
		argv[end] = comma;
		i = end + 1;
	}
	return 0;
}
