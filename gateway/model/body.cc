#include "gateway/model/body.h"

#include <array>

namespace fedgate::model {

std::string_view to_text(Kind kind) {
  static constexpr std::array<std::string_view, kKinds> kNames = {"text",       "file",        "edit", "retract",  "reaction", "receipt",    "typing",
                                                                  "membership", "room_change", "poll", "location", "notice",   "unsupported"};
  return kNames[static_cast<std::size_t>(kind)];
}

Kind kind_of(const Body& body) {
  if (std::holds_alternative<Text>(body)) return Kind::kText;
  if (std::holds_alternative<Notice>(body)) return Kind::kNotice;
  return std::get<Uncarried>(body).kind;
}

}  // namespace fedgate::model
