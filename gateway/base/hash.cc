#include "gateway/base/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstdlib>
#include <memory>

namespace fedgate {

Sha256 sha256(std::string_view bytes) {
  // Looking the algorithm up takes locks and costs more than hashing an id; so it is looked up once, and each thread keeps its context.
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  Sha256 digest;
  bool done = EVP_DigestInit_ex2(context.get(), algorithm, nullptr) == 1 && EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
              EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1;
  if (!done) std::abort();  // OpenSSL without SHA-256, or no memory
  return digest;
}

Sha256 sha256_of_parts(std::initializer_list<std::string_view> parts) {
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
