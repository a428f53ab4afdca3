// Just enough JSON to report: objects, arrays, strings and integers on stdout.
#include <stdio.h>
#include <string.h>

#include "probe.h"

static int comma;

static void key(const char *k)
{
	if (comma)
		putchar(',');
	comma = 1;
	if (k) {
		comma = 0;
		json_str(NULL, k, -1);
		putchar(':');
	}
}

void json_open(const char *k, char bracket)
{
	key(k);
	putchar(bracket);
	comma = 0;
}

void json_close(char bracket)
{
	putchar(bracket);
	comma = 1;
}

// json_str writes n bytes of s, or all of it when n is negative. Bytes that
// are not ASCII are written as Latin-1, which keeps them apart.
void json_str(const char *k, const char *s, long n)
{
	key(k);
	putchar('"');
	for (long i = 0; n < 0 ? s[i] != 0 : i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 32 || c > 126)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
	comma = 1;
}

void json_num(const char *k, long long n)
{
	key(k);
	printf("%lld", n);
	comma = 1;
}
