/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Parts of the probe's programs, with what no socket of a test can bring about. */
#include "kernel.h"
#include <bpf/bpf_endian.h>
#include "health/health_row.bpf.h"

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

char LICENSE[] SEC("license") = "Dual MIT/GPL";
