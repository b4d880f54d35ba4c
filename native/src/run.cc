#include "job.h"

#include <bpf/bpf.h>
#include <cstring>
#include <vector>

namespace bcc {

namespace {

class Run : public Job {
  public:
    Run(Napi::Env env, const std::shared_ptr<OpenObject> &object, const bpf_program *program,
        Napi::Buffer<uint8_t> context)
        : Job(env, object, "bcc-bindings.run"), program(program),
          bytes(context.Data(), context.Data() + context.Length()), buffer(Napi::Persistent(context)) {}

  private:
    // BPF_PROG_RUN of a syscall program takes ctx_in alone and copies the context back into it
    // (net/bpf/test_run.c, bpf_prog_test_run_syscall).
    void Execute() override {
        LIBBPF_OPTS(bpf_test_run_opts, options);
        options.ctx_in = bytes.data();
        options.ctx_size_in = bytes.size();
        do {
            if (canceled("run"))
                return;
            int error = bpf_prog_test_run_opts(bpf_program__fd(program), &options);
            if (error) {
                failure = failed(error, "run", bpf_program__name(program));
                return;
            }
        } while (options.retval == 1);
        returned = int32_t(options.retval);
    }

    Napi::Value result(Napi::Env env) override {
        Napi::Buffer<uint8_t> context = buffer.Value();
        memcpy(context.Data(), bytes.data(), std::min(bytes.size(), context.Length()));
        return Napi::Number::New(env, returned);
    }

    const bpf_program *program;
    std::vector<uint8_t> bytes;
    Napi::Reference<Napi::Buffer<uint8_t>> buffer;
    int32_t returned = 0;
};

} // namespace

// run(program, context: Buffer)
Napi::Value Object::run(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    bpf_program *program = loadedProgram(env, info[0].As<Napi::String>(), "run");
    auto *job = new Run(env, object, program, info[1].As<Napi::Buffer<uint8_t>>());
    job->Queue();
    return job->promise();
}

} // namespace bcc
