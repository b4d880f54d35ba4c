#include "module.h"
#include "error.h"
#include "object.h"
#include "ring.h"

namespace bcc {

Instance &instanceOf(Napi::Env env) {
    return *env.GetInstanceData<Instance>();
}

// init(BpfError): the class of the errors that this environment throws.
static void init(const Napi::CallbackInfo &info) {
    instanceOf(info.Env()).errorClass = Napi::Persistent(info[0].As<Napi::Function>());
}

// stop(): ends every job on a worker thread after its current pass, because the process waits for them at exit.
static void stop(const Napi::CallbackInfo &info) {
    *instanceOf(info.Env()).ending = true;
}

static Napi::Object load(Napi::Env env, Napi::Object exports) {
    captureMessages();
    env.SetInstanceData(new Instance());
    exports.Set("init", Napi::Function::New(env, init, "init"));
    exports.Set("stop", Napi::Function::New(env, stop, "stop"));
    exports.Set("bootTime", Napi::Function::New(env, bootTime, "bootTime"));
    exports.Set("tickTime", Napi::Function::New(env, tickTime, "tickTime"));
    exports.Set("mountCgroup2", Napi::Function::New(env, mountCgroup2, "mountCgroup2"));
    exports.Set("detachBuffer", Napi::Function::New(env, detachBuffer, "detachBuffer"));
    exports.Set("keepCapabilities", Napi::Function::New(env, keepCapabilities, "keepCapabilities"));
    exports.Set("sendDatagram", Napi::Function::New(env, sendDatagram, "sendDatagram"));
    exports.Set("Object", Object::define(env));
    exports.Set("Rings", Rings::define(env));
    return exports;
}

NODE_API_MODULE(bcc_bindings, load)

} // namespace bcc
