/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least that does the job: connect, send, read to the end, close; no more
 * than the C library's own start-up around it. All figures are ratios to it.
 *
 *	floor [-F] [-t] PORT [REQUEST]
 *
 * -F: Fast Open. -t: discard what comes, without a copy. It is not told what it
 * did wrong, and tells nobody.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	bool fastopen = false, truncate = false;
	char bytes[65536];
	ssize_t n = 1;
	int fd;

	for (; argc > 1 && argv[1][0] == '-'; argc--, argv++)
		*(argv[1][1] == 'F' ? &fastopen : &truncate) = true;
	if (argc < 2)
		return 2;
	to.sin_port = htons((unsigned short)atoi(argv[1]));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (!fastopen && connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1)
		return 1;
	if (argc == 2)
		return close(fd) != 0;
	if (sendto(fd, argv[2], strlen(argv[2]), fastopen ? MSG_FASTOPEN : 0,
		fastopen ? (struct sockaddr *)&to : NULL,
		fastopen ? sizeof(to) : 0) == -1)
		return 1;
	while (n > 0)
		n = truncate ? recv(fd, NULL, 1 << 30, MSG_TRUNC) :
			       recv(fd, bytes, sizeof(bytes), 0);
	close(fd);
	return n != 0;
}
