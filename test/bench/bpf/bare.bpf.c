/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The probe's hooks with nothing in them: what any program that sees as much must cost. */
#include "../../../probe/bpf/kernel.h"

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int old_state, int new_state) {
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

SEC("cgroup/sendmsg4")
int on_send4(struct bpf_sock_addr *ctx) {
    return 1;
}

SEC("cgroup/sendmsg6")
int on_send6(struct bpf_sock_addr *ctx) {
    return 1;
}

SEC("cgroup/recvmsg4")
int on_recv4(struct bpf_sock_addr *ctx) {
    return 1;
}

SEC("cgroup/recvmsg6")
int on_recv6(struct bpf_sock_addr *ctx) {
    return 1;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
