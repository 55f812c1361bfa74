// Label: model to protobuf and back. Pure. Equivalent labels are one level deep: an equivalent of an equivalent is an Error.
#pragma once

#include "gateway/base/result.h"
#include "gateway/model/label.h"

namespace fedgate::v1 {
class Label;
}

namespace fedgate::codec {

void label_to_proto(const model::Label& label, v1::Label& out);
Result<model::Label> label_from_proto(const v1::Label& label);

}  // namespace fedgate::codec
