/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Parts of the probe's programs, with what no socket of a test can bring about. */
#include "kernel.h"
#include <bpf/bpf_endian.h>
#include "tcp/tcp_flow.bpf.h"

struct place {
    __u64 cookie;
    __u32 index;
    __u32 held; /* whether the slot `index` is the socket's now */
    __u32 at;   /* index + 1 */
};

SEC("syscall")
int hold(struct place *ctx) {
    struct tcp_slot *slot = tcp_slot_at(ctx->index);

    if (!slot)
        return 1;
    slot->flow.socket = ctx->cookie;
    open_slot(&slot->slot);
    ctx->held = hold_place(ctx->cookie, ctx->index + 1);
    ctx->at = placed(ctx->cookie);
    return 0;
}

SEC("syscall")
int look(struct place *ctx) {
    ctx->at = placed(ctx->cookie);
    return 0;
}

SEC("syscall")
int leave_it(struct place *ctx) {
    leave_place(ctx->cookie);
    ctx->at = placed(ctx->cookie);
    return 0;
}

struct refused {
    __u64 cookie; /* the first of `count` */
    __u32 count;
    __u32 again; /* they were seen before */
};

SEC("syscall")
int refuse_them(struct refused *ctx) {
    struct tcp_opener opener = {};

    for (__u32 i = 0; i < ctx->count && i < 64; i++)
        refuse(ctx->cookie + i, &opener, ctx->again ? AGAIN : FIRST);
    return 0;
}

struct counters {
    struct health_counters now;
    struct health_counters base;
    usec_t busy_us;
    usec_t receiver_us;
    usec_t sndbuf_us;
    usec_t stalled_us;
    __u32 timeouts;
    __u32 recoveries;
    segments_t syn_resent;
    segments_t spurious;
    segments_t out_of_order;
    segments_t ecn_marks;
    __u32 tells;
};

SEC("syscall")
int rise(struct counters *ctx) {
    struct health_counters now = ctx->now, base = ctx->base;
    struct tcp_health row = {};

    ctx->tells = write_risen(&row, &now, &base);
    ctx->busy_us = passed_us(&now.busy_ticks, base.busy_ticks, jiffy_us);
    ctx->receiver_us = row.receiver_us;
    ctx->sndbuf_us = row.sndbuf_us;
    ctx->stalled_us = row.stalled_us;
    ctx->timeouts = row.timeouts;
    ctx->recoveries = row.recoveries;
    ctx->syn_resent = row.syn_resent;
    ctx->spurious = row.spurious;
    ctx->out_of_order = row.out_of_order;
    ctx->ecn_marks = row.ecn_marks;
    ctx->now = now;
    return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
