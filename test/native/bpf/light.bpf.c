/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Asks for no kernel type, so that libbpf does not read the kernel's BTF and loading takes under a millisecond. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 step = 1;
__u64 runs;

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 12);
} records SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1024);
    __type(key, __u32);
    __type(value, __u64);
} slots SEC(".maps");

/* Counts `left` down and asks to be run again until it is 0. */
struct work {
    __u32 left;
};

SEC("syscall")
int work(struct work *ctx) {
    runs += step;
    __u64 record = runs;
    bpf_ringbuf_output(&records, &record, sizeof(record), 0);
    if (!ctx->left)
        return 0;
    ctx->left--;
    return 1;
}

SEC("raw_tp/sched_process_exit")
int on_exit(void *ctx) {
    return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
