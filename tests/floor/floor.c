/* SPDX-License-Identifier: Apache-2.0
 * The floor under every runtime: the system calls that one `run` of runc's
 * default configuration cannot do without, in a static C program that reads no
 * configuration, keeps no state, explains no error and trusts everybody.
 *
 *	floor [-t] ROOTFS CGROUP...
 *
 * The CGROUPs are the directories to make, one in each hierarchy. -t prints
 * when each phase ended, in nanoseconds of CLOCK_REALTIME.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_CGROUPS 32
#define LIST(...)                                                                                            \
	(const char *[])                                                                                     \
	{                                                                                                    \
		__VA_ARGS__, 0                                                                               \
	}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

#define must(call)                                                                                           \
	do                                                                                                   \
		if ((call) < 0)                                                                              \
			die(#call);                                                                          \
	while (0)

/* --- when ----------------------------------------------------------------- */

struct mark {
	const char *who, *phase;
	struct timespec end;
};

static struct marks {
	int n;
	struct mark at[64];
} * marks; /* shared by the two processes; null without -t */

static void done(const char *who, const char *phase)
{
	struct mark *m;

	if (!marks)
		return;
	m = &marks->at[__atomic_fetch_add(&marks->n, 1, __ATOMIC_RELAXED)];
	m->who = who;
	m->phase = phase;
	clock_gettime(CLOCK_REALTIME, &m->end);
}

static void print_marks(void)
{
	for (int i = 0; marks && i < marks->n; i++)
		printf("%lld%09ld\t%s\t%s\n", (long long)marks->at[i].end.tv_sec, marks->at[i].end.tv_nsec,
		       marks->at[i].who, marks->at[i].phase);
}

/* --- the control groups --------------------------------------------------- */

static struct cgroup {
	const char *path;
	int unified, join; /* join: open tasks */
} cgroups[MAX_CGROUPS];
static int ncgroups, born = -1; /* directory in the unified hierarchy */

static void put(const char *dir, const char *file, const char *text)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, file);
	must(fd = open(path, O_WRONLY | O_CLOEXEC));
	must(write(fd, text, strlen(text)));
	close(fd);
}

/* A new cpuset on v1 is empty, and nothing can be put into it. */
static void inherit(const char *dir, const char *file)
{
	char path[4096], text[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%s/../%s", dir, file);
	must(fd = open(path, O_RDONLY | O_CLOEXEC));
	must(n = read(fd, text, sizeof text - 1));
	close(fd);
	text[n] = 0;
	put(dir, file, text);
}

static void make_cgroups(void)
{
	char path[4096];
	struct statfs fs;

	for (struct cgroup *c = cgroups; c < cgroups + ncgroups; c++) {
		must(mkdir(c->path, 0755));
		must(statfs(c->path, &fs));
		c->unified = fs.f_type == CGROUP2_SUPER_MAGIC;
		if (c->unified) {
			must(born = open(c->path, O_DIRECTORY | O_CLOEXEC));
			continue;
		}
		if (strstr(c->path, "/cpuset/")) {
			inherit(c->path, "cpuset.cpus");
			inherit(c->path, "cpuset.mems");
		}
		snprintf(path, sizeof path, "%s/tasks", c->path);
		must(c->join = open(path, O_WRONLY | O_CLOEXEC));
	}
}

static void limit_devices(void)
{
	const char **rules = LIST("c *:* m", "b *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm",
				  "c 1:9 rwm", "c 5:0 rwm", "c 5:2 rwm", "c 136:* rwm");

	for (struct cgroup *c = cgroups; c < cgroups + ncgroups; c++)
		if (!c->unified && strstr(c->path, "/devices/")) {
			put(c->path, "devices.deny", "a");
			for (; *rules; rules++)
				put(c->path, "devices.allow", *rules);
		}
}

/* --- inside --------------------------------------------------------------- */

static void loopback(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	must(fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	must(ioctl(fd, SIOCSIFFLAGS, &lo));
	close(fd);
}

static void mounts(void)
{
	const unsigned long safe = MS_NOSUID | MS_NOEXEC | MS_NODEV;

	must(mount("proc", "proc", "proc", 0, 0));
	must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"));
	must(mkdir("dev/pts", 0755));
	must(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		   "newinstance,ptmxmode=0666,mode=0620,gid=5"));
	must(mkdir("dev/shm", 0755));
	must(mount("shm", "dev/shm", "tmpfs", safe, "mode=1777,size=65536k"));
	must(mkdir("dev/mqueue", 0755));
	must(mount("mqueue", "dev/mqueue", "mqueue", safe, 0));
	must(mount("sysfs", "sys", "sysfs", safe | MS_RDONLY, 0));
}

/* As the specification has it on v1: a tmpfs, and each hierarchy below it. */
static void cgroup_mounts(void)
{
	const unsigned long safe = MS_NOSUID | MS_NOEXEC | MS_NODEV;
	char to[64];

	if (ncgroups == 1) {
		must(mount(cgroups[0].path, "sys/fs/cgroup", 0, MS_BIND, 0));
		return;
	}
	must(mount("cgroup", "sys/fs/cgroup", "tmpfs", safe, "mode=755"));
	for (struct cgroup *c = cgroups; c < cgroups + ncgroups; c++) {
		if (c->unified)
			continue;
		snprintf(to, sizeof to, "sys/fs/cgroup/%d", (int)(c - cgroups));
		must(mkdir(to, 0755));
		must(mount(c->path, to, 0, MS_BIND, 0));
		must(mount(0, to, 0, MS_REMOUNT | MS_BIND | MS_RDONLY | safe, 0));
	}
	must(mount(0, "sys/fs/cgroup", 0, MS_REMOUNT | MS_BIND | MS_RDONLY | safe, 0));
}

static void devices(void)
{
	static const struct {
		const char *name;
		int major, minor;
	} nodes[] = { { "dev/null", 1, 3 },   { "dev/zero", 1, 5 },    { "dev/full", 1, 7 },
		      { "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 } };

	for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
		must(mknod(nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)));
	must(symlink("/proc/self/fd", "dev/fd"));
	must(symlink("/proc/self/fd/0", "dev/stdin"));
	must(symlink("/proc/self/fd/1", "dev/stdout"));
	must(symlink("/proc/self/fd/2", "dev/stderr"));
	must(symlink("pts/ptmx", "dev/ptmx"));
}

static void masks(void)
{
	const char **readonly = LIST("proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger");
	const char **files = LIST("proc/kcore", "proc/keys", "proc/latency_stats", "proc/timer_list",
				  "proc/timer_stats", "proc/sched_debug");
	const char **dirs = LIST("proc/acpi", "proc/asound", "sys/firmware", "proc/scsi");

	for (; *readonly; readonly++)
		if (mount(*readonly, *readonly, 0, MS_BIND | MS_REC, 0) == 0)
			must(mount(0, *readonly, 0, MS_REMOUNT | MS_BIND | MS_RDONLY, 0));
		else if (errno != ENOENT)
			die(*readonly);
	for (; *files; files++)
		if (mount("dev/null", *files, 0, MS_BIND, 0) < 0 && errno != ENOENT)
			die(*files);
	for (; *dirs; dirs++)
		if (mount("tmpfs", *dirs, "tmpfs", MS_RDONLY, "size=0k") < 0 && errno != ENOENT)
			die(*dirs);
}

static void enter_root(void)
{
	must(mount(0, ".", 0, MS_REMOUNT | MS_BIND | MS_RDONLY, 0));
	must(syscall(SYS_pivot_root, ".", "."));
	must(umount2(".", MNT_DETACH));
	must(chdir("/"));
}

static void privileges(void)
{
	static const int caps[] = { CAP_AUDIT_WRITE, CAP_KILL, CAP_NET_BIND_SERVICE };
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	struct rlimit files = { 1024, 1024 };
	uint64_t keep = 0;

	for (size_t i = 0; i < sizeof caps / sizeof *caps; i++)
		keep |= 1ULL << caps[i];
	must(sethostname("floor", 5));
	must(setrlimit(RLIMIT_NOFILE, &files));
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (!(keep >> cap & 1))
			must(prctl(PR_CAPBSET_DROP, cap));
	data[0].effective = data[0].permitted = (uint32_t)keep;
	must(syscall(SYS_capset, &head, data));
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static _Noreturn void inside(const char *rootfs)
{
	done("child", "clone");
	for (struct cgroup *c = cgroups; c < cgroups + ncgroups; c++)
		if (!c->unified)
			must(write(c->join, "0", 1));
	done("child", "cgroups");
	must(setsid());
	loopback();
	done("child", "loopback");
	must(mount(0, "/", 0, MS_REC | MS_SLAVE, 0));
	must(mount(rootfs, rootfs, 0, MS_BIND | MS_REC, 0));
	must(chdir(rootfs));
	mounts();
	done("child", "mounts");
	cgroup_mounts();
	done("child", "cgroup mounts");
	devices();
	done("child", "devices");
	masks();
	done("child", "masks");
	enter_root();
	done("child", "pivot");
	privileges();
	done("child", "privileges");
	execl("/bin/true", "true", (char *)0);
	die("execve");
	exit(1);
}

int main(int argc, char **argv)
{
	struct clone_args args = { .flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
					    CLONE_NEWNS,
				   .exit_signal = SIGCHLD };
	int status;
	pid_t pid;

	if (argc > 1 && !strcmp(argv[1], "-t")) {
		marks = mmap(0, sizeof *marks, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		argc--, argv++;
	}
	done("parent", "exec");
	for (int i = 2; i < argc && ncgroups < MAX_CGROUPS; i++)
		cgroups[ncgroups++].path = argv[i];
	if (!ncgroups)
		return 2;
	make_cgroups();
	limit_devices();
	done("parent", "cgroups");
	if (born >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)born;
	}
	must(pid = (pid_t)syscall(SYS_clone3, &args, sizeof args));
	if (!pid)
		inside(argv[1]);
	done("parent", "clone");
	must(waitpid(pid, &status, 0));
	done("parent", "wait");
	for (struct cgroup *c = cgroups; c < cgroups + ncgroups; c++)
		must(rmdir(c->path));
	done("parent", "cgroups removed");
	print_marks();
	return WEXITSTATUS(status);
}
