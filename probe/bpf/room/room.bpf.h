/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What is taken of the places that grow, mapped into the probe: it makes room before it is needed
 * (probe/kernel/room/). Programs see a new place as soon as it is in its map, and wait for nothing. */
#pragma once

#include "kernel.h"

#define AHEAD 1024 /* places that the scan leaves to the hooks while more are made */

/* A lock-free stack of free slots. The most recently freed one is taken first, which keeps the array dense
 * and the pass short. */
struct pool {
    __u64 top;    /* index + 1 of the top below, a tag that rises with every change above (ABA) */
    __u32 used;   /* high-water mark: slots from here on were never taken */
    __u32 coming; /* written by the probe: as many slots there will be when they are needed */
} __attribute__((aligned(64)));

/* A record calls the probe, which then looks at all there is; at other times it looks ten times a second. */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 64 * 1024); /* the largest page of any machine */
} room_call SEC(".maps");

static __always_inline void call_for_room(void) {
    __u64 *call = bpf_ringbuf_reserve(&room_call, sizeof *call, 0);

    if (!call)
        return;
    *call = 0;
    bpf_ringbuf_submit(call, BPF_RB_FORCE_WAKEUP);
}

/* In tables of two maps: entries so far, without those that were deleted. */
struct room {
    struct pool tcp;
    struct pool udp;
    __u32 totals;
    __u32 elsewhere;
    __u32 conversations;
    __u32 users;
    __u32 listeners;
    __u32 cgroups;
    __u32 processes;
    __u32 refused;
    __u32 firsts;
    __u32 aliases;
} room SEC(".data.room");
