// effective_label: which label counts, out of all that are known about a message (policy.md 2.1). Pure.
//
// The dominant one of all sources: a stated label never lowers below the room's default, and a missing one never lowers anything. What nobody labels is TOPSECRET with source
// none, which no policy lets pass.
#pragma once

#include <optional>

#include "gateway/model/label.h"

namespace fedgate::label {

// `stated` counts when its source is explicit, signed or conflict. The defaults are asked in the order room, network, realm.
model::Label effective_label(const model::Label& stated, std::optional<model::Rank> room_default, std::optional<model::Rank> network_default,
                             std::optional<model::Rank> realm_unlabelled);

}  // namespace fedgate::label
