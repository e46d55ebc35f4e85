/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The recipes in examples/, each at work: what is run is the file itself, with
 * nothing changed in it but the path of the command and the target. A recipe
 * whose tool is not installed is checked as far as that goes.
 */
#include <config.h>

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"
#include "server.h"
#include "suite.h"
#include "tcp.h"

#define GIVE(literal) .give = literal, .give_bytes = sizeof(literal) - 1
#define TARGETS (SANITIZED ? 100 : 1000)

/* HTTP, and a server that closes in order. */
static const struct server_script web = { .take = 18,
	GIVE("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello\n") };

static struct server server;
static char directory[64];
static int refusing;

/* ---- the shell */

static char said[65536];

/* Of a command, which is run in the directory: its status and all it says. */
static int __attribute__((format(printf, 1, 2))) shell(const char *format, ...)
{
	char command[8192];
	va_list arguments;
	FILE *pipe;
	size_t len;
	int status;

	va_start(arguments, format);
	len = (size_t)snprintf(command, sizeof(command),
	    "exec 2>&1; PATH=%s:/usr/sbin:$PATH; cd %s; ", directory,
	    directory);
	vsnprintf(command + len, sizeof(command) - len, format, arguments);
	va_end(arguments);
	pipe = popen(command, "r");
	ck_assert_ptr_nonnull(pipe);
	len = fread(said, 1, sizeof(said) - 1, pipe);
	said[len] = '\0';
	status = pclose(pipe);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool
have(const char *program)
{
	if (shell("command -v %s", program) == 0)
		return true;
	fprintf(stderr, "no %s: its recipe is not run\n", program);
	return false;
}

/* A recipe, with sed(1)'s commands on it, into the directory. */
static void
copy_recipe(const char *name, const char *edit)
{
	ck_assert_msg(shell("sed -e 's|/usr/bin/lastack|%s/lastack|' %s"
			    " \"$SRCDIR/examples/%s\" >%s &&"
			    " chmod --reference=\"$SRCDIR/examples/%s\" %s",
			  directory, edit, name, name, name, name) == 0,
	    "%s: %s", name, said);
}

static void
set_up(void)
{
	const char *lastack = getenv("LASTACK");
	char path[4096], command[8192];
	FILE *file;

	strcpy(directory, "/tmp/lastack-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chmod(directory, 0755), 0);
	snprintf(path, sizeof(path), "%s/lastack", directory);
	if (lastack != NULL)
		snprintf(command, sizeof(command), "%s", lastack);
	else
		snprintf(command, sizeof(command), "%s/lastack",
		    getenv("BUILDDIR") != NULL ? getenv("BUILDDIR") : ".");
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fprintf(file, "#!/bin/sh\nexec \"%s\" \"$@\"\n", command);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, 0755), 0);
	refusing = tcp_bound(AF_INET);
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

static void
tear_down(void)
{
	close(refusing);
	nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- cron */

/* Its sixth field is a user, and what follows is for the shell. */
static int
run_cron_line(uint16_t port)
{
	return shell("sed -n 's/^[*][^\t]*\t[a-z]*\t//p' lastack.cron |"
		     "sed 's/www.example.org 80/127.0.0.1 %u/g' >line;"
		     "[ -s line ] && sh line",
	    port);
}

START_TEST(cron)
{
	server_start(&server, AF_INET, &web);
	copy_recipe("lastack.cron", "");
	ck_assert_int_eq(run_cron_line(server.port), 0);
	ck_assert_str_eq(said, "");
	ck_assert_int_eq(run_cron_line(tcp_port(refusing)), 4);
	ck_assert_msg(strncmp(said, "REFUSED ", 8) == 0, "%s", said);
	/* A percent sign would be a newline to cron. */
	ck_assert_int_eq(shell("grep '^[*].*%%' lastack.cron"), 1);
	server_stop(&server);
}
END_TEST

/* ---- systemd */

static int
run_unit(uint16_t port)
{
	return shell("sed -n 's/^ExecStart=//p' lastack.service |"
		     "sed 's/www.example.org 80/127.0.0.1 %u/' >line;"
		     "[ -s line ] && sh line",
	    port);
}

START_TEST(systemd)
{
	char edit[256];

	snprintf(edit, sizeof(edit),
	    "-e 's|/var/lib/prometheus/node-exporter|%s|'", directory);
	copy_recipe("lastack.service", edit);
	copy_recipe("lastack.timer", "");
	server_start(&server, AF_INET, &web);
	ck_assert_int_eq(run_unit(server.port), 0);
	ck_assert_int_eq(
	    shell("grep -c '^lastack_probe_success{.*} 1$' *.prom"), 0);
	ck_assert_int_eq(run_unit(tcp_port(refusing)), 4);
	ck_assert_int_eq(
	    shell("grep -c '^lastack_probe_success{.*} 0$' *.prom"), 0);
	server_stop(&server);
	if (!have("systemd-analyze"))
		return;
	ck_assert_msg(shell("systemd-analyze verify --man=no "
			    "./lastack.service ./lastack.timer") == 0,
	    "%s", said);
	ck_assert_ptr_null(strstr(said, "lastack."));
}
END_TEST

/* ---- a list of targets */

static int
listen_on_all(uint16_t *port)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	socklen_t len = sizeof(any);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, len), 0);
	ck_assert_int_eq(listen(fd, 4096), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&any, &len), 0);
	*port = ntohs(any.sin_port);
	return fd;
}

static void
write_targets(uint16_t port)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/targets", directory);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	for (int i = 0; i < TARGETS; i++)
		fprintf(file, "127.0.%d.%d:%u\n", i / 250, i % 250 + 1, port);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(many_targets)
{
	uint16_t port;
	int fd = listen_on_all(&port);

	copy_recipe("probe-all", "");
	write_targets(port);
	ck_assert_int_eq(shell("./probe-all 8 <targets >report"), 0);
	ck_assert_str_eq(said, "");
	ck_assert_int_eq(
	    shell(
		"cut -d , -f 1,2 report | tr , : | sort >a; sort targets | cmp a -"),
	    0);
	ck_assert_int_eq(
	    shell("grep -cv ',ok,open,[0-9]*[.][0-9]*$' report"), 1);
	/* One that fails is told, and stops no other. */
	ck_assert_int_eq(shell("(echo 127.0.0.1:%u; head -n 9 targets) |"
			       "./probe-all >report",
			     tcp_port(refusing)),
	    123);
	ck_assert_int_eq(shell("[ $(wc -l <report) = 10 ] &&"
			       "grep '^127.0.0.1,%u,refused,none,' report",
			     tcp_port(refusing)),
	    0);
	close(fd);
}
END_TEST

/* ---- Kubernetes */

/* A parser that knows YAML hands over the command, a word a line. */
START_TEST(kubernetes)
{
	static const char program[] =
	    "import sys, yaml\n"
	    "pod = yaml.safe_load(open('kubernetes.yaml'))\n"
	    "assert pod['kind'] == 'Pod' and pod['apiVersion'] == 'v1'\n"
	    "probe = pod['spec']['containers'][0]['readinessProbe']\n"
	    "for word in probe['exec']['command']:\n"
	    "    assert type(word) is str and '\\n' not in word\n"
	    "    print(word)\n";
	char edit[128];

	if (shell("/usr/bin/python3 -c 'import yaml'") != 0) {
		fprintf(stderr, "no yaml: its recipe is not run\n");
		return;
	}
	server_start(&server, AF_INET,
	    &(struct server_script){
		.take = 6, GIVE("+PONG\r\n"), .end = SERVER_HOLD });
	snprintf(edit, sizeof(edit), "-e 's/1:6379/1:%u/'", server.port);
	copy_recipe("kubernetes.yaml", edit);
	ck_assert_msg(
	    shell("/usr/bin/python3 -c \"%s\" >words && xargs -d '\\n' sh -c "
		  "'exec \"$@\"' sh <words",
		program) == 0,
	    "%s", said);
	ck_assert_msg(strncmp(said, "OK ", 3) == 0, "%s", said);
	server_stop(&server);
}
END_TEST

/* ---- Prometheus */

static const char rules_test[] =
    "rule_files:\n"
    "  - prometheus-rules.yml\n"
    "evaluation_interval: 1m\n"
    "tests:\n"
    "  - interval: 1m\n"
    "    input_series:\n"
    "      - series: 'lastack_probe_success{target=\"a:80\"}'\n"
    "        values: '1 1 0 0 0 0 0 0 0 0'\n"
    "      - series: 'lastack_probe_success{target=\"b:80\"}'\n"
    "        values: '1x10'\n"
    "      - series: 'lastack_probe_info{target=\"b:80\","
    "close_peer=\"fin+rst\"}'\n"
    "        values: '1x10'\n"
    "    alert_rule_test:\n"
    "      - eval_time: 3m\n"
    "        alertname: LastackProbeFails\n"
    "        exp_alerts: []\n"
    "      - eval_time: 5m\n"
    "        alertname: LastackProbeFails\n"
    "        exp_alerts:\n"
    "          - exp_labels: { severity: critical, target: 'a:80' }\n"
    "            exp_annotations: { summary: 'a:80 fails its probe' }\n"
    "      - eval_time: 8m\n"
    "        alertname: LastackReset\n"
    "        exp_alerts:\n"
    "          - exp_labels: { severity: warning, target: 'b:80',"
    " close_peer: 'fin+rst' }\n"
    "            exp_annotations: { summary:"
    " 'b:80 resets its connections' }\n";

START_TEST(prometheus)
{
	char path[128];
	FILE *file;

	if (!have("promtool"))
		return;
	copy_recipe("prometheus-rules.yml", "");
	ck_assert_msg(shell("promtool check rules prometheus-rules.yml") == 0,
	    "%s", said);
	snprintf(path, sizeof(path), "%s/test.yml", directory);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(rules_test, file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_msg(shell("promtool test rules test.yml") == 0, "%s", said);
	/* No rule is on a metric that the command does not have. */
	ck_assert_msg(
	    shell("grep -o 'lastack_[a-z_]*' prometheus-rules.yml | sort -u |"
		  "while read -r name; do"
		  " grep -q \"^.It Va $name\" \"$SRCDIR/man/lastack.1\" ||"
		  " { echo $name; exit 1; }; done") == 0,
	    "%s", said);
}
END_TEST

/* ---- HAProxy */

static const char haproxy_configuration[] =
    "global\n"
    "	external-check\n"
    "	insecure-fork-wanted\n"
    "	stats socket %s/stats mode 600\n"
    "defaults\n"
    "	timeout connect 5s\n"
    "	timeout client 5s\n"
    "	timeout server 5s\n"
    "backend web\n"
    "	option external-check\n"
    "	external-check path \"%s:/usr/bin:/bin\"\n"
    "	external-check command %s/haproxy-check\n"
    "	default-server check inter 5s fall 1 rise 1\n"
    "	server good 127.0.0.1:%u\n"
    "	server bad 127.0.0.1:%u\n";

/* A child in the foreground, its output in a file. */
static pid_t
start_in_foreground(const char *command)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	if (chdir(directory) == 0)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static void
stop(pid_t pid)
{
	int status;

	kill(pid, SIGTERM);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}

/* Until the shell's command succeeds, or for a long time. */
static bool
await(const char *command)
{
	struct tcp_patience patience = { 0 };

	while (shell("%s", command) != 0)
		if (!tcp_patient(&patience))
			return false;
	return true;
}

START_TEST(haproxy)
{
	char path[128];
	FILE *file;
	pid_t pid;

	if (!have("haproxy"))
		return;
	server_start(&server, AF_INET, &web);
	copy_recipe("haproxy-check", "");
	snprintf(path, sizeof(path), "%s/haproxy.cfg", directory);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fprintf(file, haproxy_configuration, directory, directory, directory,
	    server.port, tcp_port(refusing));
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_msg(shell("haproxy -c -f haproxy.cfg") == 0, "%s", said);
	pid = start_in_foreground(
	    "PATH=/usr/sbin:$PATH; exec haproxy -db -f haproxy.cfg >log 2>&1");
	ck_assert_msg(await("grep -q 'Server web/bad is DOWN' log && grep -q "
			    "'External check error' log"),
	    "%d", shell("cat log"));
	ck_assert_msg(shell("grep 'web/good is DOWN' log") == 1, "%s", said);
	stop(pid);
	ck_assert_uint_gt(server_clients(&server), 0);
	ck_assert_mem_eq(server.got, "HEAD / HTTP/1.0\r\n\r\n", 19);
	server_stop(&server);
}
END_TEST

/* ---- Nagios */

static const char nagios_configuration[] =
    "log_file=%1$s/nagios.log\n"
    "cfg_file=%1$s/nagios.cfg\n"
    "cfg_file=%1$s/templates.cfg\n"
    "object_cache_file=%1$s/objects.cache\n"
    "precached_object_file=%1$s/objects.precache\n"
    "status_file=%1$s/status.dat\n"
    "status_update_interval=1\n"
    "lock_file=%1$s/nagios.lock\n"
    "temp_file=%1$s/nagios.tmp\n"
    "temp_path=%1$s\n"
    "check_result_path=%1$s\n"
    "query_socket=%1$s/nagios.qh\n"
    "state_retention_file=%1$s/retention.dat\n"
    "check_external_commands=0\n"
    "enable_notifications=0\n"
    "interval_length=1\n"
    "max_host_check_spread=1\n"
    "max_service_check_spread=1\n"
    "use_syslog=0\n"
    "date_format=iso8601\n"
    "nagios_user=root\n"
    "nagios_group=root\n";

/* What the recipe leaves to the site. */
static const char nagios_templates[] =
    "define timeperiod {\n"
    "	timeperiod_name	24x7\n"
    "	alias		always\n"
    "	monday		00:00-24:00\n"
    "}\n"
    "define contact {\n"
    "	contact_name			admin\n"
    "	host_notification_commands	lastack\n"
    "	service_notification_commands	lastack\n"
    "	host_notification_period	24x7\n"
    "	service_notification_period	24x7\n"
    "}\n";

static void
write_nagios(void)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/main.cfg", directory);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fprintf(file, nagios_configuration, directory);
	ck_assert_int_eq(fclose(file), 0);
	snprintf(path, sizeof(path), "%s/templates.cfg", directory);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(nagios_templates, file);
	ck_assert_int_eq(fclose(file), 0);
}

/* The definition as it is, checked; then a daemon that goes by it. */
START_TEST(nagios)
{
	char edit[256];
	pid_t pid;

	if (!have("nagios4"))
		return;
	server_start(&server, AF_INET, &web);
	snprintf(edit, sizeof(edit),
	    "-e 's/192.0.2.1/127.0.0.1/' -e 's/lastack!80!--s/lastack!%u!--s/'"
	    " -e 's/lastack!80!--w/lastack!%u!--w/'",
	    server.port, tcp_port(refusing));
	copy_recipe("nagios.cfg", edit);
	write_nagios();
	ck_assert_msg(shell("nagios4 -v main.cfg") == 0, "%s", said);
	pid = start_in_foreground(
	    "PATH=/usr/sbin:$PATH; exec nagios4 main.cfg >log 2>&1");
	/* Both services have been checked, one in each state. */
	ck_assert_msg(
	    await("awk '/^servicestatus/ { n = \"\" }"
		  "/service_description=/ { n = $0 }"
		  "/current_state=/ { state = $0 }"
		  "/last_hard_state=/ { }"
		  "/plugin_output=(TCP OK|connect to)/ {"
		  " print n, state, $0 }' status.dat >states;"
		  "grep 'HTTP 80.*current_state=0.*TCP OK - ' states"
		  "&& grep 'TCP 80.*current_state=2.*refused' states"),
	    "%d: %s", shell("cat log nagios.log states status.dat"), said);
	stop(pid);
	server_stop(&server);
	/* The last one may have been stopped in the middle. */
	ck_assert(server.got_bytes < 18 ||
	    memcmp(server.got, "GET / HTTP/1.0\r\n\r\n", 18) == 0);
}
END_TEST

/* ---- Icinga 2 */

static const char icinga_main[] = "include \"icinga2.conf\"\n"
				  "object Host \"www\" {\n"
				  "  address = \"192.0.2.1\"\n"
				  "  check_command = \"lastack\"\n"
				  "  vars.lastack_port = 80\n"
				  "  vars.lastack_expect = [ \"a\", \"b\" ]\n"
				  "}\n"
				  "object Host \"other\" {\n"
				  "  address = \"192.0.2.2\"\n"
				  "  check_command = \"lastack\"\n"
				  "  vars.lastack_port = 81\n"
				  "}\n";

START_TEST(icinga)
{
	char path[128];
	FILE *file;

	if (!have("icinga2"))
		return;
	copy_recipe("icinga2.conf", "");
	snprintf(path, sizeof(path), "%s/main.conf", directory);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(icinga_main, file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_msg(
	    shell("icinga2 daemon -C -c $PWD/main.conf -D RunAsUser=root "
		  "-D RunAsGroup=root -D DataDir=%s -D LogDir=%s "
		  "-D CacheDir=%s -D SpoolDir=%s -D InitRunDir=%s",
		directory, directory, directory, directory, directory) == 0,
	    "%s", said);
	ck_assert_ptr_nonnull(strstr(said, "1 CheckCommand"));
	ck_assert_ptr_nonnull(strstr(said, "2 Services"));
	/* Each of its options is one of the command's. */
	ck_assert_msg(shell("grep -o '\"--[a-z-]*' icinga2.conf | tr -d '\"' |"
			    "while read -r option; do"
			    " lastack --help | grep -q -e \"$option=\" ||"
			    " { echo $option; exit 1; }; done") == 0,
	    "%s", said);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("recipes");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, cron);
	tcase_add_test(tests, systemd);
	tcase_add_test(tests, many_targets);
	tcase_add_test(tests, kubernetes);
	tcase_add_test(tests, prometheus);
	tcase_add_test(tests, haproxy);
	tcase_add_test(tests, nagios);
	tcase_add_test(tests, icinga);
	return suite_run(tests, "recipes");
}
