#include "btf.h"
#include "error.h"
#include "object.h"

#include <cerrno>
#include <regex>

namespace bcc {

namespace {

struct Field {
    std::string name;
    uint32_t offset;
    uint32_t size; // of the whole field
    std::string type;
    uint32_t count;
    std::string typedefName;
    bool text;
};

// A typedef that only names the size of the C type.
bool isPlainNumber(const std::string &name) {
    static const std::regex plain("(__)?[us](8|16|32|64)|u?int(8|16|32|64)_t|bool");
    return std::regex_match(name, plain);
}

class Reader {
  public:
    explicit Reader(const btf *types) : types(types) {}

    // Why the struct is not flat data; empty if it is.
    std::string read(const btf_type *structure, const std::string &prefix, uint32_t base) {
        const btf_member *members = btf_members(structure);
        for (int i = 0; i < btf_vlen(structure); i++) {
            std::string name = prefix + nameOf(members[i].name_off);
            uint32_t bits = btf_member_bit_offset(structure, i);
            if (btf_member_bitfield_size(structure, i) || bits % 8)
                return name + " is a bit field";
            std::string problem = readMember(name, members[i].type, base + bits / 8);
            if (!problem.empty())
                return problem;
        }
        return "";
    }

    std::vector<Field> fields;

  private:
    std::string readMember(const std::string &name, uint32_t id, uint32_t offset) {
        uint32_t count = 1;
        bool isArray = false;
        std::string outermost;
        const btf_type *type = unwrap(id, &outermost);
        while (btf_is_array(type)) {
            isArray = true;
            count *= btf_array(type)->nelems;
            type = unwrap(btf_array(type)->type, &outermost);
        }
        if (btf_is_struct(type) && !isArray)
            return read(type, name.empty() || name.back() == '.' ? name : name + ".", offset);
        Scalar scalar;
        if (!scalarOf(types, type, &scalar) || scalar.size > 8)
            return name + " is neither a number nor an array of numbers";
        bool bytes = isArray && scalar.size == 1;
        std::string kind = bytes ? "bytes" : (scalar.isSigned ? "i" : "u") + std::to_string(scalar.size * 8);
        fields.push_back({name, offset, scalar.size * count, kind, count, outermost, bytes && scalar.isText});
        return "";
    }

    const btf_type *unwrap(uint32_t id, std::string *outermost) {
        const btf_type *type = btf__type_by_id(types, id);
        for (; btf_is_mod(type) || btf_is_typedef(type); type = btf__type_by_id(types, type->type)) {
            std::string name = btf_is_typedef(type) ? nameOf(type->name_off) : "";
            if (outermost->empty() && !isPlainNumber(name))
                *outermost = name;
        }
        return type;
    }

    std::string nameOf(uint32_t offset) {
        return btf__name_by_offset(types, offset);
    }

    const btf *types;
};

const btf_type *findStruct(const btf *types, const std::string &name) {
    for (int kind : {BTF_KIND_STRUCT, BTF_KIND_TYPEDEF}) {
        int id = btf__find_by_name_kind(types, name.c_str(), kind);
        const btf_type *type = id > 0 ? bareType(types, id) : nullptr;
        if (type && btf_is_struct(type))
            return type;
    }
    return nullptr;
}

} // namespace

// layout(struct), from the object's own .BTF
Napi::Value Object::layout(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    std::string name = info[0].As<Napi::String>();
    const btf *types = bpf_object__btf(opened(env, "layout")->object);
    const btf_type *structure = types ? findStruct(types, name) : nullptr;
    if (!structure)
        throw bpfError(env, {ENOENT, "layout",
                             object->name + " has no struct '" + name +
                                 "' (clang -g keeps only types that a program, map or variable uses)",
                             ""});
    Reader reader(types);
    std::string problem = reader.read(structure, "", 0);
    if (!problem.empty())
        throw bpfError(env, {EINVAL, "layout", "struct " + name + ": " + problem, ""});

    Napi::Array fields = Napi::Array::New(env);
    for (const Field &field : reader.fields) {
        Napi::Object row = Napi::Object::New(env);
        row["name"] = field.name;
        row["offset"] = field.offset;
        row["size"] = field.size;
        row["type"] = field.type;
        row["count"] = field.count;
        if (!field.typedefName.empty())
            row["typedef"] = field.typedefName;
        row["text"] = Napi::Boolean::New(env, field.text);
        fields[fields.Length()] = row;
    }
    Napi::Object layout = Napi::Object::New(env);
    layout["name"] = name;
    layout["size"] = structure->size;
    layout["fields"] = fields;
    return layout;
}

} // namespace bcc
