#include "btf.h"

#include <cstring>

namespace bcc {

const btf_type *bareType(const btf *types, uint32_t id) {
    const btf_type *type = btf__type_by_id(types, id);
    while (btf_is_mod(type) || btf_is_typedef(type))
        type = btf__type_by_id(types, type->type);
    return type;
}

bool scalarOf(const btf *types, const btf_type *type, Scalar *scalar) {
    if (btf_is_int(type)) {
        bool isText = strcmp(btf__name_by_offset(types, type->name_off), "char") == 0;
        *scalar = {type->size, bool(btf_int_encoding(type) & BTF_INT_SIGNED), isText};
        return true;
    }
    if (btf_is_any_enum(type)) {
        *scalar = {type->size, btf_kflag(type), false}; // the flag says "signed" for enums (Linux 6.0 BTF)
        return true;
    }
    return false;
}

} // namespace bcc
