#include "link.h"
#include "error.h"
#include "fd.h"
#include "object.h"
#include "tracepoint.h"

#include <bpf/bpf.h>
#include <cerrno>
#include <fcntl.h>

namespace bcc {

bpf_link *attachIterator(bpf_program *program, const bpf_map *map) {
    bpf_iter_link_info target = {};
    LIBBPF_OPTS(bpf_iter_attach_opts, options);
    if (map) {
        target.map.map_fd = bpf_map__fd(map);
        options.link_info = &target;
        options.link_info_len = sizeof(target);
    }
    return bpf_program__attach_iter(program, &options);
}

static bool isIterator(const bpf_program *program) {
    return bpf_program__type(program) == BPF_PROG_TYPE_TRACING &&
           bpf_program__expected_attach_type(program) == BPF_TRACE_ITER;
}

static bool isTracepoint(const bpf_program *program) {
    return bpf_program__type(program) == BPF_PROG_TYPE_TRACEPOINT;
}

static bool wantsCgroup(const bpf_program *program) {
    switch (bpf_program__type(program)) {
    case BPF_PROG_TYPE_CGROUP_SKB:
    case BPF_PROG_TYPE_CGROUP_SOCK:
    case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
    case BPF_PROG_TYPE_CGROUP_SOCKOPT:
    case BPF_PROG_TYPE_CGROUP_SYSCTL:
    case BPF_PROG_TYPE_CGROUP_DEVICE:
    case BPF_PROG_TYPE_SOCK_OPS:
        return true;
    default:
        return bpf_program__expected_attach_type(program) == BPF_LSM_CGROUP;
    }
}

static std::function<void()> destroying(bpf_link *link) {
    return link ? [link] { bpf_link__destroy(link); } : std::function<void()>();
}

// linux/bpf.h, since Linux 6.15: before the programs of all cgroups below, and before those that are attached
#define PREORDER (1U << 6)

// A link on a cgroup runs beside other programs (multi-attach) and ends with its descriptor.
static std::function<void()> attachTo(bpf_program *program, int cgroup, bool first) {
    if (!first)
        return destroying(bpf_program__attach_cgroup(program, cgroup));
    LIBBPF_OPTS(bpf_link_create_opts, options, .flags = PREORDER);
    int link = bpf_link_create(bpf_program__fd(program), cgroup, bpf_program__expected_attach_type(program),
                               &options);
    if (link >= 0)
        return [link] { close(link); };
    return errno == EINVAL ? attachTo(program, cgroup, false) : std::function<void()>();
}

static std::function<void()> attachCgroup(Napi::Env env, bpf_program *program, Napi::Value cgroup,
                                          bool first) {
    if (cgroup.IsNumber())
        return attachTo(program, cgroup.As<Napi::Number>(), first);
    if (!cgroup.IsString())
        throw bpfError(env, {EINVAL, "attach",
                             std::string("the program '") + bpf_program__name(program) +
                                 "' attaches to a cgroup: say which in target.cgroup",
                             ""});
    std::string path = cgroup.As<Napi::String>();
    Fd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.get() < 0)
        throw bpfError(env, failed(errno, "open", path));
    return attachTo(program, directory.get(), first);
}

// attach(program, cgroup?: string | number, map?: string, first?: boolean): the link's number within the object
Napi::Value Object::attach(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    std::string name = info[0].As<Napi::String>();
    bpf_program *program = loadedProgram(env, name, "attach");
    bpf_map *target = info[2].IsString() ? map(env, info[2].As<Napi::String>(), "attach") : nullptr;
    auto end = isIterator(program)     ? destroying(attachIterator(program, target))
               : wantsCgroup(program)  ? attachCgroup(env, program, info[1], info[3].ToBoolean())
               : isTracepoint(program) ? destroying(attachTracepoint(env, program))
                                       : destroying(bpf_program__attach(program));
    if (!end)
        throw bpfError(env, failed(errno, "attach", name));
    object->links.emplace(++object->lastLink, std::move(end));
    return Napi::Number::New(env, object->lastLink);
}

// detach(link): nothing when it is detached already, alone or with its object
void Object::detach(const Napi::CallbackInfo &info) {
    if (!object)
        return;
    auto found = object->links.find(info[0].As<Napi::Number>());
    if (found == object->links.end())
        return;
    found->second();
    object->links.erase(found);
}

} // namespace bcc
