// The probe is the program that the tests run inside containers. It is static,
// has no threads and needs little memory, so that it disturbs nothing it reports.
#ifndef PROBE_H
#define PROBE_H

// A verb is one thing the probe can do. run gets the verb's own arguments
// (NULL-terminated, without the verb) and returns 0, or -1 with errno set.
struct verb {
	const char *name;
	int args; // least number of arguments
	int (*run)(int argc, char **argv);
};

extern const struct verb try_verbs[], life_verbs[], tty_verbs[];

// report.c
int report(int argc, char **argv);

// json.c
void json_open(const char *key, char bracket);
void json_close(char bracket);
void json_str(const char *key, const char *s, long n);
void json_num(const char *key, long long n);

// main.c
long number(const char *s);
#endif
