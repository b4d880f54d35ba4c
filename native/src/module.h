#pragma once

#include <napi.h>
#include <atomic>
#include <memory>

namespace bcc {

// What one JavaScript environment (the main thread or a worker) has of this addon.
struct Instance {
    Napi::FunctionReference errorClass; // index.ts's BpfError
    // Set when it ends: jobs look at it between two passes, also when this struct is gone.
    std::shared_ptr<std::atomic<bool>> ending = std::make_shared<std::atomic<bool>>(false);
};

Instance &instanceOf(Napi::Env env);

Napi::Value bootTime(const Napi::CallbackInfo &info);
Napi::Value mountCgroup2(const Napi::CallbackInfo &info);
Napi::Value detachBuffer(const Napi::CallbackInfo &info);

} // namespace bcc
