/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <check.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"
#include "tcp.h"

#define STARTS_MAX 5 /* the port may be taken by then */
#define TERM_NS INT64_C(250000000)
#define TERMS_MAX 40 /* then SIGKILL */
#define KEYGEN_NS INT64_C(30000000000)
#define STATUS_NOT_STARTED 127

struct daemon {
	struct daemon_plan plan; /* its site is borrowed until it is ready */
	char directory[80];
	uint16_t port;
	pid_t pid; /* -1: it has ended */
};

struct kind {
	const char *name; /* of the program too */
	void (*configure)(const struct daemon *daemon, FILE *file);
	const char *arguments[8]; /* @A and @P at the end: address, port */
	bool (*isolate)(void);	  /* in the child; NULL: nothing to do */
};

static char room[64]; /* for the directories; set by daemons_begin() */

static const char *
address(const struct daemon *daemon)
{
	return daemon->plan.family == AF_INET ? "127.0.0.1" : "[::1]";
}

/*
 * One process, since workers would outlive a master that is killed. It gives up
 * no privileges: uid 0 is all that there is in the lab.
 */
static void
configure_nginx(const struct daemon *daemon, FILE *file)
{
	static const char *const temporary[] = { "client_body", "proxy",
		"fastcgi", "uwsgi", "scgi" };

	fputs("daemon off;\nmaster_process off;\nuser root;\npid nginx.pid;\n"
	      "error_log stderr info;\nevents {\n}\nhttp {\n"
	      "\taccess_log off;\n\tsendfile on;\n",
	    file);
	for (size_t i = 0; i < sizeof(temporary) / sizeof(temporary[0]); i++)
		fprintf(
		    file, "\t%s_temp_path %s;\n", temporary[i], temporary[i]);
	fprintf(file,
	    "\tserver {\n\t\tlisten %s:%u;\n\t\troot %s;\n%s\n\t}\n}\n",
	    address(daemon), daemon->port, daemon->directory,
	    daemon->plan.site);
}

static void
configure_haproxy(const struct daemon *daemon, FILE *file)
{
	fprintf(file,
	    "global\n\tmaxconn 64\n"
	    "defaults\n\tmode http\n\ttimeout connect 30s\n"
	    "\ttimeout client 30s\n\ttimeout server 30s\n"
	    "listen probe\n\tbind %s:%u\n\tserver backend %s:%u\n%s\n",
	    address(daemon), daemon->port, address(daemon),
	    daemon->plan.backend, daemon->plan.site);
}

static void
configure_redis(const struct daemon *daemon, FILE *file)
{
	fprintf(file,
	    "port %u\nbind %s\ndaemonize no\nsave \"\"\nappendonly no\n%s\n",
	    daemon->port, daemon->plan.family == AF_INET ? "127.0.0.1" : "::1",
	    daemon->plan.site);
}

static void
configure_sshd(const struct daemon *daemon, FILE *file)
{
	fprintf(file,
	    "ListenAddress %s:%u\nHostKey %s/hostkey\nPidFile none\n%s\n",
	    address(daemon), daemon->port, daemon->directory,
	    daemon->plan.site);
}

/* All is in the arguments. */
static void
configure_nothing(const struct daemon *daemon, FILE *file)
{
	(void)daemon;
	(void)file;
}

static bool
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? -1 : write(fd, text, strlen(text));

	if (fd != -1)
		close(fd);
	return n == (ssize_t)strlen(text);
}

/*
 * A root's sshd wants a directory for its separation of privileges that is
 * root's too: it may not be there, or belong to nobody in a user namespace. An
 * ordinary user's wants none, so it gets a namespace in which it is one. The
 * root for whom there are no user namespaces makes the directory, out of sight.
 */
static bool
isolate_sshd(void)
{
	char uid_map[64], gid_map[64];

	snprintf(uid_map, sizeof(uid_map), "1000 %u 1\n", geteuid());
	snprintf(gid_map, sizeof(gid_map), "1000 %u 1\n", getegid());
	if (unshare(CLONE_NEWUSER) == 0)
		return write_text("/proc/self/setgroups", "deny") &&
		    write_text("/proc/self/uid_map", uid_map) &&
		    write_text("/proc/self/gid_map", gid_map);
	return unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("tmpfs", "/run", "tmpfs", 0, "mode=755") == 0 &&
	    mkdir("/run/sshd", 0755) == 0;
}

/* They run in their directories. */
static const struct kind kinds[DAEMON_KINDS] = {
	[DAEMON_NGINX] = { "nginx", configure_nginx,
	    { "-p", "./", "-c", "configuration" } },
	[DAEMON_HAPROXY] = { "haproxy", configure_haproxy,
	    { "-db", "-f", "configuration" } },
	[DAEMON_REDIS] = { "redis-server", configure_redis,
	    { "configuration" } },
	[DAEMON_SSHD] = { "sshd", configure_sshd,
	    { "-D", "-e", "-f", "configuration" }, isolate_sshd },
	[DAEMON_MSMTPD] = { "msmtpd", configure_nothing,
	    { "--interface=@A", "--port=@P", "--command=cat >/dev/null" } },
	[DAEMON_MEMCACHED] = { "memcached", configure_nothing,
	    { "-u", "root", "-U", "0", "-l", "@A", "-p", "@P" } },
};

static const struct kind keygen = { "ssh-keygen", NULL,
	{ "-q", "-t", "ed25519", "-N", "", "-f", "hostkey" }, NULL };

const char *
daemon_name(enum daemon_kind kind)
{
	return kinds[kind].name;
}

/* An ordinary user's PATH often lacks the directories of servers. */
static bool
find_program(const char *name, char path[PATH_MAX])
{
	const char *given = getenv("PATH");
	char directories[8192];
	char *rest = directories, *directory;

	snprintf(directories, sizeof(directories),
	    "%s:/usr/local/sbin:"
	    "/usr/sbin:/sbin",
	    given != NULL ? given : "");
	while ((directory = strsep(&rest, ":")) != NULL) {
		if (directory[0] != '/')
			continue; /* sshd wants to be called by a full path */
		snprintf(path, PATH_MAX, "%s/%s", directory, name);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

bool
daemon_installed(enum daemon_kind kind)
{
	char path[PATH_MAX];

	return find_program(kinds[kind].name, path) &&
	    (kind != DAEMON_SSHD || find_program(keygen.name, path));
}

void
daemons_begin(void)
{
	const char *given = getenv("TMPDIR");
	int n = snprintf(room, sizeof(room), "%s/lastack-servers-XXXXXX",
	    given != NULL && given[0] == '/' ? given : "/tmp");

	if (n < 0 || (size_t)n >= sizeof(room))
		strcpy(room, "/tmp/lastack-servers-XXXXXX");
	if (mkdtemp(room) == NULL)
		err(1, "%s", room);
}

static int
remove_one(
    const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

void
daemons_end(void)
{
	nftw(room, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
configure(const struct daemon *daemon)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/configuration", daemon->directory);
	file = fopen(path, "we");
	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	kinds[daemon->plan.kind].configure(daemon, file);
	ck_assert_msg(fclose(file) == 0, "%s: %s", path, strerror(errno));
}

/* An argument with what its end stands for, as long as the process lives. */
static const char *
fill_in(const struct daemon *daemon, const char *argument)
{
	const char *at = argument != NULL ? strchr(argument, '@') : NULL;
	char *filled = NULL;
	int n;

	if (at == NULL)
		return argument;
	if (at[1] == 'P')
		n = asprintf(&filled, "%.*s%u", (int)(at - argument), argument,
		    daemon->port);
	else
		n = asprintf(&filled, "%.*s%s", (int)(at - argument), argument,
		    daemon->plan.family == AF_INET ? "127.0.0.1" : "::1");
	return n >= 0 ? filled : NULL;
}

static void
become(const struct daemon *daemon, const struct kind *kind, const char *path)
{
	const char *argv[16] = { path };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int log = -1;

	for (size_t i = 0; i < 8; i++)
		argv[i + 1] = fill_in(daemon, kind->arguments[i]);
	if (chdir(daemon->directory) == 0)
		log = open(
		    "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (null == -1 || log == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(log, STDOUT_FILENO) == -1 || dup2(log, STDERR_FILENO) == -1)
		_exit(STATUS_NOT_STARTED);
	if (kind->isolate != NULL && !kind->isolate())
		warn("%s: namespaces", kind->name);
	/* A test that fails is killed, and never comes to stop its servers. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execv(path, (char *const *)(uintptr_t)argv);
	warn("%s", path);
	_exit(STATUS_NOT_STARTED);
}

static pid_t
launch(const struct daemon *daemon, const struct kind *kind)
{
	char path[PATH_MAX];
	pid_t pid;

	ck_assert_msg(
	    find_program(kind->name, path), "%s: not installed", kind->name);
	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		become(daemon, kind, path);
	return pid;
}

/* Whether it has, within the time. */
static bool
has_ended(struct daemon *daemon, int64_t within_ns)
{
	struct tcp_patience patience = { .deadline_ns =
					     tcp_now_ns() + within_ns };
	int status;

	if (daemon->pid == -1)
		return true;
	do {
		pid_t pid = waitpid(daemon->pid, &status, WNOHANG);

		ck_assert(pid != -1 || errno == EINTR);
		if (pid == daemon->pid)
			daemon->pid = -1;
	} while (daemon->pid != -1 && within_ns > 0 && tcp_patient(&patience));
	return daemon->pid == -1;
}

/* Again and again: nginx may miss one until something else happens to it. */
static void
end(struct daemon *daemon)
{
	bool ended = has_ended(daemon, 0);

	for (int i = 0; !ended && i < TERMS_MAX; i++) {
		kill(daemon->pid, SIGTERM);
		ended = has_ended(daemon, TERM_NS);
	}
	if (ended)
		return;
	kill(daemon->pid, SIGKILL);
	waitpid(daemon->pid, NULL, 0);
	daemon->pid = -1;
}

static void
show_log(const struct daemon *daemon)
{
	char path[PATH_MAX], line[1024];
	FILE *file;

	snprintf(path, sizeof(path), "%s/log", daemon->directory);
	file = fopen(path, "re");
	if (file == NULL)
		return;
	while (fgets(line, sizeof(line), file) != NULL)
		fprintf(stderr, "%s: %s", daemon_name(daemon->plan.kind), line);
	fclose(file);
}

static void
make_host_key(const struct daemon *daemon)
{
	struct daemon maker = *daemon;

	maker.pid = launch(daemon, &keygen);
	if (!has_ended(&maker, KEYGEN_NS))
		end(&maker);
}

static void
loopback(const struct daemon *daemon, union tcp_address *to)
{
	int fd = tcp_bound(daemon->plan.family);

	tcp_local(fd, to);
	close(fd);
	if (daemon->plan.family == AF_INET)
		to->v4.sin_port = htons(daemon->port);
	else
		to->v6.sin6_port = htons(daemon->port);
}

/*
 * Whether somebody listens. It is not a server if it is us: a socket that
 * connects to a free port can get that port itself and so meet itself.
 */
static bool
accepts(const union tcp_address *to, uint16_t port)
{
	int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes;

	ck_assert_int_ge(fd, 0);
	yes = connect(fd, &to->any, tcp_length(to)) == 0 &&
	    tcp_port(fd) != port;
	/* Leaves no TIME-WAIT behind, here or there. */
	tcp_reset(fd);
	return yes;
}

/* Nothing tells that a port is listened on: it is tried. */
static bool
is_ready(struct daemon *daemon)
{
	struct tcp_patience patience = { 0 };
	union tcp_address to;

	loopback(daemon, &to);
	while (!has_ended(daemon, 0) && tcp_patient(&patience))
		if (accepts(&to, daemon->port))
			return !has_ended(daemon, 0);
	return false;
}

static uint16_t
free_port(int family)
{
	int fd = tcp_bound(family);
	uint16_t port = tcp_port(fd);

	close(fd);
	return port;
}

static bool
is_taken(const struct daemon *daemon)
{
	union tcp_address at;
	int fd = socket(daemon->plan.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool taken;

	ck_assert_int_ge(fd, 0);
	loopback(daemon, &at);
	taken = bind(fd, &at.any, tcp_length(&at)) == -1;
	close(fd);
	return taken;
}

struct daemon *
daemon_start(const struct daemon_plan *plan)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));
	const struct kind *kind = &kinds[plan->kind];

	ck_assert_ptr_nonnull(daemon);
	daemon->plan = *plan;
	if (plan->site == NULL)
		daemon->plan.site = "";
	snprintf(
	    daemon->directory, sizeof(daemon->directory), "%s/XXXXXX", room);
	ck_assert_msg(mkdtemp(daemon->directory) != NULL, "%s: %s",
	    daemon->directory, strerror(errno));
	if (plan->kind == DAEMON_SSHD)
		make_host_key(daemon);
	for (int i = 0; i < STARTS_MAX; i++) {
		daemon->port = free_port(plan->family);
		configure(daemon);
		daemon->pid = launch(daemon, kind);
		if (is_ready(daemon))
			return daemon;
		end(daemon);
		if (!is_taken(daemon))
			break;
	}
	show_log(daemon);
	ck_abort_msg("%s does not start", kind->name);
}

uint16_t
daemon_port(const struct daemon *daemon)
{
	return daemon->port;
}

const char *
daemon_directory(const struct daemon *daemon)
{
	return daemon->directory;
}

void
daemon_stop(struct daemon *daemon)
{
	if (daemon == NULL)
		return;
	end(daemon);
	nftw(daemon->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(daemon);
}
