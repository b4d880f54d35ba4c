#include "ring.h"
#include "error.h"

#include <cerrno>
#include <cstring>
#include <sys/epoll.h>

namespace bcc {

namespace {

// A ring that fills faster than it is read must not keep the others waiting.
constexpr size_t BATCH_BYTES = 1 << 20;

int keepRecord(void *context, void *record, size_t size) {
    Ring &ring = *static_cast<Ring *>(context);
    if (!ring.recordSize)
        ring.recordSize = size;
    if (size != ring.recordSize || size > BATCH_BYTES) {
        ring.badRecords++;
        return 0;
    }
    memcpy(ring.room + ring.used, record, size);
    ring.used += size;
    return ring.isFull() ? -ENOBUFS : 0; // the record is consumed, the next one waits
}

} // namespace

bool Ring::isFull() const {
    return used + recordSize > BATCH_BYTES;
}

Napi::Function Rings::define(Napi::Env env) {
    return DefineClass(env, "Rings",
                       {InstanceMethod<&Rings::drain>("drain"),
                        InstanceMethod<&Rings::badRecords>("badRecords"),
                        InstanceMethod<&Rings::close>("close")});
}

Rings::Rings(const Napi::CallbackInfo &info) : ObjectWrap(info), epoll(epoll_create1(EPOLL_CLOEXEC)) {
    Napi::Env env = info.Env();
    Object *owner = Object::Unwrap(info[0].As<Napi::Object>());
    object = owner->opened(env, "rings");
    if (epoll.get() < 0)
        throw bpfError(env, failed(errno, "epoll_create", object->name));
    Napi::Array names = info[1].As<Napi::Array>();
    for (uint32_t i = 0; i < names.Length(); i++)
        add(env, owner, names.Get(i).As<Napi::String>());
    onRecords = Napi::Persistent(info[2].As<Napi::Function>());
    context = std::make_unique<Napi::AsyncContext>(env, "bcc-bindings.rings");
    watch(env);
    Ref();
}

// One ring_buffer per ring: libbpf 1.1 cannot consume one of several, and a full one would starve the rest.
void Rings::add(Napi::Env env, Object *owner, const std::string &name) {
    bpf_map *map = owner->loadedMap(env, name, "rings");
    auto ring = std::make_unique<Ring>();
    ring->name = name;
    ring->bytes = bpf_map__max_entries(map);
    ring->buffer.reset(ring_buffer__new(bpf_map__fd(map), keepRecord, ring.get(), nullptr));
    if (!ring->buffer)
        throw bpfError(env, failed(errno, "rings", name));
    Napi::Buffer<uint8_t> batch = Napi::Buffer<uint8_t>::New(env, BATCH_BYTES);
    ring->room = batch.Data();
    ring->batch = Napi::Persistent(batch);
    rings.push_back(std::move(ring));
    epoll_event readable = {};
    readable.events = EPOLLIN;
    if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, bpf_map__fd(map), &readable))
        throw bpfError(env, failed(errno, "rings", name));
}

void Rings::watch(Napi::Env env) {
    uv_loop_t *loop = nullptr;
    napi_get_uv_event_loop(env, &loop);
    auto created = std::make_unique<Poll>();
    created->rings = this;
    created->handle.data = created.get();
    int error = uv_poll_init(loop, &created->handle, epoll.get());
    if (error)
        throw bpfError(env, failed(error, "rings", object->name));
    poll = created.release();
    // At its end an environment waits until the handle is closed.
    napi_add_async_cleanup_hook(
        env,
        [](napi_async_cleanup_hook_handle, void *argument) {
            Poll *poll = static_cast<Poll *>(argument);
            if (poll->rings)
                poll->rings->release();
        },
        poll, &poll->hook);
    uv_poll_start(&poll->handle, UV_READABLE, [](uv_poll_t *handle, int, int) {
        Poll *poll = static_cast<Poll *>(handle->data);
        if (poll->rings)
            poll->rings->onReadable();
    });
}

void Rings::release() {
    if (!poll)
        return;
    poll->rings = nullptr;
    uv_poll_stop(&poll->handle);
    uv_close(reinterpret_cast<uv_handle_t *>(&poll->handle), [](uv_handle_t *handle) {
        Poll *poll = static_cast<Poll *>(handle->data);
        napi_remove_async_cleanup_hook(poll->hook);
        delete poll;
    });
    poll = nullptr;
    for (auto &ring : rings)
        ring->buffer.reset();
    Fd closed(epoll.release());
    onRecords.Reset();
    object.reset();
    Unref();
}

// Consumes one batch, delivers it and returns its number of records. The callback may close these rings.
size_t Rings::deliver(Ring &ring, bool fromLoop) {
    ring.used = 0;
    ring_buffer__consume(ring.buffer.get());
    if (ring.used == 0)
        return 0;
    size_t records = ring.used / ring.recordSize;
    Napi::Value name = Napi::String::New(Env(), ring.name);
    Napi::Value used = Napi::Number::New(Env(), ring.used);
    if (fromLoop)
        onRecords.MakeCallback(Env().Global(), {name, ring.batch.Value(), used}, *context);
    else
        onRecords.Call({name, ring.batch.Value(), used});
    return records;
}

void Rings::onReadable() {
    Napi::Env env = Env();
    Napi::HandleScope scope(env);
    try {
        for (size_t i = 0; i < rings.size() && poll; i++)
            deliver(*rings[i], true);
    } catch (const Napi::Error &error) {
        napi_fatal_exception(env, error.Value());
    }
}

// drain(): the records that are in the rings now, at most one ring size of each, so that it ends on a busy kernel
Napi::Value Rings::drain(const Napi::CallbackInfo &info) {
    if (!poll)
        throw bpfError(info.Env(), {EBADF, "rings", "drain: the rings are closed", ""});
    size_t total = 0;
    for (size_t i = 0; i < rings.size(); i++) {
        Ring &ring = *rings[i];
        for (size_t bytes = 0; poll && bytes < ring.bytes; bytes += BATCH_BYTES) {
            total += deliver(ring, false);
            if (!ring.isFull())
                break;
        }
    }
    return Napi::Number::New(info.Env(), total);
}

Napi::Value Rings::badRecords(const Napi::CallbackInfo &info) {
    uint64_t total = 0;
    for (const auto &ring : rings)
        total += ring->badRecords;
    return Napi::Number::New(info.Env(), total);
}

void Rings::close(const Napi::CallbackInfo &) {
    release();
}

} // namespace bcc
