/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* A UDP conversation with a slot. */
#pragma once

#include "room/table.bpf.h"
#include "slot.bpf.h"
#include "udp_flow.h"

/* clang writes BTF only for types that a map, a global or a function names */
const struct udp_flow *udp_flow_type __attribute__((unused));

struct udp_key {
    socket_id_t socket;
    address_t local; /* of packets; 0 when counted at the calls: it may change with connect(2) */
    address_t remote;
    port_t local_port;
    port_t remote_port;
    __u32 pad;
};

struct udp_counters {
    bytes_t bytes_sent;
    bytes_t bytes_rcvd;
    __u64 packets_sent;
    __u64 packets_rcvd;
    __u64 dropped;
};

struct udp_slot {
    struct slot slot;
    boot_ns_t active_ns; /* the last datagram */
    __u64 sk;            /* struct sock, the key of its user */
    struct udp_counters now;
    struct udp_counters base[2];
    struct udp_key key;
    struct udp_flow flow;
};

SLOTS(udp_slot, struct udp_slot);

/* index + 1 of the slot */
TABLE(udp_conversation, BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, 16384, struct udp_key, __u32);

const volatile __u32 max_udp_flows = MAX_FLOWS;

static __always_inline struct udp_slot *udp_slot_at(__u32 index) {
    return slot_among(&udp_slot, index);
}

static __always_inline struct slot *any_udp_slot(__u32 index) {
    return slot_among(&udp_slot, index);
}

/* Global functions: the verifier walks their loops once, not once for each caller. */
__attribute__((noinline)) int take_udp_slot(void) {
    return take_slot(any_udp_slot, &room.udp, max_udp_flows);
}

__attribute__((noinline)) int free_udp_slot(__u32 index) {
    struct slot *slot = any_udp_slot(index);

    if (slot)
        free_slot(slot, &room.udp, index);
    return 0;
}
