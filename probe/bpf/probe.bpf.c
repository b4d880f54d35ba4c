/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The probe's kernel side, one object. */
#include "kernel.h"
#include <bpf/bpf_endian.h>
#include "tcp/tcp_flow.bpf.h"
#include "tcp/tcp_report.bpf.h"
#include "tcp/accept.bpf.h"
#include "tcp/use.bpf.h"
#include "tcp/scan.bpf.h"
#include "health/listen_report.bpf.h"
#include "rtt/rtt.bpf.h"
#include "udp/udp_packet.bpf.h"
#include "udp/udp_drop.bpf.h"
#include "udp/udp_report.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";
