// Verbs that try something and whose outcome is the answer.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe.h"

static int flags(const char *mode)
{
	int f = 0;
	for (; *mode; mode++) {
		f |= *mode == 'w' ? O_WRONLY : 0;
		f |= *mode == '+' ? O_RDWR : 0;
		f |= *mode == 'c' ? O_CREAT : 0;
		f |= *mode == 'd' ? O_DIRECTORY : 0;
	}
	return f | O_CLOEXEC | O_NOCTTY;
}

static int done(int fd)
{
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int try_open(int argc, char **argv)
{
	(void)argc;
	return done(open(argv[0], flags(argv[1]), 0666));
}

static int try_write(int argc, char **argv)
{
	(void)argc;
	int fd = open(argv[0], O_WRONLY | O_CLOEXEC);
	long n = strlen(argv[1]);
	if (fd < 0)
		return -1;
	int r = write(fd, argv[1], n) == n ? 0 : -1;
	int e = errno;
	close(fd);
	errno = e;
	return r;
}

static int try_fdwrite(int argc, char **argv)
{
	(void)argc;
	long n = strlen(argv[1]);
	return write((int)number(argv[0]), argv[1], n) == n ? 0 : -1;
}

static int try_mknod(int argc, char **argv)
{
	mode_t type = argv[1][0] == 'b' ? S_IFBLK : argv[1][0] == 'p' ? S_IFIFO : S_IFCHR;
	return mknod(argv[0], type | 0600, argc < 4 ? 0 : makedev(number(argv[2]), number(argv[3])));
}

static int try_mkdir(int argc, char **argv)
{
	(void)argc;
	return mkdir(argv[0], 0777);
}

static int try_mount(int argc, char **argv)
{
	return mount(argv[0], argv[1], argv[2], number(argv[3]), argc > 4 ? argv[4] : NULL);
}

static int try_umount(int argc, char **argv)
{
	(void)argc;
	return umount2(argv[0], MNT_DETACH);
}

static int try_chown(int argc, char **argv)
{
	(void)argc;
	return chown(argv[0], number(argv[1]), number(argv[2]));
}

static int try_exec(int argc, char **argv)
{
	(void)argc;
	execv(argv[0], argv);
	return -1;
}

static int try_setuid(int argc, char **argv)
{
	(void)argc;
	return setuid(number(argv[0]));
}

static int try_setgroups(int argc, char **argv)
{
	(void)argv;
	return setgroups(argc, (gid_t[]){ 0, 0, 0, 0 });
}

static int try_chroot(int argc, char **argv)
{
	(void)argc;
	return chroot(argv[0]);
}

static int try_unshare(int argc, char **argv)
{
	(void)argc;
	return unshare(number(argv[0]));
}

static int try_sethostname(int argc, char **argv)
{
	(void)argc;
	return sethostname(argv[0], strlen(argv[0]));
}

// syscall NR [ARG...]: any system call with numbers as arguments.
static int try_syscall(int argc, char **argv)
{
	long a[7] = { 0 };
	for (int i = 0; i < argc && i < 7; i++)
		a[i] = number(argv[i]);
	return syscall(a[0], a[1], a[2], a[3], a[4], a[5], a[6]) == -1 ? -1 : 0;
}

#ifdef __x86_64__
// syscall32 NR: a system call of the 32-bit kind from this 64-bit program, without arguments.
static int try_syscall32(int argc, char **argv)
{
	(void)argc;
	long r;
	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(number(argv[0])), "b"(0), "c"(0), "d"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	errno = (int)(r < 0 ? -r : 0);
	return r < 0 ? -1 : 0;
}
#endif

static int try_connect(int argc, char **argv)
{
	(void)argc;
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	strncpy(sa.sun_path, argv[0], sizeof sa.sun_path - 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = connect(fd, (void *)&sa, sizeof sa);
	int e = errno;
	close(fd);
	errno = e;
	return r;
}

// notify TEXT: tell whoever listens at NOTIFY_SOCKET. sd_notify(3)
static int try_notify(int argc, char **argv)
{
	(void)argc;
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	strncpy(sa.sun_path, path ? path : "", sizeof sa.sun_path - 1);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ssize_t n = sendto(fd, argv[0], strlen(argv[0]), 0, (void *)&sa, sizeof sa);
	int e = errno;
	close(fd);
	errno = e;
	return n < 0 ? -1 : 0;
}

const struct verb try_verbs[] = {
	{ "open", 2, try_open },       // PATH MODE: letters of r w + (both) c (create) d (directory)
	{ "write", 2, try_write },     // PATH TEXT
	{ "fdwrite", 2, try_fdwrite }, // FD TEXT
	{ "mknod", 2, try_mknod },     // PATH c|b|p [MAJOR MINOR]
	{ "mkdir", 1, try_mkdir },     // PATH
	{ "mount", 4, try_mount },     // SOURCE TARGET TYPE FLAGS [DATA]
	{ "umount", 1, try_umount },   // PATH
	{ "chown", 3, try_chown },     // PATH UID GID
	{ "chroot", 1, try_chroot },   // PATH
	{ "exec", 1, try_exec },       // PATH [ARG...]
	{ "setuid", 1, try_setuid },
	{ "setgroups", 0, try_setgroups }, // one group 0 for each argument
	{ "unshare", 1, try_unshare },     // FLAGS
	{ "sethostname", 1, try_sethostname },
	{ "syscall", 1, try_syscall }, // NR [ARG...]
#ifdef __x86_64__
	{ "syscall32", 1, try_syscall32 }, // NR
#endif
	{ "connect", 1, try_connect }, // PATH of a unix socket
	{ "notify", 1, try_notify },   // TEXT
	{ NULL, 0, NULL },
};
