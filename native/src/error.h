#pragma once

#include <napi.h>
#include <string>

namespace bcc {

// What went wrong, in a form that any thread may hold; only bpfError() makes JavaScript of it.
struct Failure {
    int error;           // errno, positive; libbpf's own errors start at 4000 (bpf/libbpf.h)
    std::string syscall; // what was being done: open, load, attach, map_lookup, ...
    std::string message;
    std::string log; // what libbpf said meanwhile; the verifier's log is in it
};

// A failure of libbpf or the kernel: the message is "<syscall> <subject>: <errno's text>".
Failure failed(int error, const std::string &syscall, const std::string &subject);

// The one place where an errno becomes a JavaScript error.
Napi::Error bpfError(Napi::Env env, const Failure &failure);

// libbpf's messages are kept per thread instead of being printed.
void captureMessages();
void forgetMessages();

} // namespace bcc
