#pragma once

#include <napi.h>
#include <atomic>
#include <memory>

namespace bcc {

// The addon's state in one JavaScript environment (the main thread or a worker).
struct Instance {
    Napi::FunctionReference errorClass; // index.ts's BpfError
    // Set when it ends: jobs check it between two passes, also after the end of this struct.
    std::shared_ptr<std::atomic<bool>> ending = std::make_shared<std::atomic<bool>>(false);
};

Instance &instanceOf(Napi::Env env);

Napi::Value bootTime(const Napi::CallbackInfo &info);
Napi::Value tickTime(const Napi::CallbackInfo &info);
Napi::Value mountCgroup2(const Napi::CallbackInfo &info);
Napi::Value detachBuffer(const Napi::CallbackInfo &info);
Napi::Value keepCapabilities(const Napi::CallbackInfo &info);
Napi::Value sendDatagram(const Napi::CallbackInfo &info);

} // namespace bcc
