/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Once a window: the state of every live flow, written into an mmap'ed page of rows. The common part of
 * the passes over TCP and UDP flows. */
#pragma once

#include "slot.bpf.h"

#define PAGE_ROWS 4096
#define UPDATE_PAGE_ROWS 8192 /* of a record of half the size */
#define PASS_SLOTS 256        /* one run: under 0.2 ms on a core */

/* The context of BPF_PROG_RUN, in and out. */
struct report {
    boot_ns_t end_ns; /* the window's end: flows opened later belong to the next */
    __u32 next;       /* the slot to go on from */
    __u32 rows;       /* rows on the page */
    __u32 updates;    /* rows on the page of updates */
    __u32 beside;     /* rows on the page of what is told beside them */
    __u32 closing;    /* slots whose ring record was not submitted yet: drain the ring again a moment later */
    __u32 missed;     /* flows found closed without a CLOSE event */
    __u32 guessed;    /* flows in the window whose owner is a guess */
    __u32 unused;     /* those of them that were accepted, when the pass first sees them */
};

/* clang writes BTF only for types that a map, a global or a function names */
const struct report *report_type __attribute__((unused));

enum report_result { REPORT_DONE, REPORT_AGAIN, REPORT_PAGE_FULL };

/* A function's argument cannot name a map, so each kind of flow has its page by name. */
#define PAGE(name, record, most)                                                                             \
    struct {                                                                                                 \
        __uint(type, BPF_MAP_TYPE_ARRAY);                                                                    \
        __uint(map_flags, BPF_F_MMAPABLE);                                                                   \
        __uint(max_entries, most);                                                                           \
        __type(key, __u32);                                                                                  \
        __type(value, record);                                                                               \
    } name SEC(".maps")

/* Up to PASS_SLOTS slots, or as many as fit on the pages. `report_one` reports the slot `next`. It is a
 * global function: the verifier walks it once, not once for each turn of the loop. */
static __always_inline int report_slots(struct report *ctx, int (*report_one)(struct report *),
                                        struct pool *pool, __u32 most) {
    struct report pass = *ctx;
    __u32 end = *(volatile __u32 *)&pool->used;
    int result = REPORT_AGAIN;

    if (end > most)
        end = most;
    for (int i = 0; i < PASS_SLOTS; i++) {
        if (pass.next >= end) {
            result = REPORT_DONE;
            break;
        }
        if (pass.rows >= PAGE_ROWS || pass.updates >= UPDATE_PAGE_ROWS || pass.beside >= PAGE_ROWS) {
            result = REPORT_PAGE_FULL;
            break;
        }
        report_one(&pass);
        pass.next++;
    }
    *ctx = pass;
    return result;
}
