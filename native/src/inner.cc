#include "inner.h"
#include "job.h"

#include <bpf/bpf.h>
#include <vector>

namespace bcc {

MapShape shapeOf(const bpf_map *map) {
    return {bpf_map__type(map),
            bpf_map__key_size(map),
            bpf_map__value_size(map),
            bpf_map__max_entries(map),
            bpf_map__map_flags(map),
            bpf_map__btf_key_type_id(map),
            bpf_map__btf_value_type_id(map)};
}

namespace {

struct Place {
    std::string name; // of the array of maps
    int array;        // its descriptor
    uint32_t first, count;
    std::string as; // the name of the only one, or ""
};

class Growth : public Job {
  public:
    Growth(Napi::Env env, const std::shared_ptr<OpenObject> &object, Place place, MapShape shape)
        : Job(env, object, "bcc-bindings.growMap"), place(std::move(place)), shape(shape) {}

  private:
    // Programs see a map as soon as it is in the array; the kernel waits until all that run have ended, once for
    // the batch (kernel/bpf/syscall.c, maybe_wait_bpf_programs).
    void Execute() override {
        std::vector<Fd> maps;
        LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = shape.flags);
        if (shape.valueType) { // as libbpf made the first: Linux 6.1 compares what it knows from the types
            options.btf_fd = bpf_object__btf_fd(object->object);
            options.btf_key_type_id = shape.keyType;
            options.btf_value_type_id = shape.valueType;
        }
        int error = 0;
        while (maps.size() < place.count && !canceled("grow_map")) {
            int fd = bpf_map_create(shape.type, place.name.c_str(), shape.keySize, shape.valueSize,
                                    shape.maxEntries, &options);
            if (fd < 0) {
                error = fd;
                break;
            }
            maps.emplace_back(fd);
        }
        if (!failure && maps.size() > 0)
            error = put(maps);
        if (!failure && added == 0)
            failure = failed(error, "grow_map", place.name);
        if (added > 0 && !place.as.empty())
            kept = std::make_unique<InnerMap>(InnerMap{shape, std::move(maps[0])});
    }

    // 0, or what kept the next map from its place.
    int put(const std::vector<Fd> &maps) {
        std::vector<uint32_t> keys;
        std::vector<int> values;
        for (const Fd &map : maps) {
            keys.push_back(place.first + keys.size());
            values.push_back(map.get());
        }
        uint32_t done = keys.size();
        if (!bpf_map_update_batch(place.array, keys.data(), values.data(), &done, nullptr)) {
            added = done;
            return 0;
        }
        // without batches for this type (before Linux 5.19)
        for (int error = 0; added < keys.size(); added++)
            if ((error = bpf_map_update_elem(place.array, &keys[added], &values[added], BPF_ANY)))
                return error;
        return 0;
    }

    Napi::Value result(Napi::Env env) override {
        if (kept)
            object->inner.insert_or_assign(place.as, std::move(kept));
        return Napi::Number::New(env, added);
    }

    Place place;
    MapShape shape;
    uint32_t added = 0;
    std::unique_ptr<InnerMap> kept;
};

} // namespace

// growMap(array, first, count, entries: number | undefined, as: string | undefined): how many were made
Napi::Value Object::growMap(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    std::string name = info[0].As<Napi::String>();
    bpf_map *array = loadedMap(env, name, "grow_map");
    auto found = object->innerShapes.find(name);
    if (found == object->innerShapes.end())
        throw bpfError(env, {EINVAL, "grow_map", name + " has no maps in it", ""});
    MapShape shape = found->second;
    if (info[3].IsNumber())
        shape.maxEntries = info[3].As<Napi::Number>().Uint32Value();
    Place place{name, bpf_map__fd(array), info[1].As<Napi::Number>().Uint32Value(),
                info[2].As<Napi::Number>().Uint32Value(),
                info[4].IsString() ? std::string(info[4].As<Napi::String>()) : ""};
    auto *job = new Growth(env, object, std::move(place), shape);
    job->Queue();
    return job->promise();
}

} // namespace bcc
