/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The probe's kernel side, one object. */
#include "kernel.h"
#include <bpf/bpf_endian.h>
#include "tcp_flow.bpf.h"
#include "tcp_report.bpf.h"
#include "accept.bpf.h"
#include "use.bpf.h"
#include "scan.bpf.h"
#include "rtt.bpf.h"
#include "udp_flow.bpf.h"
#include "udp_report.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";
