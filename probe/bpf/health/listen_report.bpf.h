/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Once a window: the queue of every listening socket. */
#pragma once

#include "listen_slot.bpf.h"
#include "report.bpf.h"

PAGE(tcp_listen_page, struct tcp_listen, PAGE_ROWS);

static __always_inline void write_listen(struct tcp_listen *row, struct listen_slot *slot) {
    /* not within LOAD: libbpf would look for listen_slot in the kernel's modules, too, which takes CAP_SYS_ADMIN */
    __u64 sk = slot->sk;
    __u32 depth = LOAD(struct sock, sk, sk_ack_backlog);
    __u32 limit = LOAD(struct sock, sk, sk_max_ack_backlog);
    __u32 drops = LOAD(struct sock, sk, sk_drops.counter);

    barrier();
    /* its close was seen, or was missed: then its memory may be another's */
    if (slot->closed) {
        drops = slot->final;
    } else if (LOAD(struct sock, sk, __sk_common.skc_cookie.counter) == slot->listen.socket &&
               LOAD(struct sock, sk, __sk_common.skc_state) == TCP_LISTEN) {
        row->listeners = 1;
        if (!row->port) /* it was not bound: its port came after it was seen */
            row->port = slot->listen.port = LOAD(struct sock, sk, __sk_common.skc_num);
        row->queue_depth = depth;
        row->queue_limit = limit;
        row->queue_fullest = limit ? (__u64)depth * 10000 / limit : 0;
    } else {
        drops = slot->drops;
    }
    row->queue_drops = drops - slot->drops;
    slot->drops = drops;
}

__attribute__((noinline)) int report_listener(struct report *pass) {
    struct listen_slot *slot;
    struct tcp_listen *row;
    __u32 at;

    if (!pass)
        return 0;
    at = pass->rows;
    slot = listen_slot_at(pass->next);
    row = bpf_map_lookup_elem(&tcp_listen_page, &at);
    if (!slot || !row || WORD_STATE(*(volatile __u64 *)&slot->slot.word) != SLOT_LIVE)
        return 0;
    __builtin_memcpy(row, &slot->listen, sizeof *row);
    write_listen(row, slot);
    pass->rows = at + 1;
    if (row->listeners)
        return 0;
    forget_listener(slot, pass->next);
    return 0;
}

SEC("?syscall")
int tcp_listen_report(struct report *ctx) {
    return report_slots(ctx, report_listener, &listen_pool, MAX_LISTENERS);
}

/* Refused by kernels that lack the fields: never run. */
SEC("?syscall")
int tcp_timeouts(void *ctx) {
    struct tcp_sock *tp = NULL;

    return BPF_CORE_READ(tp, total_rto) + BPF_CORE_READ(tp, total_rto_time);
}
