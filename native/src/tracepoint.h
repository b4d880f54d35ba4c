#pragma once

#include <bpf/libbpf.h>
#include <napi.h>

namespace bcc {

// The link of a tracepoint/<category>/<name> program; throws the kernel's error.
bpf_link *attachTracepoint(Napi::Env env, bpf_program *program);

} // namespace bcc
