#include "gateway/base/hash.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace fedgate {

Sha256 sha256(std::string_view bytes) {
  Sha256 digest;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return digest;
}

Sha256 sha256_of_parts(std::initializer_list<std::string_view> parts) {
  // One contiguous buffer and SHA256(): the EVP interface costs an allocation per digest, and ids are made per message.
  std::string buffer;
  std::size_t total = 0;
  for (auto part : parts) total += part.size() + 8;
  buffer.reserve(total);
  for (auto part : parts) {
    for (int shift = 56; shift >= 0; shift -= 8) buffer.push_back(static_cast<char>((part.size() >> shift) & 0xff));
    buffer.append(part);
  }
  return sha256(buffer);
}

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (unsigned char byte : bytes) {
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace fedgate
