#include "error.h"
#include "object.h"

#include <bpf/btf.h>
#include <cerrno>

namespace bcc {

// enumerators(enum): their values by name in the order of the source, from the object's own .BTF
Napi::Value Object::enumerators(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    std::string name = info[0].As<Napi::String>();
    const btf *types = bpf_object__btf(opened(env, "enumerators")->object);
    int id = types ? btf__find_by_name_kind(types, name.c_str(), BTF_KIND_ENUM) : -ENOENT;
    if (id < 0)
        throw bpfError(env, {ENOENT, "enumerators",
                             object->name + " has no enum '" + name +
                                 "' (clang -g keeps only types that a program, map or variable uses)",
                             ""});
    const btf_type *type = btf__type_by_id(types, id);
    const auto *entries = btf_enum(type);
    Napi::Object values = Napi::Object::New(env);
    for (int i = 0; i < btf_vlen(type); i++)
        values[btf__name_by_offset(types, entries[i].name_off)] = Napi::Number::New(env, entries[i].val);
    return values;
}

} // namespace bcc
