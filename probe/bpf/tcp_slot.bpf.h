/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Live flows, one slot each, in one dense array that the report pass walks by index.
 *
 * Why not iter/bpf_sk_storage_map: it resumes a split pass by counting elements from the head of a bucket, so
 * sockets that come and go between two reads make it miss others, and a pass that is not split holds a core.
 * An index cannot slip. A socket that went away without a CLOSE seen (a tracepoint is skipped when it
 * interrupts itself) is found here by its cookie and closed; storage would have vanished with it. */
#pragma once

#include "lost.bpf.h"
#include "tcp_flow.h"

#define MAX_FLOWS 131072 /* default; the probe resizes the map */

/* Counters as tcp_sock has them, to take deltas from. */
struct tcp_counters {
    bytes_t bytes_sent;
    bytes_t bytes_rcvd;
    segments_t segs_sent;
    segments_t segs_rcvd;
    segments_t segs_resent;
    __u32 pad;
};

struct tcp_slot {
    /* SLOT_* | which base is valid << 2 | reported_ns << 3, in one word, so that a report is committed by one
     * compare-and-swap and a flow that closes during it is either in the report or in its close record, never
     * both. */
    __u64 word;
    __u64 sk; /* struct sock, read with bpf_probe_read_kernel and checked by cookie: it may be gone */
    struct tcp_counters base[2];
    struct tcp_flow flow;
    __u32 next; /* free list: index + 1 */
    __u32 pad;
};

enum slot_state {
    SLOT_FREE,
    SLOT_LIVE,
    SLOT_BUSY,  /* the report pass is at it */
    SLOT_CLOSED /* its close record is on the way */
};

#define WORD(reported_ns, base, state) ((reported_ns) << 3 | (__u64)(base) << 2 | (state))
#define WORD_STATE(word) ((word)&3)
#define WORD_BASE(word) ((word) >> 2 & 1)
#define WORD_REPORTED(word) ((word) >> 3)

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MAX_FLOWS);
    __type(key, __u32);
    __type(value, struct tcp_slot);
} tcp_slot SEC(".maps");

const volatile __u32 max_flows = MAX_FLOWS;

/* A lock-free stack of free slots: index + 1 of the top below, a tag that rises with every change above
 * (ABA). The most recently freed slot is taken first, which keeps the array dense and the pass short. */
__u64 free_top;
__u32 slots_used; /* high-water mark: slots from here on were never taken */

static __always_inline struct tcp_slot *slot_at(__u32 index) {
    return bpf_map_lookup_elem(&tcp_slot, &index);
}

/* Returns index + 1, or 0 when there is no room. */
static __always_inline __u32 take_slot(void) {
    for (int i = 0; i < 16; i++) {
        __u64 top = *(volatile __u64 *)&free_top;
        __u32 index = (__u32)top - 1;
        struct tcp_slot *slot;

        if (!(__u32)top)
            break;
        slot = slot_at(index);
        if (!slot)
            return 0;
        if (__sync_val_compare_and_swap(&free_top, top, ((top >> 32) + 1) << 32 | slot->next) == top)
            return index + 1;
    }
    if (*(volatile __u32 *)&slots_used >= max_flows)
        return 0;
    __u32 index = __sync_fetch_and_add(&slots_used, 1);
    return index < max_flows ? index + 1 : 0;
}

static __always_inline void free_slot(struct tcp_slot *slot, __u32 index) {
    __sync_lock_test_and_set(&slot->word, SLOT_FREE);
    for (int i = 0; i < 64; i++) {
        __u64 top = *(volatile __u64 *)&free_top;

        slot->next = (__u32)top;
        if (__sync_val_compare_and_swap(&free_top, top, ((top >> 32) + 1) << 32 | (index + 1)) == top)
            return;
    }
    count_lost(LOST_FREE_SLOT);
}
