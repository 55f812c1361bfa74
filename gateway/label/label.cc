#include "gateway/label/label.h"

namespace fedgate::label {

model::Label effective_label(const model::Label& stated, std::optional<model::Rank> room_default, std::optional<model::Rank> network_default,
                             std::optional<model::Rank> realm_unlabelled) {
  using model::LabelSource;
  model::Label out = stated;
  bool is_stated = stated.source == LabelSource::kExplicit || stated.source == LabelSource::kSigned || stated.source == LabelSource::kConflict;
  if (is_stated) {
    if (room_default && *room_default > out.rank) {
      out.rank = *room_default;
      if (out.source != LabelSource::kConflict) out.source = LabelSource::kRoom;
    }
    return out;
  }
  if (room_default) {
    out.rank = *room_default;
    out.source = LabelSource::kRoom;
  } else if (network_default) {
    out.rank = *network_default;
    out.source = LabelSource::kPeerDefault;
  } else if (realm_unlabelled) {
    out.rank = *realm_unlabelled;
    out.source = LabelSource::kRealmDefault;
  } else {
    out.rank = model::Rank::kTopSecret;
    out.source = LabelSource::kNone;
  }
  return out;
}

}  // namespace fedgate::label
