// The report: what a process sees of itself and of the container, as one line of JSON.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

extern char **environ;

static void file(const char *path)
{
	static char buf[1 << 16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	long n = 0, r;
	while (n < (long)sizeof buf && (r = read(fd, buf + n, sizeof buf - n)) > 0)
		n += r;
	close(fd);
	json_str(path, buf, n);
}

static void files(int argc, char **argv)
{
	static const char *const always[] = {
		"/proc/self/status",   "/proc/self/limits",        "/proc/self/mountinfo",
		"/proc/self/cgroup",   "/proc/self/oom_score_adj", "/proc/self/uid_map",
		"/proc/self/gid_map",  "/proc/self/setgroups",     "/proc/self/timens_offsets",
		"/proc/self/loginuid", "/proc/self/attr/current",  "/proc/keys",
	};
	json_open("files", '{');
	for (unsigned i = 0; i < sizeof always / sizeof *always; i++)
		file(always[i]);
	for (int i = 0; i < argc; i++)
		file(argv[i]);
	json_close('}');
}

// links reports the targets of all links in dir, except of the descriptor that reads it.
static void links(const char *key, const char *dir)
{
	json_open(key, '{');
	DIR *d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d));) {
		char target[4096];
		long n = readlinkat(dirfd(d), e->d_name, target, sizeof target);
		if (n >= 0 && atoi(e->d_name) != dirfd(d))
			json_str(e->d_name, target, n);
	}
	if (d)
		closedir(d);
	json_close('}');
}

static void devices(void)
{
	json_open("dev", '{');
	DIR *d = opendir("/dev");
	for (struct dirent *e; d && (e = readdir(d));) {
		struct stat st;
		char target[4096];
		if (e->d_name[0] == '.' || fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		json_open(e->d_name, '{');
		json_num("mode", st.st_mode);
		json_num("uid", st.st_uid);
		json_num("gid", st.st_gid);
		json_num("major", major(st.st_rdev));
		json_num("minor", minor(st.st_rdev));
		long n = readlinkat(dirfd(d), e->d_name, target, sizeof target);
		if (n >= 0)
			json_str("link", target, n);
		json_close('}');
	}
	if (d)
		closedir(d);
	json_close('}');
}

static void identity(void)
{
	uid_t r, e, s;
	getresuid(&r, &e, &s);
	json_open("uids", '[');
	json_num(NULL, r), json_num(NULL, e), json_num(NULL, s);
	json_close(']');
	getresgid(&r, &e, &s);
	json_open("gids", '[');
	json_num(NULL, r), json_num(NULL, e), json_num(NULL, s);
	json_close(']');
	gid_t groups[1024];
	int n = getgroups(1024, groups);
	json_open("groups", '[');
	for (int i = 0; i < n; i++)
		json_num(NULL, groups[i]);
	json_close(']');
	mode_t mask = umask(0);
	umask(mask);
	json_num("umask", mask);
}

static void scheduling(void)
{
	json_num("policy", sched_getscheduler(0));
	struct sched_param sp = { 0 };
	sched_getparam(0, &sp);
	json_num("priority", sp.sched_priority);
	errno = 0;
	json_num("nice", 20 - syscall(SYS_getpriority, 0, 0));
	json_num("ioprio", syscall(SYS_ioprio_get, 1, 0));
	json_num("personality", personality(0xffffffff));
	cpu_set_t set;
	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof set, &set);
	json_open("cpus", '[');
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			json_num(NULL, i);
	json_close(']');
}

static void surroundings(void)
{
	char cwd[4096];
	json_str("cwd", getcwd(cwd, sizeof cwd) ? cwd : "", -1);
	struct utsname u;
	uname(&u);
	json_str("hostname", u.nodename, -1);
	json_str("domainname", u.domainname, -1);
	json_str("machine", u.machine, -1);
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	json_num("monotonic", t.tv_sec);
	clock_gettime(CLOCK_BOOTTIME, &t);
	json_num("boottime", t.tv_sec);
	json_num("keyring", syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -3 /* session */, 0));
	json_open("tty", '[');
	for (int fd = 0; fd < 3; fd++)
		json_num(NULL, isatty(fd));
	json_close(']');
	struct winsize ws = { 0 };
	ioctl(0, TIOCGWINSZ, &ws);
	json_num("rows", ws.ws_row);
	json_num("cols", ws.ws_col);
}

static void strings(const char *key, char **list)
{
	json_open(key, '[');
	for (; *list; list++)
		json_str(NULL, *list, -1);
	json_close(']');
}

// report [PATH...]: with the contents of these files too.
int report(int argc, char **argv)
{
	json_open(NULL, '{');
	links("fds", "/proc/self/fd"); // first: before this program opens anything
	links("ns", "/proc/self/ns");
	links("self", "/proc/self");
	json_num("pid", getpid());
	json_num("ppid", getppid());
	json_num("sid", getsid(0));
	json_num("pgid", getpgid(0));
	identity();
	scheduling();
	surroundings();
	strings("env", environ);
	files(argc, argv);
	devices();
	json_close('}');
	putchar('\n');
	return 0;
}
