// Envelope, body and conversation: model to protobuf and back. Pure; the only place where a peer's record becomes model.
//
// From the link nothing is trusted: UTF-8, lengths and enumerations are checked, and the Error says which field. From the store the same functions are used.
#pragma once

#include "gateway/base/result.h"
#include "gateway/model/envelope.h"

namespace fedgate::v1 {
class Body;
class Conversation;
class Envelope;
}  // namespace fedgate::v1

namespace fedgate::codec {

void to_proto(const model::Body& body, v1::Body& out);
void to_proto(const model::Conversation& conversation, v1::Conversation& out);
// Everything but the body.
void to_proto_without_body(const model::Envelope& envelope, v1::Envelope& out);
void to_proto(const model::Envelope& envelope, v1::Envelope& out);

Result<model::Body> from_proto(const v1::Body& body);
Result<model::Conversation> from_proto(const v1::Conversation& conversation);
Result<model::Envelope> from_proto(const v1::Envelope& envelope);

inline constexpr std::size_t kNativeIdBytesMax = 1023;
inline constexpr std::size_t kDedupKeyBytesMax = 512;
inline constexpr std::size_t kDisplayNameBytesMax = 256;
inline constexpr std::size_t kHopsMax = 16;

}  // namespace fedgate::codec
