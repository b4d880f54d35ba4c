#include "tracepoint.h"
#include "error.h"
#include "fd.h"
#include "mount.h"

#include <cerrno>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <string>
#include <sys/syscall.h>

namespace bcc {

static const char *const MOUNTED = "/sys/kernel/tracing";

static int readId(int directory, const std::string &path) {
    Fd file(openat(directory, path.c_str(), O_RDONLY | O_CLOEXEC));
    char text[32] = {};
    if (file.get() < 0 || read(file.get(), text, sizeof(text) - 1) <= 0)
        return -1;
    return std::stoi(text);
}

// libbpf reads the number only from a mounted tracefs; containers and small systems have none.
static int tracepointId(const std::string &path) {
    Fd mounted(open(MOUNTED, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    int id = mounted.get() < 0 ? -1 : readId(mounted.get(), path);
    if (id >= 0)
        return id;
    const char *doing = nullptr;
    Fd own = mountDetached("tracefs", doing);
    return own.get() < 0 ? -1 : readId(own.get(), path);
}

bpf_link *attachTracepoint(Napi::Env env, bpf_program *program) {
    std::string section = bpf_program__section_name(program); // tp/<category>/<name> or tracepoint/...
    std::string name = section.substr(section.find('/') + 1);
    int id = tracepointId("events/" + name + "/id");
    if (id < 0)
        throw bpfError(env, failed(errno, "attach", "tracepoint " + name));
    perf_event_attr event = {};
    event.type = PERF_TYPE_TRACEPOINT;
    event.size = sizeof(event);
    event.config = id;
    // any process, CPU 0: a program on a tracepoint runs on all of them
    Fd opened(syscall(SYS_perf_event_open, &event, -1, 0, -1, PERF_FLAG_FD_CLOEXEC));
    if (opened.get() < 0)
        throw bpfError(env, failed(errno, "perf_event_open", "tracepoint " + name));
    bpf_link *link = bpf_program__attach_perf_event(program, opened.get());
    if (link)
        opened.release(); // the link owns it now
    return link;
}

} // namespace bcc
