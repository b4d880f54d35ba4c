#pragma once

#include "inner.h"
#include "module.h"

#include <atomic>
#include <bpf/libbpf.h>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace bcc {

// A bpf_object and its links. JavaScript's Object, its rings and the jobs on worker threads share it;
// the last one to release it closes it.
struct OpenObject {
    OpenObject(const Instance &instance, bpf_object *object, std::string name);
    ~OpenObject();
    OpenObject(const OpenObject &) = delete;

    void detachAll();
    bool isEnding() const;

    bpf_object *const object;
    const std::string name;                          // the file's
    std::map<uint32_t, std::function<void()>> links; // how each ends
    uint32_t lastLink = 0;
    std::map<std::string, MapShape> innerShapes; // of arrays of maps, by the array's name
    std::map<std::string, std::unique_ptr<InnerMap>>
        inner;              // maps that were made after load(), by the name they got
    bool loadTried = false; // libbpf loads an object once
    bool loaded = false;
    std::atomic<bool> closing{false};
    const std::shared_ptr<std::atomic<bool>> instanceEnding;
};

// new Object(path). The methods live in the file of their noun.
class Object : public Napi::ObjectWrap<Object> {
  public:
    static Napi::Function define(Napi::Env env);
    explicit Object(const Napi::CallbackInfo &info);

    // The open object; throws when it is closed. Every call starts here.
    const std::shared_ptr<OpenObject> &opened(Napi::Env env, const char *syscall);
    bpf_program *program(Napi::Env env, const std::string &name, const char *syscall);
    bpf_program *loadedProgram(Napi::Env env, const std::string &name, const char *syscall);
    bpf_map *map(Napi::Env env, const std::string &name, const char *syscall);
    bpf_map *loadedMap(Napi::Env env, const std::string &name, const char *syscall);
    MapHandle mapHandle(Napi::Env env, const std::string &name, const char *syscall);

  private:
    // object.cc
    void resizeMap(const Napi::CallbackInfo &info);
    void setAutoload(const Napi::CallbackInfo &info);
    void load(const Napi::CallbackInfo &info);
    void close(const Napi::CallbackInfo &info);
    void requireNotLoaded(Napi::Env env, const char *syscall);
    void requireLoaded(Napi::Env env, const char *syscall);
    // program.cc
    Napi::Value programs(const Napi::CallbackInfo &info);
    Napi::Value programStats(const Napi::CallbackInfo &info);
    // global.cc, layout.cc, enum.cc
    void setGlobal(const Napi::CallbackInfo &info);
    Napi::Value layout(const Napi::CallbackInfo &info);
    Napi::Value enumerators(const Napi::CallbackInfo &info);
    // link.cc, iterate.cc, run.cc
    Napi::Value attach(const Napi::CallbackInfo &info);
    void detach(const Napi::CallbackInfo &info);
    Napi::Value iterate(const Napi::CallbackInfo &info);
    Napi::Value run(const Napi::CallbackInfo &info);
    // map.cc
    Napi::Value maps(const Napi::CallbackInfo &info);
    Napi::Value mapInfo(const Napi::CallbackInfo &info);
    Napi::Value mapView(const Napi::CallbackInfo &info);
    Napi::Value mapGet(const Napi::CallbackInfo &info);
    void mapSet(const Napi::CallbackInfo &info);
    Napi::Value mapDelete(const Napi::CallbackInfo &info);
    Napi::Value mapEntries(const Napi::CallbackInfo &info);
    // inner.cc
    Napi::Value growMap(const Napi::CallbackInfo &info);

    std::shared_ptr<OpenObject> object;
};

} // namespace bcc
