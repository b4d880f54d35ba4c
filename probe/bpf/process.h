/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* process: who a process is, sent when it first owns a flow, because it may be gone before anybody looks. */
#pragma once

#include "types.h"

#define EXE_NAME 48
#define EXE_LEVELS 6

typedef char exe_name_t[EXE_NAME];

struct process {
    boot_ns_t started_ns; /* task_struct.start_boottime of the thread group leader */
    process_id_t pid;
    process_id_t parent; /* task_struct.real_parent.tgid */
    __u32 uid;           /* cred.euid in the initial user namespace */
    __u32 pad;
    comm_t comm;
    comm_t parent_comm;
    exe_name_t exe;        /* mm_struct.exe_file: the last name of its path, */
    exe_name_t exe_parent; /* then those above it, up to the root of its mount; longer names are cut */
    exe_name_t exe_parent2;
    exe_name_t exe_parent3;
    exe_name_t exe_parent4;
    exe_name_t exe_parent5;
};

_Static_assert(sizeof(struct process) == 344, "process grew a hole");
