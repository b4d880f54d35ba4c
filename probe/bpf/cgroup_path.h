/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* cgroup_path: the names of a cgroup, sent once, when it first owns a socket. */
#pragma once

#include "types.h"

#define CGROUP_LEVELS 6
#define CGROUP_NAME 160 /* kubepods-...-pod<uid>.slice:cri-containerd:<64 hex> needs 146 */

typedef char cgroup_name_t[CGROUP_NAME]; /* kernfs_node.name; empty above the root */

struct cgroup_path {
    cgroup_id_t cgroup;
    hierarchy_t hierarchy;
    __u32 level; /* cgroup.level: depth below the root */
    cgroup_name_t leaf;
    cgroup_name_t parent;
    cgroup_name_t parent2;
    cgroup_name_t parent3;
    cgroup_name_t parent4;
    cgroup_name_t parent5;
};

_Static_assert(sizeof(struct cgroup_path) == 16 + CGROUP_LEVELS * CGROUP_NAME, "cgroup_path grew a hole");
