#include "gateway/codec/label_codec.h"

#include <utility>

#include "fedgate/v1/envelope.pb.h"

namespace fedgate::codec {
namespace {

Result<model::Label> convert(const v1::Label& label, int depth) {
  if (label.rank() >= static_cast<std::uint32_t>(model::kRanks)) return make_error(ErrorKind::kInvalid, "label.rank is above 5");
  if (!v1::Label::Source_IsValid(label.source())) return make_error(ErrorKind::kInvalid, "label.source is unknown");
  model::Label out;
  out.scheme = label.scheme();
  out.level = label.level();
  out.rank = static_cast<model::Rank>(label.rank());
  for (const auto& category : label.categories()) {
    if (!v1::Label::CategoryType_IsValid(category.type())) return make_error(ErrorKind::kInvalid, "label.categories.type is unknown");
    out.categories.push_back(
        {category.set(), static_cast<model::CategoryType>(category.type()), {category.values().begin(), category.values().end()}});
  }
  out.source = static_cast<model::LabelSource>(label.source());
  out.originator = label.originator();
  out.created_ms = label.created_ms();
  out.review_by_ms = label.review_by_ms();
  out.marking = label.marking();
  out.original = label.original();
  out.original_type = label.original_type();
  if (label.equivalents_size() > 0 && depth > 0) return make_error(ErrorKind::kInvalid, "label.equivalents are nested");
  for (const auto& equivalent : label.equivalents()) {
    auto converted = convert(equivalent, depth + 1);
    if (!converted) return converted;
    out.equivalents.push_back(std::move(*converted));
  }
  return out;
}

}  // namespace

void label_to_proto(const model::Label& label, v1::Label& out) {
  out.set_scheme(label.scheme);
  out.set_level(label.level);
  out.set_rank(static_cast<std::uint32_t>(label.rank));
  for (const auto& category : label.categories) {
    auto* added = out.add_categories();
    added->set_set(category.set);
    added->set_type(static_cast<v1::Label::CategoryType>(category.type));
    for (const auto& value : category.values) added->add_values(value);
  }
  out.set_source(static_cast<v1::Label::Source>(label.source));
  out.set_originator(label.originator);
  out.set_created_ms(label.created_ms);
  out.set_review_by_ms(label.review_by_ms);
  out.set_marking(label.marking);
  out.set_original(label.original);
  out.set_original_type(label.original_type);
  for (const auto& equivalent : label.equivalents) label_to_proto(equivalent, *out.add_equivalents());
}

Result<model::Label> label_from_proto(const v1::Label& label) { return convert(label, 0); }

}  // namespace fedgate::codec
