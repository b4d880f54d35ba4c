/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Every sockops callback of some network namespaces, as it comes. Asks for none by itself, so that the flags
 * stay those of others, unless it is told to be such another: then it asks for its own when a socket connects
 * or listens. Who wants samples asks for those of an older listener's connections, too, when they are
 * established: the handshake's, which came before, is srtt_us then. */
#include "../../../probe/bpf/kernel.h"

struct callback {
    __u32 netns;
    __u32 op;
    __u32 arg;   /* args[0]: of BPF_SOCK_OPS_RTT_CB the sample */
    __u32 flags; /* bpf_sock_ops_cb_flags */
    __u32 local_port;
    __u32 remote_port;
};

/* clang writes BTF only for types that a map, a global or a function names */
const struct callback *callback_type __attribute__((unused));

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4 * 1024 * 1024);
} callbacks SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 64);
    __type(key, __u32); /* net.ns.inum */
    __type(value, __u32);
} wanted SEC(".maps");

const volatile __u32 own_flags = 0;
__u64 lost;

static __always_inline void tell(struct bpf_sock_ops *ops, __u32 netns, __u32 op, __u32 arg) {
    struct callback *callback = bpf_ringbuf_reserve(&callbacks, sizeof *callback, 0);

    if (!callback) {
        __sync_fetch_and_add(&lost, 1);
        return;
    }
    callback->netns = netns;
    callback->op = op;
    callback->arg = arg;
    callback->flags = ops->bpf_sock_ops_cb_flags;
    callback->local_port = ops->local_port;
    callback->remote_port = __builtin_bswap32(ops->remote_port);
    bpf_ringbuf_submit(callback, 0);
}

SEC("sockops")
int on_callback(struct bpf_sock_ops *ops) {
    struct bpf_sock *sk = ops->sk;
    struct tcp_sock *tp = sk ? bpf_skc_to_tcp_sock(sk) : NULL;
    __u32 netns, without;

    if (!tp)
        return 1;
    netns = tp->TCP_COMMON.skc_net.net->ns.inum;
    if (!bpf_map_lookup_elem(&wanted, &netns))
        return 1;
    without = own_flags & ~ops->bpf_sock_ops_cb_flags;
    switch (ops->op) {
    case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
    case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
        if (!(without & BPF_SOCK_OPS_RTT_CB_FLAG))
            break;
        tell(ops, netns, BPF_SOCK_OPS_RTT_CB, ops->srtt_us >> 3);
        __attribute__((fallthrough));
    case BPF_SOCK_OPS_TCP_CONNECT_CB:
    case BPF_SOCK_OPS_TCP_LISTEN_CB:
        if (without)
            bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags | own_flags);
    }
    tell(ops, netns, ops->op, ops->args[0]);
    return 1;
}

char _license[] SEC("license") = "Dual MIT/GPL";
