#pragma once

#include <bpf/libbpf.h>

namespace bcc {

// The link of an iter/* program, over one map where its kind asks for one; nullptr and errno on failure.
bpf_link *attachIterator(bpf_program *program, const bpf_map *map);

} // namespace bcc
