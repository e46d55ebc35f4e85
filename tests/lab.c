/* SPDX-License-Identifier: BSD-2-Clause */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include "lab.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#define FAR_VETH "la1"
#define FAR_QUEUE_BYTES (8 << 20)
#define IPV6_TURNS 30000 /* of a millisecond, on a loaded machine */

static int far_netns = -1;

static int
write_file(const char *path, const char *text)
{
	size_t len = strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;
	int rc = 0;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n != (ssize_t)len)
		rc = n < 0 ? -errno : -EIO;
	close(fd);
	return rc;
}

static int
map_ids(uid_t uid, gid_t gid)
{
	char map[64];
	int rc;

	/* Without the denial an unprivileged gid_map is refused. */
	rc = write_file("/proc/self/setgroups", "deny");
	if (rc < 0 && rc != -ENOENT)
		return rc;
	snprintf(map, sizeof(map), "0 %u 1\n", (unsigned)uid);
	rc = write_file("/proc/self/uid_map", map);
	if (rc < 0)
		return rc;
	snprintf(map, sizeof(map), "0 %u 1\n", (unsigned)gid);
	return write_file("/proc/self/gid_map", map);
}

static int
link_up(const char *name)
{
	struct ifreq ifr = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = 0;

	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFFLAGS, &ifr) < 0) {
		rc = -errno;
	} else {
		ifr.ifr_flags |= IFF_UP;
		if (ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
			rc = -errno;
	}
	close(fd);
	return rc;
}

int
lab_enter(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int rc;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0) {
		rc = map_ids(uid, gid);
		if (rc < 0)
			return rc;
	} else {
		rc = -errno;
		if (unshare(CLONE_NEWNET) < 0)
			return rc;
	}
	return link_up("lo");
}

static void
need(const char *what, int rc)
{
	const char *ci = getenv("CI");
	bool strict = ci && *ci;

	if (rc >= 0)
		return;
	fprintf(stderr, "lab: %s: %s%s\n", what, strerror(-rc),
	    strict ? ", and CI must not skip" : "; skipped");
	exit(strict ? 1 : 77);
}

void
lab_require(void)
{
	need("no network namespace", lab_enter());
}

void
lab_require_veth(void)
{
	need("no veth pair", lab_veth());
}

void
lab_pin(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

int
lab_sysctl(const char *path, const char *value)
{
	char file[256];
	bool dots = !strchr(path, '/');
	int n = snprintf(file, sizeof(file), "/proc/sys/%s", path);

	if (n < 0 || (size_t)n >= sizeof(file))
		return -ENAMETOOLONG;
	for (char *p = file; dots && *p; p++)
		if (*p == '.')
			*p = '/';
	return write_file(file, value);
}

bool
lab_has_ipv6(void)
{
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool yes;

	if (fd < 0)
		return false;
	yes = bind(fd, (struct sockaddr *)&sin6, sizeof(sin6)) == 0;
	close(fd);
	return yes;
}

/*
 * rtnetlink(7) by hand: a test must not depend on the version, or on the
 * presence, of ip(8).
 */

struct message {
	_Alignas(struct nlmsghdr) unsigned char bytes[1024];
	size_t len;
};

static void *
put(struct message *m, size_t len)
{
	void *at = m->bytes + m->len;

	if (m->len + NLMSG_ALIGN(len) > sizeof(m->bytes))
		abort();
	memset(at, 0, NLMSG_ALIGN(len));
	m->len += NLMSG_ALIGN(len);
	return at;
}

static void *
begin(struct message *m, uint16_t type, uint16_t flags, size_t len)
{
	struct nlmsghdr *nlh;

	m->len = 0;
	nlh = put(m, sizeof(*nlh));
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	return put(m, len);
}

static size_t
attr(struct message *m, int type, const void *data, size_t len)
{
	size_t at = m->len;
	struct rtattr *rta = put(m, sizeof(*rta) + len);

	rta->rta_type = (unsigned short)type;
	rta->rta_len = (unsigned short)(sizeof(*rta) + len);
	if (len)
		memcpy(RTA_DATA(rta), data, len);
	return at;
}

static void
end_nest(struct message *m, size_t at)
{
	struct rtattr *rta = (struct rtattr *)(void *)(m->bytes + at);

	rta->rta_len = (unsigned short)(m->len - at);
}

/* Sends the request and returns the kernel's verdict. */
static int
ask(struct message *m)
{
	_Alignas(struct nlmsghdr) unsigned char reply[2048];
	struct nlmsghdr *nlh = (struct nlmsghdr *)(void *)m->bytes;
	struct nlmsgerr *verdict;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t n = -1;
	int rc;

	if (fd < 0)
		return -errno;
	nlh->nlmsg_len = (uint32_t)m->len;
	if (send(fd, m->bytes, m->len, 0) >= 0)
		n = recv(fd, reply, sizeof(reply), 0);
	rc = n < 0 ? -errno : -EPROTO;
	close(fd);
	nlh = (struct nlmsghdr *)(void *)reply;
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(*verdict)) ||
	    nlh->nlmsg_type != NLMSG_ERROR)
		return rc;
	verdict = NLMSG_DATA(nlh);
	return verdict->error;
}

static int
add_pair(int peer_netns)
{
	static const unsigned char mac[] = LAB_VETH_MAC;
	struct message m;
	size_t info, data, peer;

	begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
	    sizeof(struct ifinfomsg));
	attr(&m, IFLA_IFNAME, LAB_VETH, sizeof(LAB_VETH));
	attr(&m, IFLA_ADDRESS, mac, sizeof(mac));
	info = attr(&m, IFLA_LINKINFO, NULL, 0);
	attr(&m, IFLA_INFO_KIND, "veth", 4);
	data = attr(&m, IFLA_INFO_DATA, NULL, 0);
	peer = attr(&m, VETH_INFO_PEER, NULL, 0);
	put(&m, sizeof(struct ifinfomsg));
	attr(&m, IFLA_IFNAME, FAR_VETH, sizeof(FAR_VETH));
	attr(&m, IFLA_NET_NS_FD, &peer_netns, sizeof(peer_netns));
	end_nest(&m, peer);
	end_nest(&m, data);
	end_nest(&m, info);
	return ask(&m);
}

/* Otherwise the kernel hands veth segments far larger than an MSS. */
static int
limit_gso(unsigned index)
{
	struct message m;
	struct ifinfomsg *ifi;
	uint32_t one = 1;

	ifi = begin(&m, RTM_NEWLINK, 0, sizeof(*ifi));
	ifi->ifi_index = (int)index;
	attr(&m, IFLA_GSO_MAX_SEGS, &one, sizeof(one));
	return ask(&m);
}

static int
add_address(unsigned index, int family, const char *text)
{
	unsigned char addr[sizeof(struct in6_addr)];
	size_t len = family == AF_INET ? 4 : 16;
	struct message m;
	struct ifaddrmsg *ifa;

	if (inet_pton(family, text, addr) != 1)
		return -EINVAL;
	ifa = begin(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*ifa));
	ifa->ifa_family = (uint8_t)family;
	ifa->ifa_prefixlen = family == AF_INET ? 24 : 64;
	ifa->ifa_flags = family == AF_INET ? 0 : IFA_F_NODAD;
	ifa->ifa_index = index;
	attr(&m, IFA_LOCAL, addr, len);
	attr(&m, IFA_ADDRESS, addr, len);
	return ask(&m);
}

/* LAB_PEER_ADDR4 and the seven after it, and likewise for IPv6. */
static int
add_neighbours(unsigned index, int family, const char *text)
{
	static const unsigned char mac[] = LAB_PEER_MAC;
	unsigned char addr[sizeof(struct in6_addr)];
	size_t len = family == AF_INET ? 4 : 16;
	int rc = 0;

	if (inet_pton(family, text, addr) != 1)
		return -EINVAL;
	for (; addr[len - 1] <= 9 && rc == 0; addr[len - 1]++) {
		struct message m;
		struct ndmsg *ndm;

		ndm = begin(&m, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE,
		    sizeof(*ndm));
		ndm->ndm_family = (uint8_t)family;
		ndm->ndm_ifindex = (int)index;
		ndm->ndm_state = NUD_PERMANENT;
		attr(&m, NDA_DST, addr, len);
		attr(&m, NDA_LLADDR, mac, sizeof(mac));
		rc = ask(&m);
	}
	return rc;
}

/*
 * A new IPv6 address is of use only when a work item of the kernel's has added
 * its route, which on a loaded machine comes after the first SYN/ACK: until a
 * datagram comes back from there.
 */
static int
await_ipv6(void)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6 };
	socklen_t len = sizeof(at);
	struct pollfd arrival = { .events = POLLIN };
	int rc = -ETIMEDOUT;

	inet_pton(AF_INET6, LAB_VETH_ADDR6, &at.sin6_addr);
	arrival.fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (arrival.fd < 0)
		return -errno;
	if (bind(arrival.fd, (struct sockaddr *)&at, len) < 0 ||
	    getsockname(arrival.fd, (struct sockaddr *)&at, &len) < 0)
		rc = -errno;
	for (int turn = 0; turn < IPV6_TURNS && rc == -ETIMEDOUT; turn++) {
		sendto(arrival.fd, "", 1, 0, (struct sockaddr *)&at, len);
		if (poll(&arrival, 1, 1) == 1)
			rc = 0;
	}
	close(arrival.fd);
	return rc;
}

static int
near_addresses(void)
{
	unsigned index = if_nametoindex(LAB_VETH);
	int rc;

	rc = add_address(index, AF_INET, LAB_VETH_ADDR4);
	if (rc == 0)
		rc = add_neighbours(index, AF_INET, LAB_PEER_ADDR4);
	if (rc < 0 || !lab_has_ipv6())
		return rc;
	rc = add_address(index, AF_INET6, LAB_VETH_ADDR6);
	if (rc == 0)
		rc = add_neighbours(index, AF_INET6, LAB_PEER_ADDR6);
	return rc < 0 ? rc : await_ipv6();
}

/* Opens a new network namespace and leaves the thread in it. */
static int
enter_far(int *fd)
{
	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	*fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	return *fd < 0 ? -errno : 0;
}

/*
 * The far end is up first, and has no IPv6 that would send solicitations;
 * the near end then has its carrier from the moment it is up.
 */
static int
build(int here)
{
	int rc;

	rc = enter_far(&far_netns);
	if (setns(here, CLONE_NEWNET) < 0)
		return -errno;
	if (rc == 0)
		rc = add_pair(far_netns);
	if (rc < 0)
		return rc;
	if (setns(far_netns, CLONE_NEWNET) < 0)
		return -errno;
	lab_sysctl("net/ipv6/conf/" FAR_VETH "/disable_ipv6", "1");
	rc = link_up(FAR_VETH);
	if (setns(here, CLONE_NEWNET) < 0)
		return -errno;
	/* No link-local address, so that la0 says nothing of its own. */
	lab_sysctl("net/ipv6/conf/" LAB_VETH "/addr_gen_mode", "1");
	if (rc == 0)
		rc = limit_gso(if_nametoindex(LAB_VETH));
	if (rc == 0)
		rc = link_up(LAB_VETH);
	if (rc == 0)
		rc = near_addresses();
	return rc;
}

int
lab_veth(void)
{
	int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int rc;

	if (here < 0)
		return -errno;
	if (far_netns >= 0)
		rc = -EEXIST;
	else
		rc = build(here);
	close(here);
	return rc;
}

static int
bind_far(int fd)
{
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(FAR_VETH),
	};
	int one = 1;
	int bytes = FAR_QUEUE_BYTES;

	if (fd < 0)
		return -errno;
	/* Not what other raw peers send; and no queue, which waits for a
	 * link that the kernel declares up some time later. */
	if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one,
		sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) <
		0)
		return -errno;
	/* Allowed with CAP_NET_ADMIN of the first namespace only. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) <
	    0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (bind(fd, (struct sockaddr *)&sll, sizeof(sll)) < 0)
		return -errno;
	return 0;
}

int
lab_far_socket(void)
{
	int here;
	int fd = -1;
	int rc;

	if (far_netns < 0)
		return -ENODEV;
	here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (here < 0)
		return -errno;
	if (setns(far_netns, CLONE_NEWNET) < 0) {
		rc = -errno;
		close(here);
		return rc;
	}
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	rc = bind_far(fd);
	if (setns(here, CLONE_NEWNET) < 0)
		abort(); /* everything after it would be in the wrong place */
	close(here);
	if (rc < 0 && fd >= 0)
		close(fd);
	return rc < 0 ? rc : fd;
}
