/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The two initial sequence numbers of a connection: both ends can compute both, and no NAT changes them, so
 * that they tell which two sockets are its ends. They hold in every state from ESTABLISHED on, when the
 * socket is locked: bytes_acked is written before snd_una. What was sent but not acknowledged, FINs,
 * retransmissions and resets do not change them. */
#pragma once

#include "tcp_slot.bpf.h"

static __always_inline bool is_identified(const struct tcp_flow *flow) {
    return flow->isn_local | flow->isn_remote;
}

/* Who connects has its SYN among what was acknowledged; who accepts begins behind it. */
static __always_inline void read_isn(struct tcp_flow *flow, struct tcp_sock *tp, __u32 role) {
    flow->isn_local = tp->snd_una - (__u32)tp->bytes_acked - (role == ROLE_SERVER);
    flow->isn_remote = tp->rcv_nxt - (__u32)tp->bytes_received - 1;
}

/* Of a connection whose start was not seen, by what was sent: a SYN of its own is numbered and no byte. Unknown
 * where a queue of this host has dropped something: it is counted as sent each time. */
static __noinline __u32 role_by_isn(struct tcp_sock *tp, int state) {
    const __u32 ending = 1 << TCP_FIN_WAIT1 | 1 << TCP_FIN_WAIT2 | 1 << TCP_CLOSING | 1 << TCP_LAST_ACK;
    __u32 fin, syn;

    if (!tp)
        return ROLE_UNKNOWN;
    fin = state >= 0 && state < 32 && (ending >> state & 1) && tp->snd_nxt == tp->write_seq;
    syn = (__u32)tp->bytes_acked + tp->snd_nxt - tp->snd_una - fin -
          (__u32)(tp->bytes_sent - tp->bytes_retrans);
    return syn == 1 ? ROLE_CLIENT : syn == 0 ? ROLE_SERVER : ROLE_UNKNOWN;
}

/* `state`: the one in which the socket was until now. `is_seen`: its start was, and so its role is known; only
 * that it was established was missed. */
static __always_inline void identify_older(struct tcp_flow *flow, struct tcp_sock *tp, int state,
                                           bool is_seen) {
    __u32 role;

    if (is_identified(flow) || state == TCP_SYN_SENT || state == TCP_SYN_RECV || state == TCP_CLOSE)
        return;
    role = is_seen ? flow->role : role_by_isn(tp, state);
    if (role)
        flow->role = role;
    else
        flow->flags |= FLOW_EITHER;
    read_isn(flow, tp, role);
}
