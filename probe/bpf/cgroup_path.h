/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* cgroup_path: the names of a cgroup, sent once, when it first owns a socket. */
#pragma once

#include "types.h"

#define CGROUP_LEVELS 32  /* seven of a pod in kind, five of a user's service, and room for the same again */
#define CGROUP_NAME 160   /* kubepods-...-pod<uid>.slice:cri-containerd:<64 hex> needs 146 */
#define CGROUP_NAMES 2048 /* of all levels together */

typedef char cgroup_names_t[CGROUP_NAMES + CGROUP_NAME];

struct cgroup_path {
    cgroup_id_t cgroup;
    hierarchy_t hierarchy;
    __u32 level;          /* cgroup.level: depth below the root */
    cgroup_names_t names; /* kernfs_node.name, leaf first, each ended by NUL; an empty one ends them */
};

_Static_assert(sizeof(struct cgroup_path) == 16 + CGROUP_NAMES + CGROUP_NAME, "cgroup_path grew a hole");
