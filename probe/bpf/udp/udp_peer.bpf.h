/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Who a call on an unconnected UDP socket sends to, or receives from: cgroup/sendmsg and recvmsg programs run
 * in the call when it has an address, the tracepoint at its end has none. They see the address of the
 * application, before the packet is translated. */
#pragma once

#include "udp_conversation.bpf.h"

/* By thread, not by CPU: a call may sleep in between. The tracepoint clears it. */
struct udp_peer {
    __u64 call; /* cookie << 22 | thread id; 0: none */
    address_t address;
    port_t port;
    __u8 sent;
    __u8 pad[5];
};

#define PEER_BITS 14

static struct udp_peer udp_peer[1 << PEER_BITS];

static __always_inline __u64 call_word(__u64 cookie, __u32 thread) {
    return cookie << TGID_BITS | thread;
}

static __always_inline struct udp_peer *peer_of(__u32 thread) {
    return &udp_peer[thread & ((1 << PEER_BITS) - 1)];
}

static __always_inline int note_peer(struct bpf_sock_addr *ctx, enum direction direction, bool v6) {
    __u32 thread = bpf_get_current_pid_tgid();
    struct udp_peer *peer = peer_of(thread);
    struct bpf_sock *sk = ctx->sk;
    __u64 cookie = sk ? CAST(struct sock, sk)->__sk_common.skc_cookie.counter : 0;

    peer->call = call_word(cookie ?: bpf_get_socket_cookie(ctx), thread);
    if (v6) {
        __u32 *words = (__u32 *)peer->address;

        words[0] = ctx->user_ip6[0];
        words[1] = ctx->user_ip6[1];
        words[2] = ctx->user_ip6[2];
        words[3] = ctx->user_ip6[3];
    } else {
        map_v4(peer->address, ctx->user_ip4);
    }
    peer->port = bpf_ntohs(ctx->user_port);
    peer->sent = direction == SENT;
    return 1;
}

SEC("?cgroup/sendmsg4")
int udp_send4(struct bpf_sock_addr *ctx) {
    return note_peer(ctx, SENT, false);
}

SEC("?cgroup/sendmsg6")
int udp_send6(struct bpf_sock_addr *ctx) {
    return note_peer(ctx, SENT, true);
}

SEC("?cgroup/recvmsg4")
int udp_recv4(struct bpf_sock_addr *ctx) {
    return note_peer(ctx, RECEIVED, false);
}

SEC("?cgroup/recvmsg6")
int udp_recv6(struct bpf_sock_addr *ctx) {
    return note_peer(ctx, RECEIVED, true);
}
