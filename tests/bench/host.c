/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

#define BITE_BYTES (1 << 20)
#define HEAD "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n"

static void
flood(int fd, int pages)
{
	uint64_t left = HOST_FLOOD_BYTES;

	send(fd, HEAD, sizeof(HEAD) - 1, MSG_MORE | MSG_NOSIGNAL);
	while (left > 0) {
		off_t from = 0;
		ssize_t n = sendfile(
		    fd, pages, &from, left < BITE_BYTES ? left : BITE_BYTES);

		if (n <= 0)
			return;
		left -= (uint64_t)n;
	}
}

static void
serve(int fd, enum host_way way, int pages)
{
	struct linger none = { .l_onoff = 1 };
	char request[4096];

	if (recv(fd, request, sizeof(request), 0) > 0) {
		if (way == HOST_ANSWER)
			send(fd, HEAD "hello\n", sizeof(HEAD) + 5,
			    MSG_MORE | MSG_NOSIGNAL);
		if (way == HOST_FLOOD)
			flood(fd, pages);
		if (way == HOST_RESET)
			setsockopt(
			    fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	}
	close(fd);
}

static void
serve_all(int listener, enum host_way way)
{
	int pages = memfd_create("pages", MFD_CLOEXEC);

	signal(SIGPIPE, SIG_IGN);
	if (pages == -1 || ftruncate(pages, BITE_BYTES) == -1)
		err(1, "host");
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd != -1)
			serve(fd, way, pages);
	}
}

void
host_start(struct host *host, enum host_way way)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int queue = 64;

	setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue));
	if (bind(listener, (struct sockaddr *)&at, len) == -1 ||
	    listen(listener, 1024) == -1 ||
	    getsockname(listener, (struct sockaddr *)&at, &len) == -1)
		err(1, "host");
	host->port = ntohs(at.sin_port);
	host->pid = fork();
	if (host->pid == -1)
		err(1, "host");
	if (host->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve_all(listener, way);
	}
	close(listener);
}

void
host_stop(const struct host *host)
{
	kill(host->pid, SIGKILL);
	waitpid(host->pid, NULL, 0);
}
