#include "error.h"
#include "object.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace bcc {

namespace {

// Entries of one BPF_MAP_LOOKUP_BATCH; fewer when their values are large.
constexpr uint32_t BATCH = 4096;
constexpr size_t BATCH_BYTES = 1 << 18;

size_t roundUp(size_t size, size_t step) {
    return (size + step - 1) / step * step;
}

bool isPerCpu(bpf_map_type type) {
    switch (type) {
    case BPF_MAP_TYPE_PERCPU_HASH:
    case BPF_MAP_TYPE_PERCPU_ARRAY:
    case BPF_MAP_TYPE_LRU_PERCPU_HASH:
    case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
        return true;
    default:
        return false;
    }
}

// Bytes that one lookup fills: one value for each possible CPU, each rounded up to 8, in per-CPU maps.
size_t valueBytes(const MapShape &shape) {
    size_t size = shape.valueSize;
    return isPerCpu(shape.type) ? roundUp(size, 8) * libbpf_num_possible_cpus() : size;
}

uint8_t *bytesOf(const Napi::CallbackInfo &info, int index, size_t size, const char *what) {
    Napi::Buffer<uint8_t> buffer = info[index].As<Napi::Buffer<uint8_t>>();
    if (buffer.Length() != size)
        throw bpfError(info.Env(),
                       {EINVAL, "map",
                        info[0].As<Napi::String>().Utf8Value() + ": its " + what + " has " +
                            std::to_string(size) + " bytes, not " + std::to_string(buffer.Length()),
                        ""});
    return buffer.Data();
}

struct Entries {
    std::vector<uint8_t> keys, values;
    size_t count = 0;
};

} // namespace

static Napi::Object describe(Napi::Env env, const std::string &name, const MapShape &shape) {
    const char *type = libbpf_bpf_map_type_str(shape.type);
    Napi::Object row = Napi::Object::New(env);
    row["name"] = Napi::String::New(env, name);
    row["type"] = Napi::String::New(env, type ? type : "unknown");
    row["keySize"] = shape.keySize;
    row["valueSize"] = shape.valueSize;
    row["maxEntries"] = shape.maxEntries;
    return row;
}

Napi::Value Object::maps(const Napi::CallbackInfo &info) {
    Napi::Array list = Napi::Array::New(info.Env());
    bpf_map *map;
    bpf_object__for_each_map(map, opened(info.Env(), "maps")->object) {
        list[list.Length()] = describe(info.Env(), bpf_map__name(map), shapeOf(map));
    }
    return list;
}

Napi::Value Object::mapInfo(const Napi::CallbackInfo &info) {
    std::string name = info[0].As<Napi::String>();
    auto made = opened(info.Env(), "map")->inner.find(name);
    if (made != object->inner.end())
        return describe(info.Env(), name, made->second->shape);
    return describe(info.Env(), name, shapeOf(map(info.Env(), name, "map")));
}

// mapView(map): the mapping is the Buffer's own and outlives the object; detachBuffer() or the garbage
// collector ends it.
Napi::Value Object::mapView(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    std::string name = info[0].As<Napi::String>();
    bpf_map *map = loadedMap(env, name, "mmap");
    size_t size = roundUp(bpf_map__value_size(map), 8) * bpf_map__max_entries(map);
    size_t mapped = roundUp(size, sysconf(_SC_PAGESIZE));
    void *bytes = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
    if (bytes == MAP_FAILED)
        throw bpfError(env, failed(errno, "mmap", name));
    return Napi::Buffer<uint8_t>::New(env, static_cast<uint8_t *>(bytes), size,
                                      [mapped](Napi::BasicEnv, uint8_t *data) { munmap(data, mapped); });
}

// detachBuffer(arrayBuffer): every view on it has length 0 from now on, and its memory goes
Napi::Value detachBuffer(const Napi::CallbackInfo &info) {
    info[0].As<Napi::ArrayBuffer>().Detach();
    return info.Env().Undefined();
}

// mapGet(map, key): Buffer | undefined
Napi::Value Object::mapGet(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    std::string name = info[0].As<Napi::String>();
    MapHandle map = mapHandle(env, name, "map_lookup");
    uint8_t *key = bytesOf(info, 1, map.shape.keySize, "key");
    Napi::Buffer<uint8_t> value = Napi::Buffer<uint8_t>::New(env, valueBytes(map.shape));
    int error = bpf_map_lookup_elem(map.fd, key, value.Data());
    if (error == -ENOENT)
        return env.Undefined();
    if (error)
        throw bpfError(env, failed(error, "map_lookup", name));
    return value;
}

// mapSet(map, key, value)
void Object::mapSet(const Napi::CallbackInfo &info) {
    std::string name = info[0].As<Napi::String>();
    MapHandle map = mapHandle(info.Env(), name, "map_update");
    uint8_t *key = bytesOf(info, 1, map.shape.keySize, "key");
    uint8_t *value = bytesOf(info, 2, valueBytes(map.shape), "value");
    int error = bpf_map_update_elem(map.fd, key, value, BPF_ANY);
    if (error)
        throw bpfError(info.Env(), failed(error, "map_update", name));
}

// mapDelete(map, key): whether it was there
Napi::Value Object::mapDelete(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    std::string name = info[0].As<Napi::String>();
    MapHandle map = mapHandle(env, name, "map_delete");
    int error = bpf_map_delete_elem(map.fd, bytesOf(info, 1, map.shape.keySize, "key"));
    if (error && error != -ENOENT)
        throw bpfError(env, failed(error, "map_delete", name));
    return Napi::Boolean::New(env, error == 0);
}

// 0, or the errno; an error of the first batch leaves entries empty.
static int readBatches(const MapHandle &map, Entries &entries) {
    size_t keySize = map.shape.keySize, valueSize = valueBytes(map.shape);
    std::vector<uint8_t> position(std::max<size_t>(keySize, 8)); // a bucket number, or a key (LPM trie)
    uint32_t room = std::clamp<size_t>(BATCH_BYTES / valueSize, 16, BATCH);
    for (bool first = true;;) {
        entries.keys.resize((entries.count + room) * keySize);
        entries.values.resize((entries.count + room) * valueSize);
        uint32_t got = room;
        int error = bpf_map_lookup_batch(map.fd, first ? nullptr : position.data(), position.data(),
                                         entries.keys.data() + entries.count * keySize,
                                         entries.values.data() + entries.count * valueSize, &got, nullptr);
        if (error == -ENOSPC) { // one bucket has more entries than that
            room *= 2;
            continue;
        }
        if (error && error != -ENOENT)
            return -error;
        entries.count += got;
        first = false;
        if (error == -ENOENT)
            return 0; // that was the last batch
    }
}

// A hash map that changes meanwhile may start over, so the walk is bounded by the map's size, if it has one.
static int readOneByOne(const MapHandle &map, Entries &entries) {
    size_t keySize = map.shape.keySize, valueSize = valueBytes(map.shape);
    std::vector<uint8_t> key(keySize), next(keySize), value(valueSize);
    const void *previous = nullptr;
    uint32_t size = map.shape.maxEntries;
    for (uint32_t steps = 0; !size || steps < size; steps++) {
        int error = bpf_map_get_next_key(map.fd, previous, next.data());
        if (error == -ENOENT)
            break;
        if (error)
            return -error;
        key = next;
        previous = key.data();
        error = bpf_map_lookup_elem(map.fd, key.data(), value.data());
        if (error == -ENOENT)
            continue;
        if (error)
            return -error;
        entries.keys.insert(entries.keys.end(), key.begin(), key.end());
        entries.values.insert(entries.values.end(), value.begin(), value.end());
        entries.count++;
    }
    return 0;
}

// mapEntries(map): {keys, values, count}
Napi::Value Object::mapEntries(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    std::string name = info[0].As<Napi::String>();
    MapHandle map = mapHandle(env, name, "map_lookup_batch");
    Entries entries;
    int error = readBatches(map, entries);
    if (error) { // no batches for this type, or on this kernel: the errno differs
        entries = {};
        error = readOneByOne(map, entries);
    }
    if (error)
        throw bpfError(env, failed(error, "map_lookup_batch", name));
    Napi::Object result = Napi::Object::New(env);
    result["keys"] = Napi::Buffer<uint8_t>::Copy(env, entries.keys.data(), entries.count * map.shape.keySize);
    result["values"] =
        Napi::Buffer<uint8_t>::Copy(env, entries.values.data(), entries.count * valueBytes(map.shape));
    result["count"] = Napi::Number::New(env, entries.count);
    return result;
}

} // namespace bcc
