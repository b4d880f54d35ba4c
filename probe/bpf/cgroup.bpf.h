/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The cgroup is the container: which cgroup a task is in, and its names. */
#pragma once

#include "cgroup_path.h"
#include "lost.bpf.h"
#include "room/table.bpf.h"

#define CONTAINER_ID 64

/* Ids are unique within a hierarchy only (each kernfs root counts its own), so both make the key. */
struct cgroup_key {
    cgroup_id_t cgroup;
    hierarchy_t hierarchy;
    __u32 pad;
};

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1024 * 1024);
} cgroup_path SEC(".maps");

/* clang writes BTF only for types that a map, a global or a function names, and a ring names none */
const struct cgroup_path *cgroup_path_type __attribute__((unused));

/* Cgroups whose names were sent. Forgetting one costs a repeated record, nothing else. */
TABLE(cgroup_seen, BPF_MAP_TYPE_LRU_HASH, 0, 4096, struct cgroup_key, __u8);

/* Global functions: the verifier walks them once, not once for each caller. */
__attribute__((noinline)) int see_cgroup(cgroup_id_t cgroup, hierarchy_t hierarchy) {
    struct cgroup_key key = {.cgroup = cgroup, .hierarchy = hierarchy};

    return SEE_IN(cgroup_seen, &room.cgroups, &key);
}

__attribute__((noinline)) int forget_cgroup(cgroup_id_t cgroup, hierarchy_t hierarchy) {
    struct cgroup_key key = {.cgroup = cgroup, .hierarchy = hierarchy};

    return DELETE_FROM(cgroup_seen, &room.cgroups, &key);
}

static __always_inline struct kernfs_node *parent_of(struct kernfs_node *node) {
    if (bpf_core_field_exists(node->__parent))
        return BPF_CORE_READ(node, __parent);
    return BPF_CORE_READ((struct kernfs_node___plain *)node, parent);
}

static __always_inline struct cgroup *subsys_cgroup(struct css_set *set, __u64 index) {
    struct cgroup_subsys_state *css =
        *(struct cgroup_subsys_state **)((void *)set->subsys + index * sizeof css);

    return css->cgroup->level > 0 ? css->cgroup : NULL;
}

#define SUBSYS_CGROUP(set, id)                                                                               \
    (bpf_core_enum_value_exists(enum cgroup_subsys_id, id)                                                   \
         ? subsys_cgroup(set, bpf_core_enum_value(enum cgroup_subsys_id, id))                                \
         : NULL)

static __always_inline struct cgroup *v1_cgroup(struct css_set *set) {
    struct cgroup *v1;

    if ((v1 = SUBSYS_CGROUP(set, pids_cgrp_id)) || (v1 = SUBSYS_CGROUP(set, memory_cgrp_id)) ||
        (v1 = SUBSYS_CGROUP(set, cpu_cgrp_id)) || (v1 = SUBSYS_CGROUP(set, devices_cgrp_id)) ||
        (v1 = SUBSYS_CGROUP(set, freezer_cgrp_id)))
        return v1;
    return NULL;
}

/* Runtimes put the container's id into the name: 64 hex digits. A function, because its name is on the stack only
 * while it runs: all frames together have 512 bytes. */
static __noinline bool has_long_name(struct cgroup *cgroup) {
    char name[CONTAINER_ID + 1];

    return bpf_probe_read_kernel_str(name, sizeof name, cgroup->kn->name) == sizeof name;
}

/* The default hierarchy's cgroup, unless that of the first v1 controller that has the task in a group says
 * more: a runtime that uses cgroup v1 leaves its containers at the root of v2, in its own service, or in the
 * container that it runs in itself. With v2 alone the controllers' cgroups are of the default hierarchy, too.
 */
static __always_inline struct cgroup *cgroup_of(struct task_struct *task) {
    struct css_set *set = task->cgroups;
    struct cgroup *dfl = set->dfl_cgrp, *v1 = v1_cgroup(set);

    if (!v1 || v1->root == dfl->root)
        return dfl;
    if (dfl->level == 0)
        return v1;
    return has_long_name(v1) && (v1->level > dfl->level || !has_long_name(dfl)) ? v1 : dfl;
}

/* Names are sent when a cgroup first owns a socket, because its directory may be gone before user space
 * looks. Returns true when they were sent before. */
static __always_inline bool announce(struct cgroup *cgroup, struct cgroup_key *key) {
    enum seen seen = see_cgroup(key->cgroup, key->hierarchy);
    struct cgroup_path *path;
    struct kernfs_node *node;
    __u64 at = 0;
    long length;

    if (seen != SEEN_NOW)
        return seen == SEEN_BEFORE;
    path = bpf_ringbuf_reserve(&cgroup_path, sizeof *path, 0);
    if (!path) {
        count_lost(LOST_CGROUP_PATH_RING);
        forget_cgroup(key->cgroup, key->hierarchy);
        return false;
    }
    path->cgroup = key->cgroup;
    path->hierarchy = key->hierarchy;
    path->level = BPF_CORE_READ(cgroup, level);
    node = BPF_CORE_READ(cgroup, kn);
    for (int i = 0; i < CGROUP_LEVELS && node && at < CGROUP_NAMES; i++) {
        length = bpf_probe_read_kernel_str(path->names + at, CGROUP_NAME, BPF_CORE_READ(node, name));
        if (length <= 1) /* the root's name is empty */
            break;
        at += length;
        node = parent_of(node);
    }
    if (at < CGROUP_NAMES + CGROUP_NAME)
        path->names[at] = 0;
    bpf_ringbuf_submit(path, 0);
    return false;
}

static __always_inline struct cgroup_key cgroup_key(struct cgroup *cgroup, const enum access access) {
    return (struct cgroup_key){
        .cgroup = access == TYPED ? cgroup->kn->id : BPF_CORE_READ(cgroup, kn, id),
        .hierarchy = access == TYPED ? cgroup->root->hierarchy_id : BPF_CORE_READ(cgroup, root, hierarchy_id),
    };
}
