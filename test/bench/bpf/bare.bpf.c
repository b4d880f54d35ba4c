/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The probe's hooks with next to nothing in them: what any program that sees as much must cost. */
#include "../../../probe/bpf/kernel.h"

struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
    __type(key, int);
    __type(value, __u64);
} seen SEC(".maps");

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int old_state, int new_state) {
    __u64 *n;

    if (sk->sk_protocol != IPPROTO_TCP)
        return 0;
    n = bpf_sk_storage_get(&seen, sk, NULL, new_state == TCP_CLOSE ? 0 : BPF_SK_STORAGE_GET_F_CREATE);
    if (n)
        ++*n;
    return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(on_send, struct sock *sk, int bytes) {
    return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(on_recv, struct sock *sk, int bytes) {
    return 0;
}

SEC("sockops")
int on_sockops(struct bpf_sock_ops *ops) {
    struct bpf_sock *sk;
    __u64 *n;

    switch (ops->op) {
    case BPF_SOCK_OPS_TCP_CONNECT_CB:
    case BPF_SOCK_OPS_TCP_LISTEN_CB:
        bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_RTT_CB_FLAG);
        break;
    case BPF_SOCK_OPS_RTT_CB:
        sk = ops->sk;
        n = sk ? bpf_sk_storage_get(&seen, sk, NULL, 0) : NULL;
        if (n)
            ++*n;
    }
    return 1;
}

SEC("cgroup_skb/egress")
int on_egress(struct __sk_buff *skb) {
    return 1;
}

SEC("cgroup_skb/ingress")
int on_ingress(struct __sk_buff *skb) {
    return 1;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
