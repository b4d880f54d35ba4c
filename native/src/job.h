#pragma once

#include "error.h"
#include "object.h"

#include <cerrno>
#include <optional>

namespace bcc {

// Work on a thread of libuv's pool whose end settles a promise. It keeps the object open meanwhile.
class Job : public Napi::AsyncWorker {
  public:
    Napi::Promise promise() const {
        return deferred.Promise();
    }

  protected:
    Job(Napi::Env env, const std::shared_ptr<OpenObject> &object, const char *name)
        : AsyncWorker(env, name), object(object), deferred(Napi::Promise::Deferred::New(env)) {}

    // On the JavaScript thread, after Execute() without a failure.
    virtual Napi::Value result(Napi::Env env) = 0;

    // Checked between two passes: whether close() was called.
    bool canceled(const char *syscall) {
        if (!object->isEnding())
            return false;
        failure = Failure{ECANCELED, syscall, object->name + " was closed meanwhile", ""};
        return true;
    }

    std::shared_ptr<OpenObject> object;
    std::optional<Failure> failure;

  private:
    void OnOK() override {
        if (failure)
            deferred.Reject(bpfError(Env(), *failure).Value());
        else
            deferred.Resolve(result(Env()));
    }
    void OnError(const Napi::Error &error) override {
        deferred.Reject(error.Value());
    }

    Napi::Promise::Deferred deferred;
};

} // namespace bcc
