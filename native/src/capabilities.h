#pragma once

#include <cstdint>

namespace bcc {

// Bits of linux/capability.h.
using Capabilities = uint64_t;

// Takes the others from the calling thread, for ever; only async-signal-safe calls. False with errno.
bool keepInThread(Capabilities kept);

// Whether a thread, a directory of /proc/self/task, has no others and no_new_privs is set; or has ended.
bool keepsOnly(const char *thread, Capabilities kept);

} // namespace bcc
