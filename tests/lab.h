/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LAB_H
#define LAB_H

#include <stdbool.h>

/*
 * The lab: a network namespace of our own, in which a test may change
 * sysctls, capture every frame and answer as any peer, without root.
 *
 * Call lab_enter() or lab_require() first thing in main(): the kernel lets
 * only a single-threaded process enter a user namespace. Forked and executed
 * children are inside too, as uid 0 of the namespace.
 */

/* Our end of the veth pair, and what a raw peer may answer for. */
#define LAB_VETH "la0"
#define LAB_VETH_ADDR4 "192.0.2.1"
#define LAB_VETH_ADDR6 "2001:db8:1::1"
#define LAB_PEER_ADDR4 "192.0.2.2"     /* .2 to .9 have neighbour entries */
#define LAB_PEER_ADDR6 "2001:db8:1::2" /* ::2 to ::9 likewise */

/*
 * Ethernet addresses of the pair. The peer's is owned by no interface: the
 * kernel at the far end sees frames for somebody else and never answers.
 */
/* clang-format off */
#define LAB_VETH_MAC { 0x02, 0x00, 0x5e, 0x10, 0x00, 0x01 }
#define LAB_PEER_MAC { 0x02, 0x00, 0x5e, 0x10, 0x00, 0x02 }
/* clang-format on */

/*
 * Enters a new user and network namespace, or, for a root who may not have
 * the former, a network namespace alone, and brings lo up.
 * Returns 0 or a negative errno.
 */
int lab_enter(void);

/*
 * lab_enter(), or the end of the program: status 77 (skipped) with the reason
 * on standard error, and 1 where the environment has a non-empty CI, because
 * there nothing may be skipped.
 */
void lab_require(void);

/*
 * Keeps the calling thread, and what children and threads it starts from now
 * on, on the CPU it runs on. Each CPU has its own queue between the two ends
 * of lo and of the veth pair: only on one CPU do frames never overtake each
 * other, and a test may count on the exact sequence of segments.
 */
void lab_pin(void);

/*
 * Writes value to /proc/sys/PATH, of this network namespace where it is a
 * net.* one. Path with dots or with slashes: "net.ipv4.tcp_fastopen".
 * Returns 0 or a negative errno.
 */
int lab_sysctl(const char *path, const char *value);

/* Whether ::1 can be bound here. */
bool lab_has_ipv6(void);

/*
 * Makes the veth pair: la0 here, with LAB_VETH_ADDR4 and, where there is
 * IPv6, LAB_VETH_ADDR6; la1 in a namespace of its own without any address, so
 * that nothing but a raw peer answers there. Frames leave la0 as the plain
 * segments of the wire (no segmentation offload), with their checksums left
 * to a hardware that does not exist: receivers at la1 must not check them.
 * On return la0 takes segments of both families.
 * Once for each process. Returns 0 or a negative errno.
 */
int lab_veth(void);

/* lab_veth(), or the end of the program under the rule of lab_require(). */
void lab_require_veth(void);

/*
 * A packet socket at la1 (AF_PACKET, SOCK_RAW, nonblocking) that sees what
 * la0 sent and whose frames arrive at la0. The caller closes it.
 * Returns the descriptor or a negative errno.
 */
int lab_far_socket(void);

#endif /* LAB_H */
