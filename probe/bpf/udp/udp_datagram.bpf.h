/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* A datagram, from the headers of an sk_buff. */
#pragma once

#include "lost.bpf.h"
#include "udp_conversation.bpf.h"

#define UDP_HEADER 8

static __always_inline void read_v4(struct datagram *datagram, const void *addresses) {
    const __be32 *from = addresses, *to = from + 1;

    datagram->family = AF_INET;
    map_v4(datagram->sent ? datagram->key.local : datagram->key.remote, *from);
    map_v4(datagram->sent ? datagram->key.remote : datagram->key.local, *to);
}

static __always_inline void read_v6(struct datagram *datagram, const void *addresses) {
    datagram->family = AF_INET6;
    __builtin_memcpy(datagram->sent ? datagram->key.local : datagram->key.remote, addresses, 16);
    __builtin_memcpy(datagram->sent ? datagram->key.remote : datagram->key.local, addresses + 16, 16);
}

static __always_inline void read_ports(struct datagram *datagram, const __be16 *ports) {
    datagram->key.local_port = bpf_ntohs(datagram->sent ? ports[0] : ports[1]);
    datagram->key.remote_port = bpf_ntohs(datagram->sent ? ports[1] : ports[0]);
}

/* Headers outside the linear data, and headers with options. Returns their length, 0 for a packet that is
 * not counted. */
static __noinline __u32 load_headers(struct __sk_buff *skb, struct datagram *datagram) {
    __u32 length = 40;
    __u8 header[40];
    __be16 ports[2];

    if (!datagram)
        return 0;
    if (skb->protocol == bpf_htons(ETH_P_IP)) {
        if (bpf_skb_load_bytes_relative(skb, 0, header, 20, BPF_HDR_START_NET))
            return 0;
        length = (header[0] & 15) * 4;
        read_v4(datagram, header + 12);
    } else {
        if (bpf_skb_load_bytes_relative(skb, 0, header, 40, BPF_HDR_START_NET))
            return 0;
        if (header[6] != IPPROTO_UDP) {
            count_lost(LOST_UDP_HEADER);
            return 0;
        }
        read_v6(datagram, header + 8);
    }
    if (bpf_skb_load_bytes_relative(skb, length, ports, sizeof ports, BPF_HDR_START_NET))
        return 0;
    read_ports(datagram, ports);
    return length;
}

/* Returns false for a packet that is not counted. The addresses are the packet's: those of an unconnected
 * socket are empty. */
static __always_inline bool read_datagram(struct __sk_buff *skb, struct datagram *datagram) {
    __u8 *ip = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
    __u32 length;

    if (ip + 20 + sizeof(__be16[2]) <= end && ip[0] == 0x45) {
        length = 20;
        read_v4(datagram, ip + 12);
        read_ports(datagram, (__be16 *)(ip + 20));
    } else if (ip + 40 + sizeof(__be16[2]) <= end && ip[0] >> 4 == 6 && ip[6] == IPPROTO_UDP) {
        length = 40;
        read_v6(datagram, ip + 8);
        read_ports(datagram, (__be16 *)(ip + 40));
    } else if (!(length = load_headers(skb, datagram))) {
        return false;
    }
    datagram->packets = skb->gso_segs ?: 1;
    datagram->bytes = skb->len - length - UDP_HEADER;
    return true;
}

/* Most packets are TCP: a byte of the linear header shows it. */
static __always_inline bool is_tcp(struct __sk_buff *skb) {
    __u8 *ip = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

    return ip + 20 <= end && (ip[0] >> 4 == 4 ? ip[9] : ip[6]) == IPPROTO_TCP;
}

static __always_inline bool is_datagram(struct bpf_sock *sk) {
    struct sock *kernel_sk;

    if (!CAN_CAST)
        return (sk = bpf_sk_fullsock(sk)) && sk->protocol == IPPROTO_UDP && sk->type == SOCK_DGRAM;
    /* a full socket: the kernel runs the program for no other (__cgroup_bpf_run_filter_skb) */
    kernel_sk = CAST(struct sock, sk);
    return kernel_sk->sk_protocol == IPPROTO_UDP && kernel_sk->sk_type == SOCK_DGRAM;
}
