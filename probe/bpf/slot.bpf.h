/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Live flows, one slot each, in one dense array for each kind, which the report pass walks by index.
 *
 * Why not iter/bpf_sk_storage_map: it resumes a split pass by counting elements from the head of a bucket, so
 * sockets that come and go between two reads make it miss others, and a pass that is not split holds a core.
 * An index cannot slip. A socket that went away without a CLOSE seen (a tracepoint is skipped when it
 * interrupts itself) is found here by its cookie and closed; storage would have vanished with it. The array is
 * made in chunks, as they are needed. */
#pragma once

#include "lost.bpf.h"
#include "room/room.bpf.h"

#define MAX_FLOWS 131072 /* default of both kinds; the probe resizes the maps */

#define CHUNK_BITS 12
#define CHUNK (1 << CHUNK_BITS)
#define CALL_SLOTS 1024 /* the probe is called after so many new ones */

/* The first chunk is there from the start. All have the same size, so that both look-ups are a few loads and no
 * calls. */
#define SLOTS(name, value_type)                                                                              \
    struct name##_chunk {                                                                                    \
        __uint(type, BPF_MAP_TYPE_ARRAY);                                                                    \
        __uint(max_entries, CHUNK);                                                                          \
        __type(key, __u32);                                                                                  \
        __type(value, value_type);                                                                           \
    } name##_first SEC(".maps");                                                                             \
    struct {                                                                                                 \
        __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                                            \
        __uint(max_entries, MAX_FLOWS / CHUNK);                                                              \
        __type(key, __u32);                                                                                  \
        __array(values, struct name##_chunk);                                                                \
    } name SEC(".maps") = {.values = {&name##_first}}

/* What every slot begins with. */
struct slot {
    /* SLOT_* | which base is valid << 2 | reported_ns << 3, in one word, so that a report is committed by one
     * compare-and-swap and a flow that closes during it is either in the report or in its close record, never
     * both. */
    __u64 word;
    __u32 next;  /* free list: index + 1 */
    __u32 whole; /* the next report is a row with everything: the flow has another owner */
};

enum slot_state {
    SLOT_FREE,
    SLOT_LIVE,
    SLOT_BUSY,  /* the report pass or a hand-over holds it */
    SLOT_CLOSED /* its close record is being written */
};

#define WORD(reported_ns, base, state) ((reported_ns) << 3 | (__u64)(base) << 2 | (state))
#define WORD_STATE(word) ((word)&3)
#define WORD_BASE(word) ((word) >> 2 & 1)
#define WORD_REPORTED(word) ((word) >> 3)

/* NULL where no chunk is yet. */
static __always_inline void *slot_among(void *chunks, __u32 index) {
    __u32 chunk = index >> CHUNK_BITS, at = index & (CHUNK - 1);
    void *slots = bpf_map_lookup_elem(chunks, &chunk);

    return slots ? bpf_map_lookup_elem(slots, &at) : NULL;
}

/* Returns index + 1, or 0 when there is no room. `slot_at` gives the slot of an index. */
static __always_inline __u32 take_slot(struct slot *(*slot_at)(__u32), struct pool *pool, __u32 most) {
    for (int i = 0; i < 16; i++) {
        __u64 top = *(volatile __u64 *)&pool->top;
        __u32 index = (__u32)top - 1;
        struct slot *slot;

        if (!(__u32)top)
            break;
        slot = slot_at(index);
        if (!slot)
            return 0;
        if (__sync_val_compare_and_swap(&pool->top, top, ((top >> 32) + 1) << 32 | slot->next) == top)
            return index + 1;
    }
    for (int i = 0; i < 16; i++) {
        __u32 used = *(volatile __u32 *)&pool->used;

        if (used >= most || !slot_at(used))
            return 0;
        if (__sync_val_compare_and_swap(&pool->used, used, used + 1) == used) {
            if (!(used & (CALL_SLOTS - 1)))
                call_for_room();
            return used + 1;
        }
    }
    return 0;
}

/* Few slots are left now, and more will come: whoever can wait leaves them to those that cannot. */
static __always_inline bool is_growing(struct slot *(*slot_at)(__u32), struct pool *pool) {
    __u32 ahead = *(volatile __u32 *)&pool->used + AHEAD;

    return ahead < *(volatile __u32 *)&pool->coming && !slot_at(ahead);
}

static __always_inline void free_slot(struct slot *slot, struct pool *pool, __u32 index) {
    __sync_lock_test_and_set(&slot->word, SLOT_FREE);
    for (int i = 0; i < 64; i++) {
        __u64 top = *(volatile __u64 *)&pool->top;

        slot->next = (__u32)top;
        if (__sync_val_compare_and_swap(&pool->top, top, ((top >> 32) + 1) << 32 | (index + 1)) == top)
            return;
    }
    count_lost(LOST_FREE_SLOT);
}

/* Makes the slot's contents visible to the pass. */
static __always_inline void open_slot(struct slot *slot) {
    __sync_lock_test_and_set(&slot->word, WORD(0ULL, 0, SLOT_LIVE));
}

/* True when the caller closes the flow. After it, the caller frees a slot that was LIVE in `word`; the
 * program that holds a BUSY one frees it. */
static __always_inline bool claim_close(struct slot *slot, __u64 *word) {
    for (int i = 0; i < 8; i++) {
        *word = *(volatile __u64 *)&slot->word;
        if (WORD_STATE(*word) != SLOT_LIVE && WORD_STATE(*word) != SLOT_BUSY)
            return false;
        if (__sync_val_compare_and_swap(&slot->word, *word, SLOT_CLOSED) == *word)
            return true;
    }
    return false;
}
