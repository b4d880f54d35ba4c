/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* tcp_listen: one listening TCP socket in one window. */
#pragma once

#include "types.h"

struct tcp_listen {
    socket_id_t socket;
    cgroup_id_t cgroup; /* of the process that listened */
    comm_t comm;
    hierarchy_t hierarchy; /* of cgroup */
    process_id_t pid;
    netns_id_t netns;
    level_listeners_t listeners;     /* 1; 0 when it has closed */
    level_connections_t queue_depth; /* sock.sk_ack_backlog: established, and not accepted */
    level_connections_t
        queue_limit;            /* sock.sk_max_ack_backlog: what listen(2) asked for, at most somaxconn */
    peak_share_t queue_fullest; /* depth of limit */
    delta_drops_t
        queue_drops; /* sock.sk_drops: connections refused because the queue was full, and other drops */
    port_t port;
    __u8 role; /* ROLE_SERVER */
    __u8 pad[5];
};

_Static_assert(sizeof(struct tcp_listen) == 72, "tcp_listen grew a hole");
