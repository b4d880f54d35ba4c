/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What a number means. The typedef's name reaches the collector with each message. */
#pragma once

#include <linux/types.h>

typedef __u64 boot_ns_t;    /* nanoseconds of CLOCK_BOOTTIME */
typedef __u64 bytes_t;      /* payload bytes */
typedef __u64 cgroup_id_t;  /* kernfs_node.id, unique within its hierarchy: the inode of the directory */
typedef __u32 hierarchy_t;  /* cgroup_root.hierarchy_id; 0 is the default hierarchy (cgroup v2) */
typedef __u64 socket_id_t;  /* sock_common.skc_cookie, what `ss -e` prints after sk: */
typedef __u32 process_id_t; /* task_struct.tgid in the initial PID namespace */
typedef __u32 netns_id_t;   /* net.ns.inum: the inode of /proc/PID/ns/net */
typedef __u32 usec_t;       /* microseconds */
typedef __u32 segments_t;   /* TCP segments */
typedef __u32 packets_t;    /* datagrams on the wire: each segment of an offloaded one */
typedef __u32 samples_t;    /* measured round trips */

/* Numbers that add up over the rows of a window: whatever counts rows sums these typedefs. delta_: since
 * the last report. */
typedef __u64 delta_bytes_t;
typedef __u32 delta_segments_t;
typedef __u32 delta_packets_t;
typedef __u32 delta_resets_t;
typedef __u32 delta_usec_t;
typedef __u32 delta_timeouts_t;
/* level_: the value at the window's end; 0 for a flow that has closed by then. */
typedef __u32 level_segments_t;
typedef __u32 level_bytes_t;
typedef __u32 level_flows_t;
typedef __u32 level_listeners_t;
typedef __u32 level_connections_t;
typedef __u32 delta_drops_t;
/* peak_: a level of which the largest counts. */
typedef __u32 peak_usec_t;
typedef __u32 peak_share_t; /* in 1/100 % */

typedef __u16 port_t;       /* host byte order */
typedef __u8 address_t[16]; /* IPv6, or IPv4 mapped into it (RFC 4291, 2.5.5.2) */
typedef __u8 flow_flags_t;  /* enum flow_flags with FLOW_MEASURED; in rows of older probes a plain number */
typedef char comm_t[16];    /* task_struct.comm of the thread group leader */

/* tcp_flow.role, udp_flow.role: the role of the local end. */
enum role {
    ROLE_UNKNOWN,
    ROLE_CLIENT, /* TCP: it connected, CLOSE -> SYN_SENT; UDP: it sent the first datagram that was seen */
    ROLE_SERVER, /* TCP: it was created for a listener; UDP: it received the first datagram that was seen */
};

/* tcp_flow.flags, udp_flow.flags */
enum flow_flags {
    FLOW_PREDATES = 1, /* TCP: older than the probe; opened_ns is when the probe first saw it */
    FLOW_GUESSED = 2, /* the owner is the process that listened or created the socket; no user was seen yet */
    FLOW_OWNERLESS = 4, /* no process was seen with it: the cgroup is the socket's own */
    FLOW_SAMPLED = 8,   /* each of its RTT samples is in rtt_samples, tcp_total and rtt_bucket */
    FLOW_FAILED = 16,   /* it closed before it was established */
    FLOW_MEASURED = 32, /* it took an RTT sample since its last report: rtt_us is of this window */
    FLOW_HANDED = 64,   /* closed_ns is when it went to another container: this row is the former owner's */
    FLOW_EITHER = 128   /* its role is not sure; if it was accepted, isn_local is one less */
};
