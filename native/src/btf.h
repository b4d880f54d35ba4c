#pragma once

#include <bpf/btf.h>
#include <cstdint>

namespace bcc {

struct Scalar {
    uint32_t size; // bytes
    bool isSigned;
    bool isText; // plain char, a type of its own beside signed char and unsigned char
};

// The type behind typedefs, const, volatile and their like.
const btf_type *bareType(const btf *types, uint32_t id);

// Integers, bool and enums; false for everything else.
bool scalarOf(const btf *types, const btf_type *type, Scalar *scalar);

} // namespace bcc
