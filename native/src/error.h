#pragma once

#include <napi.h>
#include <string>

namespace bcc {

// An error in a form that any thread may hold; only bpfError() converts it to JavaScript.
struct Failure {
    int error;           // errno, positive; libbpf's own errors start at 4000 (bpf/libbpf.h)
    std::string syscall; // the failed operation: open, load, attach, map_lookup, ...
    std::string message;
    std::string log; // libbpf's messages, with the verifier's log
};

// A failure of libbpf or the kernel: the message is "<syscall> <subject>: <errno's text>".
Failure failed(int error, const std::string &syscall, const std::string &subject);

// The one place where an errno becomes a JavaScript error.
Napi::Error bpfError(Napi::Env env, const Failure &failure);

// Keeps libbpf's messages per thread; they are not printed.
void captureMessages();
void forgetMessages();

} // namespace bcc
