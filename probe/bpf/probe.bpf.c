/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The probe's kernel side, one object. */
#include "kernel.h"
#include <bpf/bpf_endian.h>
#include "tcp_flow.bpf.h"
#include "tcp_report.bpf.h"
#include "tcp_scan.bpf.h"
#include "udp_flow.h"
#include "tcp_total.h"
#include "rtt_bucket.h"
#include "process.h"

/* clang writes BTF only for types that a map, a global or a function names */
const struct udp_flow *udp_flow_type __attribute__((unused));
const struct tcp_total *tcp_total_type __attribute__((unused));
const struct rtt_bucket *rtt_bucket_type __attribute__((unused));
const struct process *process_type __attribute__((unused));

char LICENSE[] SEC("license") = "Dual MIT/GPL";
