/* SPDX-License-Identifier: Apache-2.0
 * Debian builds libseccomp.a against glibc with _FORTIFY_SOURCE, so it calls
 * one function that only glibc has. Linked with musl, this stands in for it.
 */
#include <stdarg.h>
#include <stdio.h>

#ifndef __GLIBC__

int __fprintf_chk(FILE *file, int level, const char *format, ...)
{
	va_list args;
	int n;

	(void)level; /* how far glibc would check the format for %n */
	va_start(args, format);
	n = vfprintf(file, format, args);
	va_end(args);
	return n;
}

#endif
