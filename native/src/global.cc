#include "btf.h"
#include "error.h"
#include "object.h"

#include <cerrno>
#include <cstring>

namespace bcc {

namespace {

struct Global {
    void *bytes;
    Scalar scalar;
};

bool inDataSection(const char *section) {
    for (const char *known : {".rodata", ".data", ".bss"})
        if (strncmp(section, known, strlen(known)) == 0)
            return true;
    return false;
}

// The variable's bytes in the initial value of its section's map; bytes is nullptr when there is none.
Global globalOf(const bpf_object *object, const std::string &name) {
    const btf *types = bpf_object__btf(object);
    for (uint32_t id = 1; types && id < btf__type_cnt(types); id++) {
        const btf_type *section = btf__type_by_id(types, id);
        const char *sectionName = btf__name_by_offset(types, section->name_off);
        if (!btf_is_datasec(section) || !inDataSection(sectionName))
            continue;
        const btf_var_secinfo *entries = btf_var_secinfos(section);
        for (int i = 0; i < btf_vlen(section); i++) {
            const btf_type *variable = btf__type_by_id(types, entries[i].type);
            if (name != btf__name_by_offset(types, variable->name_off))
                continue;
            Global global = {};
            bpf_map *map = bpf_object__find_map_by_name(object, sectionName);
            size_t size = 0;
            void *initial = map ? const_cast<void *>(bpf_map__initial_value(map, &size)) : nullptr;
            bool isScalar = scalarOf(types, bareType(types, variable->type), &global.scalar);
            if (initial && isScalar && entries[i].offset + global.scalar.size <= size)
                global.bytes = static_cast<char *>(initial) + entries[i].offset;
            return global;
        }
    }
    return {};
}

} // namespace

// setGlobal(name, value: bigint)
void Object::setGlobal(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    std::string name = info[0].As<Napi::String>();
    requireNotLoaded(env, "set_global");
    Global global = globalOf(object->object, name);
    if (!global.bytes)
        throw bpfError(env, {ENOENT, "set_global",
                             object->name + " has no global number '" + name +
                                 "' (a variable that no program reads is not in the object)",
                             ""});
    Napi::BigInt value = info[1].As<Napi::BigInt>();
    bool fits;
    uint64_t bits;
    uint32_t unused = 64 - 8 * global.scalar.size;
    if (global.scalar.isSigned) {
        int64_t number = value.Int64Value(&fits);
        fits = fits && int64_t(uint64_t(number) << unused) >> unused == number;
        bits = number;
    } else {
        bits = value.Uint64Value(&fits);
        fits = fits && bits << unused >> unused == bits;
    }
    if (!fits)
        throw bpfError(env, {ERANGE, "set_global",
                             "the value of '" + name + "' does not fit its " +
                                 std::to_string(global.scalar.size * 8) + " bits",
                             ""});
    char *source = reinterpret_cast<char *>(&bits);
    if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
        source += sizeof(bits) - global.scalar.size;
    memcpy(global.bytes, source, global.scalar.size);
}

} // namespace bcc
