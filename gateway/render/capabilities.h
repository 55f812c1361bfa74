// What a target network can show, with limits (five levels as in link.proto). A value; said by the adapter in Hello.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace fedgate::render {

enum class Level : std::uint8_t { kUnsupported = 0, kDropped, kRejected, kPartial, kFull };

struct Capabilities {
  std::map<std::string, Level> features;
  std::uint32_t max_text_bytes = 0;  // 0 = no limit
  std::uint64_t max_file_bytes = 0;
  std::uint32_t lane_window = 1;
  bool refusals_in_transaction = false;

  Level level(const std::string& feature) const {
    auto it = features.find(feature);
    return it == features.end() ? Level::kUnsupported : it->second;
  }
};

}  // namespace fedgate::render
