#include "error.h"
#include "object.h"

#include <bpf/bpf.h>
#include <cerrno>

namespace bcc {

Napi::Value Object::programs(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    Napi::Array list = Napi::Array::New(env);
    bpf_program *program;
    bpf_object__for_each_program(program, opened(env, "programs")->object) {
        const char *type = libbpf_bpf_prog_type_str(bpf_program__type(program));
        Napi::Object row = Napi::Object::New(env);
        row["name"] = Napi::String::New(env, bpf_program__name(program));
        row["section"] = Napi::String::New(env, bpf_program__section_name(program));
        row["type"] = Napi::String::New(env, type ? type : "unknown");
        list[list.Length()] = row;
    }
    return list;
}

// bpf_prog_info of the loaded programs; those left out of load() have no row.
Napi::Value Object::programStats(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    requireLoaded(env, "program_stats");
    Napi::Array list = Napi::Array::New(env);
    bpf_program *program;
    bpf_object__for_each_program(program, object->object) {
        int fd = bpf_program__fd(program);
        if (fd < 0)
            continue;
        bpf_prog_info kernel = {};
        __u32 size = sizeof(kernel);
        int error = bpf_obj_get_info_by_fd(fd, &kernel, &size);
        if (error)
            throw bpfError(env, failed(error, "program_stats", bpf_program__name(program)));
        Napi::Object row = Napi::Object::New(env);
        row["name"] = Napi::String::New(env, bpf_program__name(program));
        row["runTimeNs"] = Napi::BigInt::New(env, uint64_t(kernel.run_time_ns));
        row["runCount"] = Napi::BigInt::New(env, uint64_t(kernel.run_cnt));
        row["recursionMisses"] = Napi::BigInt::New(env, uint64_t(kernel.recursion_misses));
        list[list.Length()] = row;
    }
    return list;
}

} // namespace bcc
