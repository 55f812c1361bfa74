#include "gateway/base/ghost_name.h"

#include "gateway/base/base32.h"
#include "gateway/base/hash.h"
#include "gateway/base/utf8.h"

namespace fedgate {
namespace {

constexpr std::size_t kHashedLength = 26;

bool stays(unsigned char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-'; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string make_ghost_name(std::string_view network, std::string_view native_id, std::size_t bytes_max) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string name(network);
  name.push_back('.');
  for (unsigned char c : native_id) {
    if (stays(c)) {
      name.push_back(static_cast<char>(c));
    } else {
      name.push_back('=');
      name.push_back(kDigits[c >> 4]);
      name.push_back(kDigits[c & 15]);
    }
  }
  if (name.size() <= bytes_max) return name;
  Sha256 digest = sha256(native_id);
  std::string_view head(reinterpret_cast<const char*>(digest.data()), 16);
  return std::string(network) + "._" + base32_encode(head);
}

std::optional<GhostName> parse_ghost_name(std::string_view local_part) {
  std::size_t dot = local_part.find('.');
  if (dot == std::string_view::npos || !is_network_name(local_part.substr(0, dot))) return std::nullopt;
  GhostName name{.network = std::string(local_part.substr(0, dot)), .native_id = {}, .hashed = {}};
  std::string_view rest = local_part.substr(dot + 1);
  if (!rest.empty() && rest[0] == '_') {
    rest.remove_prefix(1);
    if (rest.size() != kHashedLength || !base32_decode(rest)) return std::nullopt;
    for (char c : rest)
      if (c >= 'A' && c <= 'Z') return std::nullopt;
    name.hashed = rest;
    return name;
  }
  for (std::size_t i = 0; i < rest.size(); ++i) {
    unsigned char c = static_cast<unsigned char>(rest[i]);
    if (stays(c)) {
      name.native_id.push_back(static_cast<char>(c));
      continue;
    }
    if (c != '=' || i + 2 >= rest.size()) return std::nullopt;
    int high = hex_value(rest[i + 1]);
    int low = hex_value(rest[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    auto byte = static_cast<unsigned char>(high * 16 + low);
    if (stays(byte)) return std::nullopt;  // a second spelling of the same address
    name.native_id.push_back(static_cast<char>(byte));
    i += 2;
  }
  if (name.native_id.empty() || !is_valid_utf8(name.native_id)) return std::nullopt;
  return name;
}

bool is_network_name(std::string_view name) {
  if (name.empty() || name.size() > 31 || name[0] < 'a' || name[0] > 'z') return false;
  for (char c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
  return true;
}

}  // namespace fedgate
