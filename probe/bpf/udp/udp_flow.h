/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* udp_flow: one UDP conversation, seen from one local socket, in one window: there is a row only when a
 * datagram passed. This is the only schema. */
#pragma once

#include "types.h"

struct udp_flow {
    socket_id_t socket;
    cgroup_id_t cgroup;    /* of the owner */
    boot_ns_t opened_ns;   /* the first datagram */
    boot_ns_t closed_ns;   /* the conversation was evicted; 0 while it has a slot */
    boot_ns_t reported_ns; /* end of the last window whose pass reported this flow; 0 for none */
    delta_bytes_t
        bytes_sent; /* since the last report: payload, of send(2) and its like; of packets sk_buff.len
                                 less the IP and UDP headers */
    delta_bytes_t bytes_rcvd; /* since the last report: what recv(2) gave; of packets what arrived */
    address_t local;          /* what the socket is bound to, :: or 0.0.0.0 for any; of packets theirs */
    address_t remote;         /* the name in the call, or the peer of connect(2); :: with port 0: unknown */
    comm_t comm;
    hierarchy_t hierarchy; /* of cgroup */
    process_id_t pid;
    netns_id_t netns;
    delta_packets_t packets_sent; /* since the last report: calls, each segment of UDP_SEGMENT; of packets
                                     skb_shared_info.gso_segs, at least 1 */
    delta_packets_t packets_rcvd; /* since the last report: the same */
    delta_packets_t udp_dropped;  /* since the last report: udp_fail_queue_rcv_skb, of the socket */
    port_t local_port;
    port_t remote_port;
    __u8 family; /* of the datagrams: AF_INET or AF_INET6 */
    __u8 role;   /* enum role */
    __u8 flags;  /* enum flow_flags */
    __u8 pad;
};

_Static_assert(sizeof(struct udp_flow) == 136, "udp_flow grew a hole");
