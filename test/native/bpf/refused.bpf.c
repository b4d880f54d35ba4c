/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* A program that the verifier refuses, for it reads what a lookup may not have found, and one that it takes. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} values SEC(".maps");

SEC("syscall")
int careless(void *ctx) {
    __u32 key = 0;
    __u64 *value = bpf_map_lookup_elem(&values, &key);
    return *value;
}

SEC("syscall")
int careful(void *ctx) {
    return 7;
}

char _license[] SEC("license") = "Dual MIT/GPL";
