/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* A classic tracepoint, which attaches by its number in tracefs. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 process;
__u64 accepted;

SEC("tracepoint/syscalls/sys_exit_accept4")
int on_accept(void *ctx) {
    if (bpf_get_current_pid_tgid() >> 32 == process)
        __sync_fetch_and_add(&accepted, 1);
    return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
