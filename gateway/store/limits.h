// The limits of log.h and key_value.h, checked in one place and in the same words by every implementation.
#pragma once

#include <string>
#include <string_view>

#include "gateway/store/key_value.h"
#include "gateway/store/log.h"

namespace fedgate::store {

inline constexpr std::size_t kKeyBytesMax = 1024;
inline constexpr std::size_t kValueBytesMax = 1u << 20;

inline Result<void> check_entry(std::size_t bytes) {
  if (bytes > Log::kEntryBytesMax)
    return make_error(ErrorKind::kLimit, "log entry of " + std::to_string(bytes) + " bytes is above the limit of " + std::to_string(Log::kEntryBytesMax));
  return {};
}

inline Result<void> check_key_value(std::size_t key_bytes, std::size_t value_bytes) {
  if (key_bytes == 0 || key_bytes > kKeyBytesMax) return make_error(ErrorKind::kLimit, "key must have 1 to 1024 bytes");
  if (value_bytes > kValueBytesMax) return make_error(ErrorKind::kLimit, "value of " + std::to_string(value_bytes) + " bytes is above the limit of 1 MiB");
  return {};
}

inline std::unexpected<Error> conflict(std::string_view key, Revision current) {
  return make_error(ErrorKind::kConflict, "key " + std::string(key) + " has revision " + std::to_string(current) + " by now");
}

}  // namespace fedgate::store
