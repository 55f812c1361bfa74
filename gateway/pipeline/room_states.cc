#include "gateway/pipeline/room_states.h"

#include <algorithm>

namespace fedgate::pipeline {
namespace {

constexpr std::size_t kDomainsMax = 10000;

// One field per line: network, room, the three flags, name, then the domains. A line break inside a field would shift the rest, so it becomes a blank.
std::string line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text + "\n";
}

std::string encode(const RoomState& state) {
  std::string out = line(state.network) + line(state.room);
  out += state.joined ? '1' : '0';
  out += state.encrypted ? '1' : '0';
  out += state.members_known ? '1' : '0';
  out += "\n" + line(state.name);
  for (const auto& domain : state.domains) out += line(domain);
  return out;
}

bool decode(std::string_view bytes, RoomState& state) {
  std::vector<std::string> lines;
  while (!bytes.empty()) {
    auto end = bytes.find('\n');
    if (end == std::string_view::npos) return false;
    lines.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
  }
  if (lines.size() < 4 || lines[2].size() != 3) return false;
  state.network = lines[0];
  state.room = lines[1];
  state.joined = lines[2][0] == '1';
  state.encrypted = lines[2][1] == '1';
  state.members_known = lines[2][2] == '1';
  state.name = lines[3];
  state.domains.assign(lines.begin() + 4, lines.end());
  return true;
}

}  // namespace

Result<void> RoomStates::load() {
  auto entries = parts_.key_value.scan("rooms", "");
  if (!entries) return std::unexpected(entries.error());
  for (const auto& entry : *entries) {
    RoomState state;
    // An unreadable one is as if never told: the room's messages wait until its adapter says it again.
    if (decode(entry.value, state)) keep(std::move(state));
  }
  return {};
}

void RoomStates::keep(RoomState state) {
  const settings::Network* network = parts_.settings->network(state.network);
  if (!network) return;
  Known known;
  if (!state.joined || !state.members_known || state.domains.size() > kDomainsMax) {
    known.realms = {policy::kUnknownRealm};
  } else {
    for (const auto& domain : state.domains) known.realms.push_back(realms_.of_domain(*network, domain));
    // Only our own ghosts are in it: what is written there is read by nobody but that network itself.
    if (state.domains.empty()) known.realms.push_back(parts_.policy->realm(network->realm));
    std::sort(known.realms.begin(), known.realms.end());
    known.realms.erase(std::unique(known.realms.begin(), known.realms.end()), known.realms.end());
  }
  auto key = std::pair(state.network, state.room);
  known.state = std::move(state);
  rooms_[std::move(key)] = std::move(known);
}

void RoomStates::set(RoomState state) {
  std::string key = state.network + "/" + state.room;
  if (key.size() <= 1024) {
    parts_.key_value.put("rooms", key, encode(state), std::nullopt, [this, life = std::weak_ptr<int>(life_)](Result<store::Revision> result) {
      if (!life.expired() && !result) ++stats_.store_failures;  // the adapter says it again when it attaches
    });
  }
  keep(std::move(state));
}

const RoomStates::Known* RoomStates::find(const std::string& network, const std::string& room) const {
  auto it = rooms_.find({network, room});
  return it == rooms_.end() ? nullptr : &it->second;
}

}  // namespace fedgate::pipeline
