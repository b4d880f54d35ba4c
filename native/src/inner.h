#pragma once

#include "fd.h"

#include <bpf/libbpf.h>
#include <string>

namespace bcc {

// What a map is made like.
struct MapShape {
    bpf_map_type type;
    uint32_t keySize, valueSize, maxEntries, flags;
    uint32_t keyType, valueType; // in the object's BTF; 0 for none
};

MapShape shapeOf(const bpf_map *map);

// A map to look into.
struct MapHandle {
    std::string name;
    int fd;
    MapShape shape;
};

// A map that was made after load(), and its descriptor.
struct InnerMap {
    MapShape shape;
    Fd fd;
};

} // namespace bcc
