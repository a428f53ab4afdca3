/* SPDX-License-Identifier: Apache-2.0
 * probe ABI NR [ARG …]: makes one system call and exits with its errno, 0 if it
 * succeeds. Numbers are hexadecimal. Makes no call but this and exit_group,
 * so the filter under test needs to let only that one through.
 *	native	the ABI the program is built for (with the x32 bit in NR: x32)
 *	int80	x86-64 only: 32-bit x86
 */

static unsigned long number(const char *s)
{
	unsigned long n = 0;

	for (; *s; s++)
		n = n * 16 + (unsigned long)(*s <= '9' ? *s - '0' : *s - 'a' + 10);
	return n;
}

#if defined(__x86_64__)
#define EXIT_GROUP 231
static long call(const unsigned long *a)
{
	register unsigned long r10 __asm__("r10") = a[4], r8 __asm__("r8") = a[5], r9 __asm__("r9") = a[6];
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "a"(a[0]), "D"(a[1]), "S"(a[2]), "d"(a[3]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return r;
}

static long int80(const unsigned long *a)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(a[0]), "b"(a[1]), "c"(a[2]), "d"(a[3]) : "memory", "r8", "r9", "r10", "r11");
	return (int)r;
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\n\tand $-16, %rsp\n\tcall start");
#elif defined(__aarch64__)
#define EXIT_GROUP 94
static long call(const unsigned long *a)
{
	register unsigned long x8 __asm__("x8") = a[0], x0 __asm__("x0") = a[1], x1 __asm__("x1") = a[2], x2 __asm__("x2") = a[3],
			       x3 __asm__("x3") = a[4], x4 __asm__("x4") = a[5], x5 __asm__("x5") = a[6];

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return (long)x0;
}
#define int80 call
__asm__(".globl _start\n_start: mov x0, sp\n\tb start");
#endif

void start(const long *stack)
{
	const char *const *argv = (const char *const *)(stack + 1);
	unsigned long a[7] = { 0 }, end[7] = { EXIT_GROUP };
	long r;
	int i;

	for (i = 0; i < 7 && i + 2 < stack[0]; i++)
		a[i] = number(argv[i + 2]);
	r = argv[1][0] == 'i' ? int80(a) : call(a);
	end[1] = r < 0 && r > -4096 ? (unsigned long)-r : 0;
	call(end);
}
