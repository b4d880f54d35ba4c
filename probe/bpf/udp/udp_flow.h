/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* udp_flow: one UDP conversation, seen from one local socket, in one window: there is a row only when a
 * datagram passed. This is the only schema. */
#pragma once

#include "types.h"

struct udp_flow {
    socket_id_t socket;
    cgroup_id_t cgroup;       /* of the owner */
    boot_ns_t opened_ns;      /* the first datagram */
    boot_ns_t closed_ns;      /* the conversation was evicted; 0 while it has a slot */
    boot_ns_t reported_ns;    /* end of the last window whose pass reported this flow; 0 for none */
    delta_bytes_t bytes_sent; /* since the last report: payload, sk_buff.len less the IP and UDP headers */
    delta_bytes_t bytes_rcvd; /* since the last report: the same */
    address_t local;          /* of the datagrams: ip(7), ipv6(7) */
    address_t remote;         /* the same */
    comm_t comm;
    hierarchy_t hierarchy; /* of cgroup */
    process_id_t pid;
    netns_id_t netns;
    delta_packets_t packets_sent; /* since the last report: skb_shared_info.gso_segs, at least 1 */
    delta_packets_t packets_rcvd; /* since the last report: the same */
    port_t local_port;
    port_t remote_port;
    __u8 family; /* of the datagrams: AF_INET or AF_INET6 */
    __u8 role;   /* enum role */
    __u8 flags;  /* enum flow_flags */
    __u8 pad[5];
};

_Static_assert(sizeof(struct udp_flow) == 136, "udp_flow grew a hole");
