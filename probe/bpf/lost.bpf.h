/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What the kernel side had no room for, by reason. The probe reads the array once a window and sends the
 * counts with the data as kernel/<reason>, in lower case. */
#pragma once

#include "kernel.h"

enum lost {
    LOST_SLOT,          /* every flow slot is taken: the flow is counted when it closes, not while it lives */
    LOST_STORAGE,       /* no memory for the socket's storage */
    LOST_TCP_FLOW_RING, /* ring full: a closed flow's last row */
    LOST_CGROUP_PATH_RING, /* ring full: a cgroup's names (sent again with its next socket) */
    LOST_FREE_SLOT,        /* a slot could not be freed under contention */
    LOST_PROCESS_RING,     /* ring full: a process's names (sent again with its next socket) */
    LOST_TCP_TOTAL,        /* no room for the sums of another cgroup: RTT samples and resets */
    LOST_EVICTED_UDP,      /* a UDP conversation was pushed out before it was idle; its last row was sent */
    LOST_UDP_SLOT,         /* no room for a UDP conversation: the datagram is not counted */
    LOST_UDP_FLOW_RING,    /* ring full: the last row of a conversation that was pushed out */
    LOST_UDP_HEADER,       /* an IPv6 datagram behind extension headers: not counted */
    LOST_TCP_HEALTH_RING,  /* ring full: why a closed flow was slow; the flow itself is counted */
    LOST_LISTENER,         /* no room for another listening socket: its queue is not reported */
    LOST_REASONS
};

/* clang writes BTF only for types that a map, a global or a function names */
const enum lost *lost_type __attribute__((unused));

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, LOST_REASONS);
    __type(key, __u32);
    __type(value, __u64);
} lost SEC(".maps");

static __always_inline void count_lost(__u32 reason) {
    __u64 *n = bpf_map_lookup_elem(&lost, &reason);
    if (n)
        __sync_fetch_and_add(n, 1);
}

/* The reader polls ten times a second: a record wakes it only when the ring is half full. */
static __always_inline __u64 wake(void *ring, __u64 half_bytes) {
    return bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) > half_bytes ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}
