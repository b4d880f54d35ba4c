#pragma once

#include "fd.h"
#include "object.h"

#include <uv.h>
#include <vector>

namespace bcc {

struct Ring {
    struct Free {
        void operator()(ring_buffer *buffer) const {
            ring_buffer__free(buffer);
        }
    };

    std::string name;
    std::unique_ptr<ring_buffer, Free> buffer;
    uint32_t bytes;          // of the ring
    uint32_t recordSize = 0; // of the first record
    uint64_t badRecords = 0; // records of another size
    // The batch that is delivered: one Buffer, reused for each batch.
    Napi::Reference<Napi::Buffer<uint8_t>> batch;
    uint8_t *room;
    size_t used = 0;

    bool isFull() const;
};

// new Rings(object, names, onRecords). Like a socket it lives until close(), referenced or not.
class Rings : public Napi::ObjectWrap<Rings> {
  public:
    static Napi::Function define(Napi::Env env);
    explicit Rings(const Napi::CallbackInfo &info);

  private:
    // libuv's handle outlives this object by one turn of the loop.
    struct Poll {
        uv_poll_t handle;
        napi_async_cleanup_hook_handle hook;
        Rings *rings;
    };

    void add(Napi::Env env, Object *object, const std::string &name);
    void watch(Napi::Env env);
    void release();
    void onReadable();
    size_t deliver(Ring &ring, bool fromLoop);

    Napi::Value drain(const Napi::CallbackInfo &info);
    Napi::Value badRecords(const Napi::CallbackInfo &info);
    void close(const Napi::CallbackInfo &info);

    std::shared_ptr<OpenObject> object;
    std::vector<std::unique_ptr<Ring>> rings;
    Napi::FunctionReference onRecords;
    std::unique_ptr<Napi::AsyncContext> context;
    Fd epoll;
    Poll *poll = nullptr;
};

} // namespace bcc
