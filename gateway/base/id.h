// Id128<Tag>: an opaque 16-byte id, its own type per noun, written as 26 characters of lower-case base32 (RFC 4648 alphabet, no padding).
//
// Values; any thread. Ids of messages and deliveries are derived (hash.h), so that a repeated step yields the same id; nothing may read meaning out of one.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/base32.h"

namespace fedgate {

template <class Tag>
class Id128 {
 public:
  static constexpr std::size_t kBytes = 16;
  static constexpr std::size_t kTextLength = 26;

  Id128() = default;
  explicit Id128(const std::array<std::uint8_t, kBytes>& bytes) : bytes_(bytes) {}

  // From exactly 16 raw bytes, as stored; anything else is nullopt.
  static std::optional<Id128> from_bytes(std::string_view raw) {
    if (raw.size() != kBytes) return std::nullopt;
    Id128 id;
    std::memcpy(id.bytes_.data(), raw.data(), kBytes);
    return id;
  }
  // From the 26-character text form, either case; anything else is nullopt.
  static std::optional<Id128> from_text(std::string_view text) {
    if (text.size() != kTextLength) return std::nullopt;
    auto raw = base32_decode(text);
    if (!raw) return std::nullopt;
    return from_bytes(*raw);
  }

  std::string text() const { return base32_encode(bytes()); }
  std::string_view bytes() const { return {reinterpret_cast<const char*>(bytes_.data()), kBytes}; }
  bool empty() const { return *this == Id128(); }
  std::size_t hash() const {
    std::size_t h;
    std::memcpy(&h, bytes_.data(), sizeof h);
    return h;
  }

  friend auto operator<=>(const Id128&, const Id128&) = default;

 private:
  std::array<std::uint8_t, kBytes> bytes_{};
};

}  // namespace fedgate

template <class Tag>
struct std::hash<fedgate::Id128<Tag>> {
  std::size_t operator()(const fedgate::Id128<Tag>& id) const noexcept { return id.hash(); }
};
