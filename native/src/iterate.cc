#include "fd.h"
#include "job.h"
#include "link.h"

#include <bpf/bpf.h>
#include <cstdlib>
#include <fcntl.h>
#include <sched.h>
#include <vector>

namespace bcc {

namespace {

class Iteration : public Job {
  public:
    Iteration(Napi::Env env, const std::shared_ptr<OpenObject> &object, std::string name, bpf_link *link,
              Fd iterator, size_t chunk)
        : Job(env, object, "bcc-bindings.iterate"), name(std::move(name)), link(link),
          iterator(std::move(iterator)), chunk(chunk) {}
    ~Iteration() override {
        bpf_link__destroy(link);
    }

  private:
    // read(2) gives 0 at the end and EAGAIN when the program returned 1 (or after a million objects): the
    // next read goes on where it was (kernel/bpf/bpf_iter.c, bpf_seq_read).
    void Execute() override {
        size_t length = 0;
        while (!canceled("iterate")) {
            if (written.size() < length + chunk)
                written.resize((length + chunk) * 2);
            ssize_t got = read(iterator.get(), written.data() + length, chunk);
            if (got > 0)
                length += got;
            if (got == 0)
                break;
            if (got < 0 && errno != EAGAIN && errno != EINTR) {
                failure = failed(errno, "iterate", name);
                return;
            }
        }
        written.resize(length);
    }

    Napi::Value result(Napi::Env env) override {
        return Napi::Buffer<uint8_t>::Copy(env, written.data(), written.size());
    }

    std::string name;
    bpf_link *link;
    Fd iterator;
    size_t chunk;
    std::vector<uint8_t> written;
};

// An iterator sees the network namespace of the thread that creates it: the thread enters that of `path` for it.
// Returns the iterator, or -1 with errno.
int createIn(const std::string &path, const bpf_link *link) {
    Fd own(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    Fd other(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (own.get() < 0 || other.get() < 0 || setns(other.get(), CLONE_NEWNET))
        return -1;
    int iterator = bpf_iter_create(bpf_link__fd(link));
    int error = errno;
    if (setns(own.get(), CLONE_NEWNET)) // without a way back the thread must not go on
        abort();
    errno = error;
    return iterator;
}

} // namespace

// iterate(program, map: string | undefined, chunk, netns: string | undefined)
Napi::Value Object::iterate(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    std::string name = info[0].As<Napi::String>();
    bpf_program *program = loadedProgram(env, name, "iterate");
    bpf_map *target = info[1].IsString() ? map(env, info[1].As<Napi::String>(), "iterate") : nullptr;
    bpf_link *link = attachIterator(program, target);
    if (!link)
        throw bpfError(env, failed(errno, "attach", name));
    Fd iterator(info[3].IsString() ? createIn(info[3].As<Napi::String>(), link)
                                   : bpf_iter_create(bpf_link__fd(link)));
    if (iterator.get() < 0) {
        Failure failure = failed(errno, "iter_create", name);
        bpf_link__destroy(link);
        throw bpfError(env, failure);
    }
    auto *job =
        new Iteration(env, object, name, link, std::move(iterator), info[2].As<Napi::Number>().Uint32Value());
    job->Queue();
    return job->promise();
}

} // namespace bcc
