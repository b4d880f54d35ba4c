#include "object.h"
#include "error.h"

#include <cerrno>

namespace bcc {

OpenObject::OpenObject(const Instance &instance, bpf_object *object, std::string name)
    : object(object), name(std::move(name)), instanceEnding(instance.ending) {}

OpenObject::~OpenObject() {
    detachAll();
    bpf_object__close(object);
}

void OpenObject::detachAll() {
    for (auto &[id, end] : links)
        end();
    links.clear();
}

bool OpenObject::isEnding() const {
    return closing || *instanceEnding;
}

Napi::Function Object::define(Napi::Env env) {
    return DefineClass(env, "Object",
                       {InstanceMethod<&Object::programs>("programs"),
                        InstanceMethod<&Object::programStats>("programStats"),
                        InstanceMethod<&Object::setGlobal>("setGlobal"),
                        InstanceMethod<&Object::resizeMap>("resizeMap"),
                        InstanceMethod<&Object::setAutoload>("setAutoload"),
                        InstanceMethod<&Object::load>("load"),
                        InstanceMethod<&Object::attach>("attach"),
                        InstanceMethod<&Object::detach>("detach"),
                        InstanceMethod<&Object::iterate>("iterate"),
                        InstanceMethod<&Object::run>("run"),
                        InstanceMethod<&Object::layout>("layout"),
                        InstanceMethod<&Object::enumerators>("enumerators"),
                        InstanceMethod<&Object::maps>("maps"),
                        InstanceMethod<&Object::mapInfo>("mapInfo"),
                        InstanceMethod<&Object::mapView>("mapView"),
                        InstanceMethod<&Object::mapGet>("mapGet"),
                        InstanceMethod<&Object::mapSet>("mapSet"),
                        InstanceMethod<&Object::mapDelete>("mapDelete"),
                        InstanceMethod<&Object::mapEntries>("mapEntries"),
                        InstanceMethod<&Object::growMap>("growMap"),
                        InstanceMethod<&Object::close>("close")});
}

Object::Object(const Napi::CallbackInfo &info) : ObjectWrap(info) {
    Napi::Env env = info.Env();
    std::string path = info[0].As<Napi::String>();
    forgetMessages();
    bpf_object *opened = bpf_object__open(path.c_str());
    if (!opened)
        throw bpfError(env, failed(errno, "open", path));
    object = std::make_shared<OpenObject>(instanceOf(env), opened, path.substr(path.rfind('/') + 1));
}

const std::shared_ptr<OpenObject> &Object::opened(Napi::Env env, const char *syscall) {
    if (!object)
        throw bpfError(env, {EBADF, syscall, std::string(syscall) + ": the object is closed", ""});
    forgetMessages();
    return object;
}

void Object::requireNotLoaded(Napi::Env env, const char *syscall) {
    if (opened(env, syscall)->loadTried)
        throw bpfError(env, {EBUSY, syscall, object->name + " is loaded already: set it before load()", ""});
}

void Object::requireLoaded(Napi::Env env, const char *syscall) {
    if (!opened(env, syscall)->loaded)
        throw bpfError(env, {EINVAL, syscall, object->name + " is not loaded: call load() first", ""});
}

bpf_program *Object::program(Napi::Env env, const std::string &name, const char *syscall) {
    bpf_program *found = bpf_object__find_program_by_name(opened(env, syscall)->object, name.c_str());
    if (!found)
        throw bpfError(env, {ENOENT, syscall, object->name + " has no program '" + name + "'", ""});
    return found;
}

bpf_program *Object::loadedProgram(Napi::Env env, const std::string &name, const char *syscall) {
    bpf_program *found = program(env, name, syscall);
    requireLoaded(env, syscall);
    if (bpf_program__fd(found) < 0)
        throw bpfError(env, {EINVAL, syscall, "the program '" + name + "' was left out of load()", ""});
    return found;
}

bpf_map *Object::map(Napi::Env env, const std::string &name, const char *syscall) {
    bpf_map *found = bpf_object__find_map_by_name(opened(env, syscall)->object, name.c_str());
    if (!found)
        throw bpfError(env, {ENOENT, syscall, object->name + " has no map '" + name + "'", ""});
    return found;
}

bpf_map *Object::loadedMap(Napi::Env env, const std::string &name, const char *syscall) {
    bpf_map *found = map(env, name, syscall);
    requireLoaded(env, syscall);
    return found;
}

// Also one that was made after load().
MapHandle Object::mapHandle(Napi::Env env, const std::string &name, const char *syscall) {
    opened(env, syscall);
    auto made = object->inner.find(name);
    if (made != object->inner.end())
        return {name, made->second->fd.get(), made->second->shape};
    bpf_map *map = loadedMap(env, name, syscall);
    return {name, bpf_map__fd(map), shapeOf(map)};
}

void Object::resizeMap(const Napi::CallbackInfo &info) {
    std::string name = info[0].As<Napi::String>();
    bpf_map *resized = map(info.Env(), name, "resize_map");
    requireNotLoaded(info.Env(), "resize_map");
    int error = bpf_map__set_max_entries(resized, info[1].As<Napi::Number>().Uint32Value());
    if (error)
        throw bpfError(info.Env(), failed(error, "resize_map", name));
}

void Object::setAutoload(const Napi::CallbackInfo &info) {
    std::string name = info[0].As<Napi::String>();
    bpf_program *chosen = program(info.Env(), name, "set_autoload");
    requireNotLoaded(info.Env(), "set_autoload");
    int error = bpf_program__set_autoload(chosen, info[1].ToBoolean());
    if (error)
        throw bpfError(info.Env(), failed(error, "set_autoload", name));
}

void Object::load(const Napi::CallbackInfo &info) {
    requireNotLoaded(info.Env(), "load");
    object->loadTried = true;
    bpf_map *map;
    bpf_object__for_each_map(map, object->object) { // libbpf forgets it when the map is made
        if (const bpf_map *inner = bpf_map__inner_map(map))
            object->innerShapes.emplace(bpf_map__name(map), shapeOf(inner));
    }
    int error = bpf_object__load(object->object);
    if (error)
        throw bpfError(info.Env(), failed(error, "load", object->name));
    object->loaded = true;
}

// A running job keeps the bpf_object until the end of its pass; the hooks stop now.
void Object::close(const Napi::CallbackInfo &info) {
    if (!object)
        return;
    object->closing = true;
    object->detachAll();
    object.reset();
}

} // namespace bcc
