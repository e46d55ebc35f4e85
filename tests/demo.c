/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "make demo": peers on loopback that end in different ways, and the command
 * let loose on each. Takes the path of the command.
 */
#include <config.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"
#include "peer.h"

#define ARGS_MAX 8

static const struct scene {
	const char *title;
	const struct peer_step *script; /* NULL: nobody listens */
	const char *args[ARGS_MAX];	/* as they would be typed */
} scenes[] = {
	{ "A server that answers and closes: FIN is answered by FIN.",
	    (const struct peer_step[]){ { PEER_TAKE, 0, NULL },
		{ PEER_PAUSE, 3000, NULL },
		{ PEER_GIVE_FIN, 0, "HTTP/1.0 200 OK\r\n\r\nhello\n" },
		{ PEER_END, 0, NULL } },
	    { "-s", "GET / HTTP/1.0\\r\\n\\r\\n", "-e", "200 OK", NULL } },
	{ "A server that keeps the connection open: nothing but an RST\n"
	  "leaves no TIME-WAIT here.",
	    (const struct peer_step[]){ { PEER_TAKE, 0, NULL },
		{ PEER_GIVE, 0, "+PONG\r\n" }, { PEER_AWAIT, 0, NULL },
		{ PEER_END, 0, NULL } },
	    { "-s", "PING\\r\\n", "-e", "+PONG", NULL } },
	{ "A server that resets in the middle of its answer.",
	    (const struct peer_step[]){ { PEER_TAKE, 0, NULL },
		{ PEER_GIVE, 0, "HTTP/1.0 200 OK\r\nContent-Le" },
		{ PEER_RESET, 0, NULL } },
	    { "-s", "GET / HTTP/1.0\\r\\n\\r\\n", "-e", "hello", NULL } },
	{ "Fast Open: the first SYN asks for a cookie ...",
	    (const struct peer_step[]){ { PEER_TAKE, 0, NULL },
		{ PEER_GIVE_FIN, 0, "answer" }, { PEER_END, 0, NULL } },
	    { "-F", "-s", "question", NULL } },
	{ "... and the next one carries the request.",
	    (const struct peer_step[]){ { PEER_TAKE, 0, NULL },
		{ PEER_GIVE_FIN, 0, "answer" }, { PEER_END, 0, NULL } },
	    { "-F", "-s", "question", NULL } },
	{ "Only the handshake: SYN, SYN/ACK, RST.",
	    (const struct peer_step[]){
		{ PEER_AWAIT, 0, NULL }, { PEER_END, 0, NULL } },
	    { NULL } },
	{ "A port on which nobody listens.", NULL, { NULL } },
};

static void
print_quoted(const char *arg)
{
	if (*arg == '-')
		printf(" %s", arg);
	else
		printf(" '%s'", arg);
}

static int
run_command(const char *command, const char *const *args, const char *port)
{
	const char *argv[ARGS_MAX + 4] = { command };
	size_t count = 1;
	pid_t child;
	int status;

	printf("$ lastack");
	for (; *args != NULL; args++) {
		print_quoted(*args);
		argv[count++] = *args;
	}
	printf(" 127.0.0.1 %s\n", port);
	fflush(stdout);
	argv[count++] = "127.0.0.1";
	argv[count++] = port;
	child = fork();
	if (child == 0) {
		execv(command, (char **)argv);
		err(126, "%s", command);
	}
	if (child == -1 || waitpid(child, &status, 0) == -1)
		err(1, "%s", command);
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 126;
	printf("(exit status %d)\n\n\n", status);
	fflush(stdout);
	return status;
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: demo COMMAND");
	/* A network of our own, where Fast Open may be switched on; or not. */
	if (lab_enter() == 0)
		lab_sysctl("net.ipv4.tcp_fastopen", "3");
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		const struct scene *scene = &scenes[i];
		struct peer *peer =
		    scene->script ? peer_start(AF_INET, scene->script) : NULL;
		char port[8];
		int status;

		snprintf(port, sizeof(port), "%d",
		    peer ? peer_port(peer) : peer_refusing_port(AF_INET));
		printf("# %s\n", scene->title);
		status = run_command(argv[1], scene->args, port);
		peer_stop(peer);
		if (status == 126)
			return 1;
	}
	return 0;
}
